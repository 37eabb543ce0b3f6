"""What an edit changes of the services: those that come and go, the versions, and the interfaces."""

from collections.abc import Iterator

from deploygate.difference.parts import instances, owners, rollout, waivers, ways
from deploygate.difference.told import Danger, Difference, listed, sizes
from deploygate.inventory import Interface, Inventory, Service


def services(before: Inventory, after: Inventory) -> Iterator[Difference]:
    """Yield what is different of each service, in the inventory's order; those that are gone come last."""
    for name, service in after.services.items():
        earlier = before.services.get(name)
        if earlier is None:
            yield _new(service)
        else:
            yield from _version(earlier, service)
            yield from _interfaces(before, after, earlier, service)
            for part in (instances, waivers, rollout, owners, ways):
                yield from part(earlier, service)
    for name, service in before.services.items():
        if name not in after.services:
            yield _gone(after, service)


def _new(service: Service) -> Difference:
    who = f"ops {service.owners.ops}, dev {service.owners.dev}, pm {service.owners.pm}"
    says = f"is new, at {service.wanted}, on {sizes(service.instances)}; {who}"
    return Difference(Danger.DEPLOYS, service.name, "service", says)


def _gone(after: Inventory, service: Service) -> Difference:
    lost = {one.name for one in service.release(service.wanted).provides}
    callers = [
        other.name
        for other in after.services.values()
        if lost & {one.name for one in other.release(other.wanted).consumes}
    ]
    says = "leaves the inventory; what runs of it goes on, and nobody watches it"
    says += f"; {listed(callers)} still consumes what it provides" if callers else ""
    return Difference(Danger.DANGEROUS, service.name, "service", says)


def _version(earlier: Service, service: Service) -> Iterator[Difference]:
    if earlier.wanted == service.wanted:
        return
    says = f"goes from {earlier.wanted} to {service.wanted}, on {sizes(service.instances)}"
    yield Difference(Danger.DEPLOYS, service.name, "version", says)


def _kept(after: Inventory, service: Service) -> Iterator[Difference]:
    """Yield which callers use which version of an interface of which this release has several."""
    provided: dict[str, set[str]] = {}
    for one in service.release(service.wanted).provides:
        provided.setdefault(one.name, set()).add(one.version)
    for interface, versions in sorted(provided.items()):
        by_version: dict[str, list[str]] = {}
        for version in sorted(versions) if len(versions) > 1 else ():
            by_version[version] = _callers(after, Interface(interface, version), service)
        for version, callers in by_version.items():
            if callers:
                says = f"{listed(callers)} {'keep' if len(callers) > 1 else 'keeps'} {interface} {version}"
                yield Difference(Danger.DEPLOYS, service.name, "callers", says)


def _interfaces(before: Inventory, after: Inventory, earlier: Service, service: Service) -> Iterator[Difference]:
    was, now = earlier.release(earlier.wanted), service.release(service.wanted)
    for dropped in sorted(was.provides - now.provides):
        callers = _callers(after, dropped, service)
        had = _callers(before, dropped, earlier)
        says = f"drops interface {dropped}"
        if callers:
            says += f", which {listed(callers)} still consumes"
        elif had:
            says += f", which {listed(had)} consumed until now"
        yield Difference(Danger.DANGEROUS, service.name, "provides", says)
    added = sorted(now.provides - was.provides)
    if added:
        yield Difference(Danger.DEPLOYS, service.name, "provides", f"adds interface {listed(map(str, added))}")
    for part, some in (("needs", now.consumes - was.consumes), ("no longer needs", was.consumes - now.consumes)):
        if some:
            says = f"{part} {listed(map(str, sorted(some)))}"
            yield Difference(Danger.DEPLOYS, service.name, "consumes", says)
    if earlier.wanted != service.wanted:
        yield from _kept(after, service)


def _callers(inventory: Inventory, interface: Interface, provider: Service) -> list[str]:
    return [
        other.name
        for other in inventory.services.values()
        if other.name != provider.name and interface in other.release(other.wanted).consumes
    ]
