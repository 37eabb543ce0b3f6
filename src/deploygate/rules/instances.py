"""Rules about instances: each one is asked for itself, and there are enough of them."""

from collections.abc import Iterator

from deploygate.address import Endpoint, endpoint
from deploygate.document import Document
from deploygate.inventory import Instance, Inventory, Service
from deploygate.names import PARALLEL_CHAIN, PRODUCTION, InstanceName
from deploygate.rules.complaint import Complaint
from deploygate.wording import plain


def same_name(inventory: Inventory, _document: Document) -> Iterator[Complaint]:
    """Find two instances of one service with the same name."""
    for name, service in inventory.services.items():
        seen: dict[InstanceName, Instance] = {}
        for one in service.instances:
            if one.name in seen:
                yield Complaint(
                    "same-name",
                    one.where,
                    f"{name} has two instances named {one.name}; the other is at {seen[one.name].where}",
                    "Give each instance a name of its own, in all environments together.",
                    name,
                )
            seen.setdefault(one.name, one)


def same_address(inventory: Inventory, _document: Document) -> Iterator[Complaint]:
    """Find addresses that two instances share, however they are spelt."""
    seen: dict[Endpoint, tuple[Service, Instance]] = {}
    for name, service in inventory.services.items():
        for one in service.instances:
            there = endpoint(one.address)
            if there in seen:
                other, first = seen[there]
                yield Complaint(
                    "same-address",
                    one.where,
                    f"{one.name} of {name} has the address {there} of {first.name} of {other.name}, at {first.where}",
                    "Give each instance its own address, never a load balancer's: "
                    "else one answers for the other, and a version check proves nothing.",
                    name,
                )
            seen.setdefault(there, (service, one))


def shared_address(inventory: Inventory, _document: Document) -> Iterator[Complaint]:
    """Find instances that are asked at an address that several of them answer at."""
    shared = {endpoint(service.address): name for name, service in inventory.services.items() if service.address}
    for name, service in inventory.services.items() if shared else ():
        for one in service.instances:
            there = endpoint(one.address)
            if there in shared:
                yield Complaint(
                    "shared-address",
                    one.where,
                    f"{one.name} of {name} has the address {there}, which is the shared one of {shared[there]}",
                    "Give the instance's own address: at a shared one any instance answers, "
                    "and a check of health or version proves nothing.",
                    name,
                )


def unknown_environment(inventory: Inventory, document: Document) -> Iterator[Complaint]:
    """Find instances, balancers and sinks in environments that are not listed."""
    known = plain(", ".join(inventory.environments))
    advice = f"The environments are {known}; add it to `environments`, in the order of promotion."
    for name, service in inventory.services.items():
        for environment in dict.fromkeys(one.environment for one in service.instances):
            if environment not in inventory.environments:
                where = document.key("services", name, "instances", environment)
                says = f"{name} has instances in the unknown environment {environment}"
                yield Complaint("unknown-environment", where, says, advice, name)
        for index, stands in enumerate(service.balancer.environments if service.balancer else ()):
            if stands not in inventory.environments:
                where = document.value("services", name, "balancer", "environments", index)
                says = f"the balancer of {name} stands in the unknown environment {stands}"
                yield Complaint("unknown-environment", where, says, advice, name)
    for chain in inventory.chains:
        for environment in chain.sinks:
            if environment not in inventory.environments:
                where = document.key("chains", chain.name, "sinks", environment)
                says = f"the chain {chain.name} has a sink in the unknown environment {environment}"
                yield Complaint("unknown-environment", where, says, advice)


def production_last(inventory: Inventory, document: Document) -> Iterator[Complaint]:
    """Find an order of promotion that does not end in production."""
    if inventory.environments[-1:] != (PRODUCTION,):
        yield Complaint(
            "production-last",
            document.key("environments"),
            "the last of the environments must be production",
            "List them in the order of promotion: `environments: [parallel-chain, production]`.",
        )


def single_instance(inventory: Inventory, document: Document) -> Iterator[Complaint]:
    """Find services with one production instance: while it is replaced, nobody serves."""
    for name, service in inventory.services.items():
        if len(service.within(PRODUCTION)) == 1:
            yield Complaint(
                "single-instance",
                document.key("services", name, "instances", PRODUCTION),
                f"{name} has a single production instance; while it is replaced, nobody serves",
                "Add a second one, or write why that is fine: `waive: {single-instance: ...}`.",
                name,
            )


def no_twin(inventory: Inventory, document: Document) -> Iterator[Complaint]:
    """Find production services that the parallel chain has no copy of."""
    for name, service in inventory.services.items():
        if service.within(PRODUCTION) and not service.within(PARALLEL_CHAIN):
            yield Complaint(
                "no-twin",
                document.key("services", name, "instances"),
                f"{name} is in production, and has no twin in the parallel chain",
                "Add an instance under `parallel-chain`, or write why not: `waive: {no-twin: ...}`.",
                name,
            )


def floor(inventory: Inventory, document: Document) -> Iterator[Complaint]:
    """Find services that may never have an instance out, and so can never be rolled."""
    for name, service in inventory.services.items():
        serving, least = len(service.within(PRODUCTION)), service.rollout.floor
        if serving and least is not None and least >= serving:
            yield Complaint(
                "floor",
                document.value("services", name, "rollout", "floor"),
                f"{least} instances of {name} must keep serving, and it has {serving} in production",
                "Lower `floor` below the number of production instances, or add instances.",
                name,
            )


def shared_host(inventory: Inventory, document: Document) -> Iterator[Complaint]:
    """Find services that one host takes down as a whole; loopback is somebody's trial fleet, and passed over."""
    for name, service in inventory.services.items():
        machines = [machine(one) for one in service.within(PRODUCTION)]
        if len(machines) > 1 and len(set(machines)) == 1 and not machines[0].is_loopback:
            yield Complaint(
                "shared-host",
                document.key("services", name, "instances", PRODUCTION),
                f"all production instances of {name} are on the host {machines[0].host}",
                "Put one on another host, or write why that is fine: `waive: {shared-host: ...}`.",
                name,
            )


def machine(one: Instance) -> Endpoint:
    """Return the machine that an instance runs on: as it is named, or else as it is asked."""
    return Endpoint(one.on.lower() or endpoint(one.address).host, 0)
