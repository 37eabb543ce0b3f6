"""Rules about time: what a deploy may take, with the way back."""

from collections.abc import Iterator

from deploygate.document import Document
from deploygate.inventory import Inventory, Service
from deploygate.names import PRODUCTION
from deploygate.plan import worst_seconds
from deploygate.rules.complaint import Complaint


def worst_case(service: Service) -> float:
    """Return the seconds of a service's longest deploy: one instance after the other, and all of it undone."""
    bake = service.rollout.bake if service.within(PRODUCTION) else 0.0
    size, probe = len(service.instances), service.health
    return worst_seconds(size, grace=service.deploy.grace, deadline=probe.deadline, bake=bake)


def stop_grace(inventory: Inventory, document: Document) -> Iterator[Complaint]:
    """Find services that may take longer to stop than an instance may take for all of it."""
    for name, service in inventory.services.items():
        grace, deadline = service.deploy.grace, service.health.deadline
        if grace > deadline:
            yield Complaint(
                "stop-grace",
                document.value("services", name, "deploy", "killstart", "grace"),
                f"{name} may take {grace:g} s to stop, and its instances' deadline is at {deadline:g} s",
                "Shorten `grace`, or lengthen the health probe's `deadline`.",
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
                "Shorten `deadline`, `grace` or `bake`, raise `limits.job`, or waive the rule with a reason.",
                name,
            )
