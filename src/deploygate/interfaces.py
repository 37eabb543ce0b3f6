"""Which versions fit beside each other? The talk's versioned interfaces, one pair of releases at a time."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import chain

from deploygate.findings import Finding
from deploygate.inventory import Interface, Inventory, Release, Service
from deploygate.names import Environment, ServiceName, Version

_UNLISTED = Version("any other")


@dataclass(frozen=True, slots=True)
class Running:
    """The versions of each service that were observed in one environment; none where nothing answers.

    Of the `silent`, some instances answer and some do not say what they run.
    """

    environment: Environment
    versions: Mapping[ServiceName, frozenset[Version]]
    silent: frozenset[ServiceName] = frozenset()

    def unsure(self, name: ServiceName) -> bool:
        """Tell whether a service may run here what nobody has seen."""
        return name in self.silent or not self.versions.get(name)


@dataclass(frozen=True, slots=True)
class Pair:
    """One version of a service beside one of a neighbour, in one environment.

    `lost` are the interfaces that the neighbour consumes and would not get, `missing` those that it does not give.
    `runs` says that the neighbour was seen at this version; else it is one that it may run, as nobody can tell.
    """

    environment: Environment
    ours: Version
    neighbour: ServiceName
    theirs: Version
    runs: bool
    lost: tuple[Interface, ...] = ()
    missing: tuple[Interface, ...] = ()

    @property
    def fits(self) -> bool:
        """Whether the two can be in service together."""
        return not (self.lost or self.missing)


def neighbours(inventory: Inventory, service: Service) -> tuple[ServiceName, ...]:
    """Return the services that get an interface from this one, or give it one, in any version that is listed."""
    gives, takes = offered(service), _consumed(service)
    return tuple(
        name
        for name, other in inventory.services.items()
        if name != service.name and not (gives.isdisjoint(_consumed(other)) and takes.isdisjoint(offered(other)))
    )


def pairs(
    inventory: Inventory,
    service: Service,
    version: Version,
    running: Running,
    beside: tuple[ServiceName, ...] | None = None,
) -> tuple[Pair, ...]:
    """Hold a version against every version of every neighbour that runs, or may run where that can't be told.

    During a roll both versions are in service, so callers that are served by some instances only are cut off
    as well: each single instance must provide all that running neighbours consume. Where `running` names the
    service itself, its instances are each other's neighbours, in what nobody else offers. `beside` are the
    service's neighbours, where they are known already: in a large fleet it takes a while to find them.
    """
    release = service.release(version)
    found: list[Pair] = []
    for name in neighbours(inventory, service) if beside is None else beside:
        other = inventory.services[name]
        present = name in running.versions
        seen = running.versions.get(name, frozenset())
        may = [(other.release(one), True) for one in sorted(seen)]
        if running.unsure(name):
            may += [(one, False) for one in listed(other) if one.version not in seen]
        for theirs, runs in may:
            # who has no instance here consumes nothing here; what it gives comes from elsewhere
            lost = _unmet(theirs, service, release) if present else ()
            missing = _unmet(release, other, theirs)
            found.append(Pair(running.environment, version, name, theirs.version, runs, lost, missing))
    own = _own(inventory, service)
    for peer in sorted(running.versions.get(service.name, ())) if own else ():
        theirs = service.release(peer)
        lost = tuple(one for one in _unmet(theirs, service, release) if one.name in own)
        missing = tuple(one for one in _unmet(release, service, theirs) if one.name in own and peer != version)
        found.append(Pair(running.environment, version, service.name, peer, runs=True, lost=lost, missing=missing))
    return tuple(found)


def clashes(inventory: Inventory, service: Service, version: Version, running: Running) -> tuple[Finding, ...]:
    """Say which running neighbours would lose an interface, or could not give one, while `version` runs."""
    return tuple(said(service, version, (one for one in pairs(inventory, service, version, running) if one.runs)))


def said(service: Service, version: Version, against: Iterable[Pair]) -> Iterator[Finding]:
    """Put into words what of these pairs, which are of one version in one environment, does not fit."""
    missing: dict[Interface, list[str]] = {}
    environment = ""
    for one in against:
        environment = one.environment
        theirs = f"{one.neighbour} {one.theirs}"
        for lost in one.lost:
            says = f"{service.name} {version} does not provide {lost}, which {theirs} consumes in {environment}"
            advice = f"Deploy a {one.neighbour} that does without it first, or keep it in {version}."
            yield Finding("interface-lost", service.where, says, advice)
        for need in one.missing:
            missing.setdefault(need, []).append(theirs)
    for need in sorted(missing):
        says = f"{service.name} {version} consumes {need}, which {', '.join(missing[need])} in {environment} lacks"
        yield Finding("interface-missing", service.where, says, f"Deploy a provider of {need} first.")


def listed(service: Service) -> tuple[Release, ...]:
    """Return every release of which the inventory knows: what each unlisted version is, then those listed."""
    unlisted = service.wanted if service.wanted not in service.releases else _UNLISTED
    return (replace(service.listed[0], version=unlisted), *service.listed[1:])


def offered(service: Service) -> set[str]:
    """Return the names of the interfaces that any listed release of a service provides."""
    listed = (interface for release in service.releases.values() for interface in release.provides)
    return {interface.name for interface in chain(service.provides, listed)}


def _unmet(consumer: Release, provider: Service, gives: Release) -> tuple[Interface, ...]:
    """Return what a release consumes of a service and does not get from this release of it."""
    names = offered(provider)
    return tuple(sorted(need for need in consumer.consumes if need.name in names and need not in gives.provides))


def _consumed(service: Service) -> set[str]:
    listed = (interface for release in service.releases.values() for interface in release.consumes)
    return {interface.name for interface in chain(service.consumes, listed)}


def _own(inventory: Inventory, service: Service) -> set[str]:
    """Return the interfaces that a service can have from its own instances only: nobody else offers them."""
    own = offered(service) & _consumed(service)
    if not own:
        return own
    return own.difference(*(offered(other) for name, other in inventory.services.items() if name != service.name))
