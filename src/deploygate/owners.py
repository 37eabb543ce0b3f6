"""Owners held against who is on GitHub: an account that is not there is an error, one that can't be seen a warning."""

from collections.abc import Iterable
from dataclasses import dataclass

from deploygate.document import Document
from deploygate.findings import Finding, Severity, Where
from deploygate.inventory import Inventory
from deploygate.wording import count, plain, quoted


@dataclass(frozen=True, slots=True)
class Account:
    """What is known of a login, or of a team as organization/team; `exists` is None where that can't be told."""

    name: str
    exists: bool | None
    says: str = ""
    help: str = ""


def accounts(inventory: Inventory) -> tuple[str, ...]:
    """Return the accounts of all owners, each once, however it is spelt."""
    named = dict.fromkeys(
        name
        for service in inventory.services.values()
        for name in (service.owners.ops, service.owners.dev, service.owners.pm)
    )
    found = {account.casefold(): account for name in named if (account := inventory.people.get(name))}
    return tuple(found.values())


def verified(inventory: Inventory, document: Document, found: Iterable[Account]) -> tuple[Finding, ...]:
    """Return a finding for each owner whose account is not there, or of whom that can't be told."""
    if not inventory.people:
        return (
            _unverified(
                Where(document.file),
                "no owner could be verified: the inventory has no `people`",
                "Say under `people` who the owners are on GitHub.",
            ),
        )
    known = {one.name.casefold(): one for one in found}
    findings = []
    untold: dict[tuple[str, str], list[tuple[str, Where]]] = {}
    for name, account in inventory.people.items():
        one = known.get(account.casefold())
        where = document.value("people", name)
        if one is not None and one.exists is False:
            says = f"{plain(name, 60)} is {quoted(account)} on GitHub, and {one.says}"
            findings.append(Finding("unknown-login", where, says, "Correct it under `people`, or name the successor."))
        elif one is not None and one.exists is None:
            untold.setdefault((one.says, one.help), []).append((name, where))
    for (says, advice), some in untold.items():
        names = ", ".join(plain(name, 60) for name, _ in some[:3])
        names += f" and {count(len(some) - 3, 'other')}" if len(some) > 3 else ""
        findings.append(_unverified(some[0][1], f"could not verify who {names} is on GitHub: {says}", advice))
    return tuple(findings)


def _unverified(where: Where, says: str, advice: str) -> Finding:
    return Finding("unverified-owner", where, says, advice, Severity.WARNING)
