"""Pull requests: which one brought a commit, and one that puts the inventory back to what runs."""

from dataclasses import dataclass

from deploygate.adapters.github.client import Hub
from deploygate.adapters.github.contents import blob_id
from deploygate.adapters.github.trouble import Denied, GitHubTrouble
from deploygate.report import cut
from deploygate.wording import plain, quoted

LONGEST = 65_000  # bytes of a description; GitHub takes 65,536 characters
_WRITES = "contents: write"
_OPENS = "pull-requests: write"


@dataclass(frozen=True, slots=True)
class PullRequest:
    """A pull request that a commit belongs to."""

    number: int
    merged: bool
    head_sha: str


@dataclass(frozen=True, slots=True)
class PutBack:
    """A change of one file, as a pull request from `branch` to `base`; `path` is in the repository."""

    base: str
    branch: str
    path: str
    before: str
    after: str
    title: str
    body: str


def pulls_of(hub: Hub, sha: str) -> tuple[PullRequest, ...]:
    """Return the pull requests of a commit: first the one whose merge it is, then the merged, then the open ones.

    Raises:
        GitHubTrouble: They are not known, which is not the same as none.
    """
    with hub.asking("pull-requests: read", f"GET /repos/{hub.repository}/commits/{sha}/pulls"):
        found = [
            (pull.merged_at is None, pull.merge_commit_sha != sha, pull.number, pull.head.sha)
            for pull in hub.repo.get_commit(sha).get_pulls()
            if pull.merged_at is not None or pull.state == "open"
        ]
    return tuple(PullRequest(number, not unmerged, head) for unmerged, _, number, head in sorted(found))


def open_put_back(hub: Hub, change: PutBack) -> str:
    """Open a pull request, and return its address; one that is open already is enough.

    Raises:
        Denied: The token may not write contents or open pull requests.
        GitHubTrouble: The file is not as it was any more, or something else failed.
    """
    if url := _already(hub, change):
        return url
    head = _head(hub, change.base)
    blob = _blob(hub, change, head)
    if blob != blob_id(change.before.encode(), blob):
        raise _changed(change, change.base)
    if _branch(hub, change, head):
        blob = _blob(hub, change, change.branch)
    if blob != blob_id(change.after.encode(), blob):
        if blob != blob_id(change.before.encode(), blob):
            raise _changed(change, change.branch)
        _write(hub, change, blob)
    return _open(hub, change)


def _already(hub: Hub, change: PutBack) -> str:
    """Return the address of the pull request that is open from this branch, or nothing."""
    owner = hub.repository.partition("/")[0]
    with hub.asking("pull-requests: read", f"GET /repos/{hub.repository}/pulls?head={owner}:{change.branch}"):
        for pull in hub.repo.get_pulls(state="open", base=change.base, head=f"{owner}:{change.branch}"):
            return pull.html_url
    return ""


def _head(hub: Hub, branch: str) -> str:
    with hub.asking("contents: read", f"GET /repos/{hub.repository}/git/ref/heads/{branch}"):
        return hub.repo.get_git_ref(f"heads/{branch}").object.sha


def _blob(hub: Hub, change: PutBack, ref: str) -> str:
    """Return git's name of the file's content at a commit or on a branch."""
    with hub.asking("contents: read", f"GET /repos/{hub.repository}/contents/{change.path}?ref={ref}"):
        found = hub.repo.get_contents(change.path, ref)
    if isinstance(found, list) or found.type != "file":
        raise GitHubTrouble(f"{quoted(change.path)} is not a file on GitHub", help="Change it by hand.")
    return found.sha


def _branch(hub: Hub, change: PutBack, head: str) -> bool:
    """Make the branch, and tell whether it was there before."""
    try:
        with hub.asking(_WRITES, f"POST /repos/{hub.repository}/git/refs"):
            hub.repo.create_git_ref(f"refs/heads/{change.branch}", head)
    except GitHubTrouble as trouble:
        if trouble.status == 422 and "already exists" in trouble.message.lower():
            return True
        raise
    return False


def _write(hub: Hub, change: PutBack, blob: str) -> None:
    try:
        with hub.asking(_WRITES, f"PUT /repos/{hub.repository}/contents/{change.path}"):
            hub.repo.update_file(change.path, _title(change), change.after, blob, change.branch)
    except GitHubTrouble as trouble:
        if trouble.status in {409, 422}:
            raise _changed(change, change.branch) from trouble
        raise


def _open(hub: Hub, change: PutBack) -> str:
    try:
        with hub.asking(_OPENS, f"POST /repos/{hub.repository}/pulls"):
            made = hub.repo.create_pull(
                change.base, change.branch, title=_title(change), body=cut(change.body, LONGEST, "")
            )
            return made.html_url
    except Denied as denied:
        if "not permitted to create" not in denied.message.lower():
            raise
        raise Denied(
            f"pull requests by workflows are switched off; the change is on the branch {quoted(change.branch)}",
            help="Allow them under Settings, Actions, General, Workflow permissions; or open it from the branch.",
            permission=_OPENS,
            message=denied.message,
        ) from denied
    except GitHubTrouble as trouble:
        if trouble.status == 422 and "already exists" in trouble.message.lower() and (url := _already(hub, change)):
            return url
        raise


def _changed(change: PutBack, branch: str) -> GitHubTrouble:
    return GitHubTrouble(
        f"{quoted(change.path)} on {quoted(branch)} is not as this run read it",
        help="Somebody has changed it meanwhile: put it back by hand where that is still wanted.",
    )


def _title(change: PutBack) -> str:
    return plain(change.title, 200)
