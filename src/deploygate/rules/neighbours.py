"""Rules about interfaces that break nothing: what may go, what depends on itself, what could not run any more."""

from collections.abc import Iterator, Mapping

from deploygate.document import Document
from deploygate.findings import Where
from deploygate.inventory import Interface, Inventory, Release, Service
from deploygate.names import ServiceName
from deploygate.rules.complaint import Complaint

_SHOWN = 6  # services of a circle


def stranded_release(inventory: Inventory, document: Document) -> Iterator[Complaint]:
    """Find listed releases that consume what no service provides any more: there is no way back to them."""
    provided = _provided(inventory)
    for name, service in inventory.services.items():
        for version, release in service.releases.items():
            for interface in sorted(release.consumes - provided.keys()) if version != service.wanted else ():
                yield Complaint(
                    "stranded-release",
                    _place(document, service, release, "consumes", interface),
                    f"{name} {version} consumes {interface}, and no service provides it: nobody could go back to it",
                    "Take the release out when it runs nowhere any more, or keep the interface until then.",
                    name,
                )


def removable_interface(inventory: Inventory, document: Document) -> Iterator[Complaint]:
    """Find provided versions that nobody consumes any more, where another version of the interface is consumed."""
    consumed = {
        interface
        for service in inventory.services.values()
        for release in service.listed
        for interface in release.consumes
    }
    provided = _provided(inventory)
    alive = {interface.name for interface in provided if interface in consumed}
    for interface in sorted(provided):
        if interface.name in alive and interface not in consumed:
            for name in provided[interface]:
                service = inventory.services[name]
                yield Complaint(
                    "removable-interface",
                    _place(document, service, service.release(service.wanted), "provides", interface),
                    f"nobody consumes {interface} of {name} any more",
                    "The next release may do without it, unless somebody outside of the inventory needs it.",
                    name,
                )


def interface_circle(inventory: Inventory, document: Document) -> Iterator[Complaint]:
    """Find services that need one another: none of them can be the first to change an interface in one step."""
    provided = _provided(inventory)
    needs = {
        name: tuple(
            dict.fromkeys(
                giver for interface in sorted(_wanted(service).consumes) for giver in provided.get(interface, ())
            )
        )
        for name, service in inventory.services.items()
    }
    for circle in _circles(needs):
        shown = ", ".join(circle[:_SHOWN]) + (f" and {len(circle) - _SHOWN} others" if len(circle) > _SHOWN else "")
        yield Complaint(
            "interface-circle",
            document.key("services", circle[0]),
            f"{shown} need one another's interfaces",
            "That is allowed. A new version of such an interface is provided beside the old one before it is consumed.",
        )


def _wanted(service: Service) -> Release:
    return service.release(service.wanted)


def _provided(inventory: Inventory) -> dict[Interface, list[ServiceName]]:
    """Return who provides each interface, each service at the version that is wanted of it."""
    provided: dict[Interface, list[ServiceName]] = {}
    for name, service in inventory.services.items():
        for interface in _wanted(service).provides:
            provided.setdefault(interface, []).append(name)
    return provided


def _place(document: Document, service: Service, release: Release, key: str, interface: Interface) -> Where:
    """Return where a release says what it provides or consumes: in its own table, or in its service's."""
    own: Mapping[str, object] = document.root["services"][service.name].get("releases", {}).get(release.version, {})
    inner = ("releases", release.version) if key in own else ()
    return document.value("services", service.name, *inner, key, interface.name)


def _circles(needs: Mapping[ServiceName, tuple[ServiceName, ...]]) -> Iterator[tuple[ServiceName, ...]]:
    """Give the groups of services that all reach one another, each in the inventory's order (Tarjan's algorithm)."""
    order = {name: number for number, name in enumerate(needs)}
    index: dict[ServiceName, int] = {}
    low: dict[ServiceName, int] = {}
    held: dict[ServiceName, None] = {}  # what is on the path, or hangs together with it
    for root in needs:
        path: list[tuple[ServiceName, Iterator[ServiceName]]] = [] if root in index else [(root, iter(needs[root]))]
        while path:
            name, others = path[-1]
            if name not in index:
                index[name] = low[name] = len(index)
                held[name] = None
            for other in others:
                if other not in index:
                    path.append((other, iter(needs[other])))
                    break
                if other in held:
                    low[name] = min(low[name], index[other])
            else:
                path.pop()
                if path:
                    low[path[-1][0]] = min(low[path[-1][0]], low[name])
                if low[name] == index[name]:
                    group = []
                    while True:
                        last, _ = held.popitem()
                        group.append(last)
                        if last == name:
                            break
                    if len(group) > 1:
                        yield tuple(sorted(group, key=order.__getitem__))
