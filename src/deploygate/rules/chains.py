"""Rules about chains: a copy of the whole, that ends where it can do no harm."""

from collections.abc import Iterator
from difflib import get_close_matches

from deploygate.address import endpoint
from deploygate.document import Document
from deploygate.inventory import Chain, Inventory
from deploygate.names import PARALLEL_CHAIN, PRODUCTION
from deploygate.rules.complaint import Complaint

_HARMLESS = "Let the parallel chain end in a harmless sink of its own: what it writes must reach nobody."


def unknown_service(inventory: Inventory, document: Document) -> Iterator[Complaint]:
    """Find chains that name a service that is not in the inventory."""
    known = document.root["services"]
    for chain in inventory.chains:
        for index, name in enumerate(chain.order):
            if name not in known:
                near = get_close_matches(name, known, n=1)
                yield Complaint(
                    "unknown-service",
                    document.value("chains", chain.name, "order", index),
                    f"the chain {chain.name} names the unknown service {name}",
                    f"Did you mean `{near[0]}`?" if near else "Add the service, or take it out of the chain.",
                )


def chain_source(inventory: Inventory, document: Document) -> Iterator[Complaint]:
    """Find chains of which nobody says what they are fed with."""
    for chain in inventory.chains:
        if not chain.source:
            yield Complaint(
                "chain-source",
                document.key("chains", chain.name),
                f"the chain {chain.name} does not say where its data comes from",
                "Say it in a sentence: `source: ...`. A copy that is not fed with real input proves nothing.",
            )


def chain_sink(inventory: Inventory, document: Document) -> Iterator[Complaint]:
    """Find chains whose copy ends in production, or that do not say where they end."""
    for chain in inventory.chains:
        missing = [one for one in (PARALLEL_CHAIN, PRODUCTION) if one not in chain.sinks]
        for environment in missing:
            yield Complaint(
                "chain-sink",
                document.key("chains", chain.name, "sinks"),
                f"the chain {chain.name} does not say where it ends in {environment}",
                _HARMLESS,
            )
        if not missing:
            yield from _ends_in_production(inventory, document, chain)


def _ends_in_production(inventory: Inventory, document: Document, chain: Chain) -> Iterator[Complaint]:
    where = document.value("chains", chain.name, "sinks", PARALLEL_CHAIN)
    sink = endpoint(chain.sinks[PARALLEL_CHAIN])
    if sink == endpoint(chain.sinks[PRODUCTION]):
        yield Complaint(
            "chain-sink",
            where,
            f"the parallel chain of {chain.name} ends in production's sink, {sink}",
            _HARMLESS,
        )
    for name, service in inventory.services.items():
        if service.address and endpoint(service.address) == sink:
            yield Complaint(
                "chain-sink",
                where,
                f"the parallel chain of {chain.name} ends in production: {sink} is the shared address of {name}",
                _HARMLESS,
            )
        for one in service.within(PRODUCTION):
            if endpoint(one.address) == sink:
                yield Complaint(
                    "chain-sink",
                    where,
                    f"the parallel chain of {chain.name} ends in production: {sink} is {one.name} of {name}",
                    _HARMLESS,
                )
