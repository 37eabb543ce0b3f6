"""Rules about balancers: they stand before instances, and two services do not write one file."""

from collections.abc import Iterator

from deploygate.document import Document
from deploygate.inventory import Inventory, Service
from deploygate.rules.complaint import Complaint
from deploygate.ways import Nginx


def idle_balancer(inventory: Inventory, document: Document) -> Iterator[Complaint]:
    """Find balancers in environments where their service has no instance."""
    for name, service in inventory.services.items():
        for index, environment in enumerate(service.balancer.environments if service.balancer else ()):
            if environment in inventory.environments and not any(
                one.environment == environment for one in service.instances
            ):
                yield Complaint(
                    "idle-balancer",
                    document.value("services", name, "balancer", "environments", index),
                    f"the balancer of {name} stands in {environment}, where {name} has no instance",
                    "Say with `environments` where the balancer stands, or take it out.",
                    name,
                )


def same_file(inventory: Inventory, document: Document) -> Iterator[Complaint]:
    """Find two services for which the gate would write one file of one nginx."""
    seen: dict[tuple[str, str], Service] = {}
    for name, service in inventory.services.items():
        by = service.balancer.by if service.balancer else None
        if not isinstance(by, Nginx):
            continue
        others = [seen[by.file, host] for host in by.hosts or ("",) if (by.file, host) in seen]
        if others:
            yield Complaint(
                "same-file",
                document.value("services", name, "balancer", "nginx", "file"),
                f"the balancer of {name} has the file {by.file} of {others[0].name}, at {others[0].where}",
                "Give each service a file of its own: else one takes the other's upstream out.",
                name,
            )
        for host in by.hosts or ("",):
            seen.setdefault((by.file, host), service)
