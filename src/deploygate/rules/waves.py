"""Rules about waves: the first production instance goes alone, and the floor lets the largest wave go."""

from collections.abc import Iterator
from itertools import chain, repeat

from deploygate.document import Document
from deploygate.inventory import Inventory, Wave
from deploygate.names import PRODUCTION
from deploygate.rules.complaint import Complaint
from deploygate.wording import count

_ALONE = Wave(1)


def first_wave(inventory: Inventory, document: Document) -> Iterator[Complaint]:
    """Find services whose first wave is not one instance, or is one only as long as the fleet is small."""
    for name, service in inventory.services.items():
        waves = service.rollout.waves
        if waves and waves[0] != _ALONE:
            yield Complaint(
                "first-wave",
                document.value("services", name, "rollout", "waves", 0),
                f"the first wave of {name} is {_written(waves[0])}, and must be 1",
                "Begin `waves` with 1: a version that fails in production fails on one instance.",
                name,
            )


def waves_floor(inventory: Inventory, document: Document) -> Iterator[Complaint]:
    """Find services with a wave that their floor never lets go."""
    for name, service in inventory.services.items():
        fleet, waves, least = len(service.within(PRODUCTION)), service.rollout.waves, service.rollout.floor
        out = 1 if least is None else fleet - least
        largest = _largest(waves, fleet) if waves else 0
        if 0 < out < largest:
            floor = "all but one" if least is None else f"{least}"
            yield Complaint(
                "waves-floor",
                document.value("services", name, "rollout", "waves"),
                f"a wave of {name} changes {largest} of {count(fleet, 'production instance')} at once, "
                f"and the floor, {floor}, lets {out} go",
                f"Write `floor: {fleet - largest}`, or make no wave larger than {out}.",
                name,
            )


def _largest(waves: tuple[Wave, ...], fleet: int) -> int:
    """Return how many instances of a fleet the largest wave changes; the last wave takes what is left."""
    largest, left = 0, fleet
    for wave in chain(waves, repeat(waves[-1])):
        if left <= 0:
            break
        largest = max(largest, min(wave.of(fleet), left))
        left -= wave.of(fleet)
    return largest


def _written(wave: Wave) -> str:
    return f"{wave.size}%" if wave.percent else f"{wave.size}"
