"""All that is to be said about a document: shape, values and rules, each on what the one before left sound."""

from typing import Any

from deploygate.document import Document
from deploygate.findings import Finding
from deploygate.inventory import Inventory
from deploygate.reading import read
from deploygate.rules import check_rules
from deploygate.shape import check_shape
from deploygate.values import check_values

_PARTS = frozenset({"services", "defaults", "environments", "limits", "people", "chains"})


def check(
    document: Document,
    schema: dict[str, Any],
    *,
    certain: bool,
) -> tuple[Inventory | None, tuple[Finding, ...]]:
    """Return the sound part of an inventory, and every finding.

    Where the document is not certain to be whole, rules that look across it are not asked.
    """
    misfits = check_shape(document, schema)
    if any(not misfit.path for misfit in misfits):
        return None, tuple(misfit.finding for misfit in misfits)
    broken = frozenset(misfit.path[:2] for misfit in misfits)
    misfits += check_values(document, broken)
    broken = frozenset(misfit.path[:2] for misfit in misfits)
    unread = frozenset(str(path[0]) for path in broken) if certain else _PARTS
    inventory = read(document, broken)
    findings = tuple(misfit.finding for misfit in misfits)
    return inventory, findings + check_rules(inventory, document, unread)
