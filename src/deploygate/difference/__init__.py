"""What an edit of the inventory means, in words, and the dangerous first."""

from deploygate.difference.services import services
from deploygate.difference.told import Danger, Difference
from deploygate.difference.whole import whole
from deploygate.inventory import Inventory

__all__ = ["Danger", "Difference", "differences"]


def differences(before: Inventory, after: Inventory) -> tuple[Difference, ...]:
    """Return what an edit changes, the dangerous first, and then in the inventory's order."""
    return tuple(sorted((*whole(before, after), *services(before, after)), key=lambda one: one.danger))
