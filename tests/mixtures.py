"""Small fleets with interfaces, at random; and what holds in them, found by trying every mixture of versions."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import chain, combinations, product

from hypothesis import strategies as st
from made import inventory, release, service

from deploygate.admission import Answer
from deploygate.interfaces import Running
from deploygate.inventory import Inventory, Release, Service
from deploygate.names import PRODUCTION, ServiceName, Version
from deploygate.plan import Move

ASKED = ServiceName("A")
NAMES = ("A", "B", "C")
VERSIONS = ("1", "2", "9")  # which nobody lists
OFFERS = st.frozensets(st.sampled_from(["x 1", "x 2", "y 1", "y 2"]), max_size=3).map(lambda some: tuple(sorted(some)))


@dataclass(frozen=True)
class Mixture:
    """A fleet in which something runs, and a version that is to be deployed over what runs of the first service."""

    inventory: Inventory
    running: Running
    version: Version
    moves: tuple[Move, ...]

    @property
    def service(self) -> Service:
        return self.inventory.services[ASKED]

    def with_service(self, changed: Service) -> "Mixture":
        services = {**self.inventory.services, changed.name: changed}
        return replace(self, inventory=replace(self.inventory, services=services))


@st.composite
def services(draw: st.DrawFn, name: str) -> Service:
    """Draw a service with some listed releases, which may or may not be of the wanted version."""
    listed = draw(st.sets(st.sampled_from(["1", "2"])))
    return service(
        name,
        places={f"{name}{number}": PRODUCTION for number in range(draw(st.integers(1, 2)))},
        provides=draw(OFFERS),
        consumes=draw(OFFERS),
        wanted=Version("1"),
        releases=tuple(release(one, provides=draw(OFFERS), consumes=draw(OFFERS)) for one in sorted(listed)),
    )


@st.composite
def mixtures(draw: st.DrawFn) -> Mixture:
    """Draw a fleet, what of it is seen running, and a deploy."""
    whole = inventory(*(draw(services(name)) for name in NAMES))
    versions = {
        ServiceName(name): frozenset(map(Version, draw(st.sets(st.sampled_from(VERSIONS), max_size=2))))
        for name in NAMES[1:]
        if draw(st.sampled_from([True, True, True, False]))  # some have no instance here
    }
    silent = frozenset(name for name in versions if draw(st.sampled_from([False, False, True])))
    version = Version(draw(st.sampled_from(VERSIONS)))
    moves = tuple(
        Move(one.name, PRODUCTION, version, Version(was) if was else None)
        for one in whole.services[ASKED].instances
        for was in [draw(st.sampled_from([*VERSIONS, *VERSIONS, None]))]
    )
    return Mixture(whole, Running(PRODUCTION, versions, silent), version, moves)


def truth(mixture: Mixture) -> tuple[Answer, Answer]:
    """Return both answers, from all the worlds that what was seen allows."""
    backs = {move.was for move in mixture.moves if move.was}
    together = {mixture.version, *backs} if len(mixture.service.instances) > 1 else set()
    worlds = list(_worlds(mixture))
    forth = [_fits(mixture, world, {mixture.version}, together) for world in worlds]
    others = {(one, other) for one in backs for other in backs | {mixture.version}}
    back = [_fits(mixture, world, backs, set()) and _among(mixture, others if together else set()) for world in worlds]
    unknown = any(move.was is None for move in mixture.moves)
    return _answer(forth, unknown=False), _answer(back, unknown=unknown)


def _answer(fits: list[bool], *, unknown: bool) -> Answer:
    if not any(fits):
        return Answer.NO
    return Answer.YES if all(fits) and not unknown else Answer.CANNOT_TELL


World = Mapping[ServiceName, tuple[Release, ...]]


def _worlds(mixture: Mixture) -> Iterator[World]:
    """Return everything that may run beside the service: who is silent may run any of its releases, or none."""
    choices = []
    for name in map(ServiceName, NAMES[1:]):
        other = mixture.inventory.services[name]
        seen = tuple(_release(other, version) for version in mixture.running.versions.get(name, ()))
        unsure = name in mixture.running.silent or not seen
        some = _subsets(_releases(other)) if unsure else [()]
        choices.append([(name, seen + more) for more in some])
    for world in product(*choices):
        yield dict(world)


def _subsets(some: list[Release]) -> list[tuple[Release, ...]]:
    return list(chain.from_iterable(combinations(some, size) for size in range(len(some) + 1)))


def _releases(one: Service) -> list[Release]:
    return [Release(Version("unlisted"), one.provides, one.consumes), *one.releases.values()]


def _release(one: Service, version: Version) -> Release:
    return one.releases.get(version, Release(version, one.provides, one.consumes))


def _ever(one: Service) -> set[str]:
    return {given.name for each in _releases(one) for given in each.provides}


def _met(consumer: Release, provider: Service, given: Release, names: set[str] | None = None) -> bool:
    asked = _ever(provider) if names is None else names
    return all(need in given.provides for need in consumer.consumes if need.name in asked)


def _fits(mixture: Mixture, world: World, ours: set[Version], together: set[Version]) -> bool:
    service = mixture.service
    for version in ours:
        mine = _release(service, version)
        for name, releases in world.items():
            other = mixture.inventory.services[name]
            for theirs in releases:
                here = name in mixture.running.versions
                if not _met(mine, other, theirs) or (here and not _met(theirs, service, mine)):
                    return False
    return _among(mixture, {pair for one in ours for other in together for pair in ((one, other), (other, one))})


def _among(mixture: Mixture, pairs: set[tuple[Version, Version]]) -> bool:
    """Tell whether instances of the service itself get of each other what nobody else offers."""
    service = mixture.service
    elsewhere = set().union(*(_ever(mixture.inventory.services[ServiceName(name)]) for name in NAMES[1:]))
    own = _ever(service) - elsewhere
    return all(
        _met(_release(service, one), service, _release(service, other), own)
        and _met(_release(service, other), service, _release(service, one), own)
        for one, other in pairs
    )
