"""What an edit of the inventory asks for: which services are to be at another version, and in which order."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from deploygate.inventory import Inventory, Service
from deploygate.names import ServiceName, Version


@dataclass(frozen=True, slots=True)
class Change:
    """One service that is wanted at another version than before; `was` is None for a new service."""

    service: Service
    was: Version | None

    @property
    def to(self) -> Version:
        """The version that is wanted now."""
        return self.service.wanted


def changed(before: Inventory, after: Inventory) -> tuple[Change, ...]:
    """Return the services whose wanted version an edit changes, each after those that it depends on."""
    changes = {}
    for name, service in after.services.items():
        earlier = before.services.get(name)
        if earlier is None or earlier.wanted != service.wanted:
            changes[name] = Change(service, earlier.wanted if earlier else None)
    return tuple(changes[name] for name in in_order(after, changes))


def in_order(inventory: Inventory, names: Iterable[ServiceName]) -> tuple[ServiceName, ...]:
    """Return services so that each comes after those among them whose interfaces it consumes.

    What a service offers is there before somebody needs it. Within a circle the inventory's order holds.
    """
    asked = set(names)
    waiting = [name for name in inventory.services if name in asked]
    givers: dict[str, set[ServiceName]] = {}
    for name in waiting:
        for interface in inventory.services[name].release(inventory.services[name].wanted).provides:
            givers.setdefault(interface.name, set()).add(name)
    needs = {name: _needed(inventory.services[name], givers) - {name} for name in waiting}
    ordered: list[ServiceName] = []
    while waiting:
        free = next((name for name in waiting if not needs[name].intersection(waiting)), waiting[0])
        waiting.remove(free)
        ordered.append(free)
    return tuple(ordered)


def _needed(service: Service, givers: Mapping[str, set[ServiceName]]) -> set[ServiceName]:
    consumed = service.release(service.wanted).consumes
    return {giver for one in consumed for giver in givers.get(one.name, ())}
