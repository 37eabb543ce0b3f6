"""The owners in a check by an event: have they approved the change, and are they on GitHub at all?"""

from deploygate.adapters.github.client import Hub
from deploygate.adapters.github.contents import was_absent
from deploygate.adapters.github.pulls import pulls_of
from deploygate.adapters.github.trouble import GitHubTrouble
from deploygate.cli.acting.desk import Desk
from deploygate.cli.reviewing import NOTHING, UNTOLD, approved, looked_up
from deploygate.concerns import Concern, concerns
from deploygate.document import Document
from deploygate.findings import Finding
from deploygate.inventory import Inventory
from deploygate.owners import Account, accounts, verified
from deploygate.reviews import Approval, missing, unread

_BUDGET = 120.0  # seconds for reading all reviews, or for looking all owners up


def approvals_of(desk: Desk, before: Inventory | None, after: Inventory) -> tuple[Approval, ...]:
    """Return whether those whom a change concerns have approved it; what can't be told is not an approval."""
    if before is None and not _is_new(desk):
        return unread(_of(desk, NOTHING, after), UNTOLD, "Run the check for a pull request, with `contents: read`.")
    concerned = _of(desk, before or NOTHING, after)
    if not concerned:
        return ()
    at = desk.occasion
    try:
        number = at.pull or desk.ask(lambda hub: _number(hub, at.sha), _BUDGET)
        if not number:
            return missing(concerned, "no pull request has this change, so nobody can have approved it")
        head = at.sha if at.event.startswith("pull_request") else ""
        return desk.ask(lambda hub: approved(hub, number, head, concerned), _BUDGET)
    except GitHubTrouble as trouble:
        return unread(concerned, f"the reviews can't be read: {trouble.says}", trouble.help)


def verified_owners(desk: Desk, inventory: Inventory, document: Document) -> tuple[Finding, ...]:
    """Return what is wrong with the accounts of the owners, or what could not be verified about them."""
    try:
        found = desk.ask(lambda hub: looked_up(hub, inventory), _BUDGET) if inventory.people else ()
    except GitHubTrouble as trouble:
        found = tuple(Account(one, None, trouble.says, trouble.help) for one in accounts(inventory))
    return verified(inventory, document, found)


def _of(desk: Desk, before: Inventory, after: Inventory) -> tuple[Concern, ...]:
    return tuple(one for one in concerns(before, after) if desk.inputs.service in {"", one.service})


def _number(hub: Hub, sha: str) -> int:
    """Return the pull request that has a commit, or 0."""
    found = pulls_of(hub, sha)
    return found[0].number if found else 0


def _is_new(desk: Desk) -> bool:
    """Tell whether there was no inventory at this place before, which is more than that none could be read."""
    before, path = desk.occasion.before, desk.in_repository(desk.inputs.inventory)
    if not before.strip("0"):
        return False
    try:
        return desk.ask(lambda hub: was_absent(hub, before, path), _BUDGET)
    except GitHubTrouble:
        return False
