"""Commit statuses: one line a context, written on transitions only, and read back."""

from dataclasses import dataclass
from typing import Literal

from github.CommitStatus import CommitStatus
from github.PaginatedList import PaginatedList

from deploygate.adapters.github.client import Hub
from deploygate.adapters.github.trouble import GitHubTrouble
from deploygate.wording import plain, quoted

LONGEST = 140  # characters of a description
State = Literal["error", "failure", "pending", "success"]


@dataclass(frozen=True, slots=True)
class Status:
    """The newest status of a context."""

    context: str
    state: str
    says: str
    url: str


def set_status(hub: Hub, sha: str, context: str, state: State, says: str, url: str) -> None:
    """Show a state with one line on a commit, linked to `url`; nothing is sent where this process said the same before.

    Raises:
        GitHubTrouble: It is not shown, or that is not known.
    """
    says = described(says)
    key = (sha, context.lower())  # a context is the same in capitals
    if hub.told.get(key) == (state, says):
        return
    hub.told.pop(key, None)
    try:
        with hub.asking("statuses: write", f"POST /repos/{hub.repository}/statuses/{sha}"):
            commit = hub.repo.get_commit(sha)
            if url:
                commit.create_status(state, url, says, context)
            else:
                commit.create_status(state, description=says, context=context)
    except GitHubTrouble as trouble:
        if trouble.status == 422 and "maximum number of statuses" in trouble.message.lower():
            raise GitHubTrouble(
                f"the 1,000 statuses that GitHub keeps of {quoted(context)} on one commit are used up",
                help="Push a commit, an empty one will do, and run it there.",
                status=422,
                message=trouble.message,
            ) from trouble
        raise
    hub.told[key] = (state, says)


def statuses_of(hub: Hub, sha: str) -> dict[str, Status]:
    """Return the newest status of every context on a commit, by the context in small letters.

    Raises:
        GitHubTrouble: They are not known, which is not the same as none.
    """
    with hub.asking("statuses: read", f"GET /repos/{hub.repository}/commits/{sha}/status"):
        path = f"/repos/{hub.repository}/commits/{sha}/status"  # PyGithub's own way reads one page
        found = PaginatedList(CommitStatus, hub.repo.requester, path, None, list_item="statuses")
        return {
            one.context.lower(): Status(one.context, one.state, plain(one.description or ""), one.target_url or "")
            for one in found
        }


def described(says: str) -> str:
    """Return a line as descriptions hold it: short, and without the characters that GitHub refuses, as many emojis."""
    return "".join(char if char <= "\uffff" else "\ufffd" for char in plain(says, LONGEST))
