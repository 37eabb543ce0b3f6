"""Rules about probes: a check that cannot fail, or cannot pass, is no check."""

from collections.abc import Iterator

from deploygate.document import Document
from deploygate.inventory import Inventory
from deploygate.probe import Convention
from deploygate.rules.complaint import Complaint


def min_healthy(inventory: Inventory, document: Document) -> Iterator[Complaint]:
    """Find services that must be healthy for as long as their deadline, or longer."""
    for name, service in inventory.services.items():
        health = service.health
        if health.min_healthy >= health.deadline:
            yield Complaint(
                "min-healthy",
                document.value("services", name, "health", "min_healthy"),
                f"{name} must be healthy for {health.min_healthy:g} s, and its deadline is at {health.deadline:g} s",
                "Shorten `min_healthy`, or lengthen `deadline`: as it stands, no instance can ever pass.",
                name,
            )


def never_passes(inventory: Inventory, document: Document) -> Iterator[Complaint]:
    """Find services whose deadline comes before as many answers as a pass takes."""
    for name, service in inventory.services.items():
        health = service.health
        least = (health.passes - 1) * health.interval
        if least >= health.deadline:
            yield Complaint(
                "never-passes",
                document.value("services", name, "health", "passes"),
                f"{health.passes} answers of {name}, {health.interval:g} s apart, take {least:g} s, "
                f"and its deadline is at {health.deadline:g} s",
                "Ask for fewer `passes`, ask more often, or lengthen `deadline`.",
                name,
            )


def probe_timeout(inventory: Inventory, document: Document) -> Iterator[Complaint]:
    """Find probes that wait so long for one answer that the interval loses its sense."""
    for name, service in inventory.services.items():
        health = service.health
        if health.timeout > max(10.0, 5 * health.interval) or health.timeout >= health.deadline:
            yield Complaint(
                "probe-timeout",
                document.value("services", name, "health", "timeout"),
                f"{name} may take {health.timeout:g} s for one answer; it is asked every {health.interval:g} s, "
                f"and its deadline is at {health.deadline:g} s",
                "Let `timeout` be below `deadline`, and at most 10 s or five intervals.",
                name,
            )


def health_expect(inventory: Inventory, document: Document) -> Iterator[Complaint]:
    """Find health that is read but compared with nothing, and expectations that nothing is compared with."""
    for name, service in inventory.services.items():
        conventional = isinstance(service.health.reads, Convention)
        if conventional and service.health.expect:
            yield Complaint(
                "health-expect",
                document.key("services", name, "health", "expect"),
                f"{name} expects values, but its health is judged by the convention {service.health.reads}",
                "Take `expect` out, or say with json, header, text or regex where the value is read.",
                name,
            )
        if not conventional and not service.health.expect:
            yield Complaint(
                "health-expect",
                document.key("services", name, "health"),
                f"a value is read from the health of {name}, and nothing is expected of it",
                'Say which values mean healthy: `expect: ["ok"]`.',
                name,
            )
