"""Services and their interfaces, as a picture has them: who consumes what of whom, and what of it fails."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from deploygate.interfaces import Running, offered
from deploygate.inventory import Interface, Inventory, Service
from deploygate.names import PRODUCTION, Environment, ServiceName


@dataclass(frozen=True, slots=True)
class Node:
    """A service at the version that is wanted; `seen` is what runs where, and what of that is not as wanted."""

    service: Service
    seen: tuple[str, ...] = ()
    failing: bool = False


@dataclass(frozen=True, slots=True)
class Link:
    """What a service consumes of another, or of nobody in the inventory; `chains` are those that go along here.

    Without interfaces it is only a step of a chain. An `outside` one is waived: it is provided elsewhere.
    """

    consumer: ServiceName
    provider: ServiceName | None
    interfaces: tuple[Interface, ...] = ()
    chains: tuple[str, ...] = ()
    failing: bool = False
    outside: bool = False


@dataclass(frozen=True, slots=True)
class End:
    """Where a chain ends in an environment."""

    chain: str
    after: ServiceName
    environment: Environment
    sink: str

    @property
    def harmless(self) -> bool:
        """Whether this is the end of a copy, which reaches nobody."""
        return self.environment != PRODUCTION


@dataclass(frozen=True, slots=True)
class Beginning:
    """Where a chain takes its data from."""

    chain: str
    before: ServiceName
    source: str


@dataclass(frozen=True, slots=True)
class Graph:
    """All that a picture shows, in the inventory's order."""

    nodes: tuple[Node, ...]
    links: tuple[Link, ...]
    ends: tuple[End, ...]
    beginnings: tuple[Beginning, ...] = ()


def graph(inventory: Inventory, about: ServiceName | None = None, seen: Sequence[Running] | None = None) -> Graph:
    """Return the picture of an inventory, or of one service and those that it is linked with.

    With `seen`, what runs in each environment, a service that does not answer or runs another version than wanted
    fails, and an interface fails that is not provided by what runs, or consumed by it and not provided.
    """
    links = tuple(_in_chains(inventory, _linked(inventory, seen or ())))
    if about is not None:
        links = tuple(one for one in links if about in {one.consumer, one.provider})
    shown = {name for one in links for name in (one.consumer, one.provider)} | {about}
    nodes = tuple(
        _node(service, seen) for name, service in inventory.services.items() if about is None or name in shown
    )
    chains = [chain for chain in inventory.chains if chain.order and (about is None or about == chain.order[-1])]
    ends = tuple(
        End(chain.name, chain.order[-1], environment, chain.sinks[environment])
        for chain in chains
        for environment in inventory.environments
        if environment in chain.sinks
    )
    beginnings = tuple(
        Beginning(chain.name, chain.order[0], chain.source)
        for chain in inventory.chains
        if chain.source and chain.order and about in {None, chain.order[0]}
    )
    return Graph(nodes, links, ends, beginnings)


def _linked(inventory: Inventory, seen: Sequence[Running]) -> Iterator[Link]:
    """Return the links of all services: of each pair one for what holds, and one for what fails."""
    gives: dict[Interface, list[ServiceName]] = {}
    offers: dict[str, list[ServiceName]] = {}
    for name, service in inventory.services.items():
        for interface in service.release(service.wanted).provides:
            gives.setdefault(interface, []).append(name)
        for offer in offered(service):
            offers.setdefault(offer, []).append(name)
    place = {name: number for number, name in enumerate(inventory.services)}
    for service in inventory.services.values():
        found: dict[Link, set[Interface]] = {}
        wanted = service.release(service.wanted).consumes
        for need in wanted | _consumed(service, seen):
            outside = need not in gives and "unprovided" in service.waive
            nobody = need in wanted and need not in gives and not outside
            providers = gives.get(need) or offers.get(need.name) or []
            for provider in providers:
                unmet = nobody or _unmet(service, inventory.services[provider], need, seen)
                found.setdefault(Link(service.name, provider, failing=unmet, outside=outside), set()).add(need)
            if not providers:
                found.setdefault(Link(service.name, None, failing=nobody, outside=outside), set()).add(need)
        for link, needs in sorted(found.items(), key=lambda one: _order(one[0], place)):
            yield replace(link, interfaces=tuple(sorted(needs)))


def _order(link: Link, place: Mapping[ServiceName, int]) -> tuple[int, bool, bool]:
    at = len(place) if link.provider is None else place[link.provider]
    return at, link.failing, link.outside


def _consumed(service: Service, seen: Iterable[Running]) -> frozenset[Interface]:
    runs = {version for running in seen for version in running.versions.get(service.name, ())}
    return frozenset(need for version in runs for need in service.release(version).consumes)


def _unmet(consumer: Service, provider: Service, need: Interface, seen: Iterable[Running]) -> bool:
    """Tell whether an interface is consumed by what runs of one service, and not provided by what runs of another."""
    return any(
        need in consumer.release(takes).consumes and need not in provider.release(gives).provides
        for running in seen
        for takes in running.versions.get(consumer.name, ())
        for gives in running.versions.get(provider.name, ())
    )


def _in_chains(inventory: Inventory, links: Iterable[Link]) -> Iterator[Link]:
    """Mark the links along which chains go, and add the steps of chains that are no interface."""
    steps: dict[tuple[ServiceName, ServiceName], list[str]] = {}
    for chain in inventory.chains:
        for step in pairwise(chain.order):
            steps.setdefault(step, []).append(chain.name)
    taken: set[tuple[ServiceName, ServiceName]] = set()
    for link in links:
        along: list[str] = []
        if link.provider is not None:
            ways = ((link.consumer, link.provider), (link.provider, link.consumer))
            taken.update(ways)
            along = [chain for step in ways for chain in steps.get(step, ())]
        yield replace(link, chains=tuple(along))
    known = inventory.services
    for (one, other), chains in steps.items():
        if (one, other) not in taken and one in known and other in known:
            yield Link(one, other, chains=tuple(chains))


def _node(service: Service, seen: Sequence[Running] | None) -> Node:
    told = []
    failing = False
    for running in seen or ():
        if not service.within(running.environment):
            continue
        versions = sorted(running.versions.get(service.name, ()))
        silent = running.unsure(service.name)
        words = ", ".join([*versions, *(["no answer"] if silent else [])])
        told.append(f"{running.environment}: {words}")
        failing = failing or silent or versions != [service.wanted]
    return Node(service, tuple(told), failing)
