"""What a check asks GitHub about people: who has approved a change, and whether the owners are there at all."""

import tempfile
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from deploygate.adapters.github.client import Hub
from deploygate.adapters.github.contents import fetch, was_absent
from deploygate.adapters.github.people import account, members
from deploygate.adapters.github.reviews import reviewed
from deploygate.adapters.github.trouble import Absent, GitHubTrouble
from deploygate.cli.loading import Loaded, load_inventory
from deploygate.cli.repository import inside
from deploygate.concerns import Concern, concerns
from deploygate.errors import GateError
from deploygate.inventory import Inventory
from deploygate.names import Secret
from deploygate.owners import Account, accounts, verified
from deploygate.reviews import Approval, Reviewed, approvals, teams, unread

MOST = 300  # accounts that are looked up in one check; the token of a job has 1,000 requests an hour
NOTHING = Inventory(environments=(), services={})
UNTOLD = "what the change alters can't be told, so nobody knows whom it concerns"


def hub_of(environ: Mapping[str, str]) -> Hub:
    """Return the line to the repository on GitHub that the environment names.

    Raises:
        GateError: It names none.
    """
    token, repository = environ.get("GITHUB_TOKEN", ""), environ.get("GITHUB_REPOSITORY", "")
    if not (token and repository):
        raise GateError(
            "there is no repository on GitHub to ask",
            help="Set GITHUB_TOKEN and GITHUB_REPOSITORY (owner/name).",
        )
    api = environ.get("GITHUB_API_URL", "") or "https://api.github.com"
    try:
        return Hub(api.rstrip("/"), Secret(token), repository)
    except GitHubTrouble as trouble:
        raise GateError(trouble.says, help=trouble.help) from trouble


def reviewed_edit(
    number: int, after: Inventory | None, path: Path, environ: Mapping[str, str]
) -> tuple[Inventory | None, tuple[Approval, ...] | None]:
    """Return the inventory as it was before a pull request, and whether those whom it concerns have approved it.

    Raises:
        GateError: There is no such pull request, or GitHub can't be asked at all.
    """
    try:
        with closing(hub_of(environ)) as hub:
            pull = reviewed(hub, number)
            before = _at(hub, pull.base, path)
            if after is None:
                return before, None
            if before is None:
                return None, unread(concerns(NOTHING, after), UNTOLD, "Mend the inventory on the base branch first.")
            return before, held_against(hub, pull, concerns(before, after))
    except GitHubTrouble as trouble:
        raise GateError(f"the approvals can't be told: {trouble.says}", help=trouble.help) from trouble


def approved(hub: Hub, number: int, head: str, concerned: Sequence[Concern]) -> tuple[Approval, ...]:
    """Return whether those whom a change concerns have approved it; `head` is the commit that was checked.

    Raises:
        GitHubTrouble: The reviews can't be read.
    """
    pull = reviewed(hub, number)
    held = Reviewed(pull.number, head or pull.head, pull.author, pull.reviews, pull.base)
    return held_against(hub, held, concerned)


def held_against(hub: Hub, pull: Reviewed, concerned: Sequence[Concern]) -> tuple[Approval, ...]:
    """Return whether a pull request has the approvals that it needs, by logins and by the members of teams."""
    return approvals(concerned, pull, {team: _members(hub, team) for team in teams(concerned)})


def verified_by_github(loaded: Loaded, environ: Mapping[str, str]) -> Loaded:
    """Return the same with what GitHub says of the owners."""
    if loaded.inventory is None or loaded.document is None:
        return loaded
    with closing(hub_of(environ)) as hub:
        found = looked_up(hub, loaded.inventory)
    return replace(loaded, findings=(*loaded.findings, *verified(loaded.inventory, loaded.document, found)))


def looked_up(hub: Hub, inventory: Inventory) -> tuple[Account, ...]:
    """Return what GitHub knows of the owners of an inventory."""
    every = accounts(inventory)
    says = f"only {MOST} accounts are looked up in one check"
    return (*(account(hub, one) for one in every[:MOST]), *(Account(one, None, says) for one in every[MOST:]))


def _members(hub: Hub, team: str) -> frozenset[str] | None:
    try:
        return members(hub, team)
    except GitHubTrouble:
        return None


def _at(hub: Hub, sha: str, path: Path) -> Inventory | None:
    """Return the inventory at a commit; an empty one where there was none, and None where it was broken."""
    place = inside(path)
    with tempfile.TemporaryDirectory() as folder:
        into = Path(folder) / (path.resolve().name or "services")
        try:
            fetch(hub, sha, place, path, into)
        except Absent:
            if was_absent(hub, sha, place):
                return NOTHING
            raise
        return load_inventory(into).inventory
