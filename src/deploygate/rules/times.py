"""Rules about time: what a deploy may take, with the way back."""

from collections.abc import Iterator

from deploygate.document import Document
from deploygate.findings import Where
from deploygate.inventory import Inventory, Service
from deploygate.names import PRODUCTION, ServiceName
from deploygate.plan import worst_seconds
from deploygate.rules.complaint import Complaint
from deploygate.ways import Workflow


def worst_case(service: Service) -> float:
    """Return the seconds of a service's longest deploy: one instance after the other, and all of it undone."""
    return worst_seconds(
        len(service.instances),
        grace=service.switching,
        deadline=service.health.deadline,
        bake=service.rollout.bake if service.within(PRODUCTION) else 0.0,
        drain=service.balancer.drain if service.balancer else 0.0,
        back_in=service.balancer.back_in if service.balancer else 0.0,
    )


def stop_grace(inventory: Inventory, document: Document) -> Iterator[Complaint]:
    """Find services that may take longer to stop than an instance may take for all of it."""
    for name, service in inventory.services.items():
        grace, deadline = service.deploy.grace, service.health.deadline
        if grace > deadline and not isinstance(
            service.deploy, Workflow
        ):  # it stops and starts before the deadline runs
            yield Complaint(
                "stop-grace",
                _grace(document, name),
                f"{name} may take {grace:g} s to stop, and its instances' deadline is at {deadline:g} s",
                "Shorten `grace`, or lengthen the health probe's `deadline`.",
                name,
            )


def drain_time(inventory: Inventory, document: Document) -> Iterator[Complaint]:
    """Find services that may take longer to drain and stop than an instance may take for all of it."""
    for name, service in inventory.services.items():
        drain = service.balancer.drain if service.balancer else 0.0
        grace, deadline = service.deploy.grace, service.health.deadline
        if grace <= deadline < drain + grace and not isinstance(service.deploy, Workflow):
            yield Complaint(
                "drain-time",
                document.value("services", name, "balancer", "drain"),
                f"{name} may take {drain:g} s to drain and {grace:g} s to stop, "
                f"and its instances' deadline is at {deadline:g} s",
                "Shorten `drain` or `grace`, or lengthen the health probe's `deadline`.",
                name,
            )


def job_limit(inventory: Inventory, document: Document) -> Iterator[Complaint]:
    """Find services whose longest deploy and way back do not fit into a job."""
    for name, service in inventory.services.items():
        worst = worst_case(service)
        if worst > inventory.job_limit:
            yield Complaint(
                "job-limit",
                document.key("services", name),
                f"in the worst case {name} takes {worst:g} s there and back, and a job {inventory.job_limit:g} s",
                "Shorten `deadline`, `grace`, `drain` or `bake`, raise `limits.job`, or waive the rule with a reason.",
                name,
            )


def _grace(document: Document, name: ServiceName) -> Where:
    """Return where the time to stop stands, whichever the driver; a service has exactly one."""
    (driver,) = document.root["services"][name]["deploy"]
    return document.value("services", name, "deploy", driver, "grace")
