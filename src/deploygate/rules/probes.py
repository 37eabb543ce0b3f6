"""Rules about probes: a check that cannot fail, or cannot pass, is no check."""

import re
from collections.abc import Iterator

from deploygate.document import Document
from deploygate.inventory import Inventory, Service
from deploygate.probe import Convention, Header, Pattern
from deploygate.rules.complaint import Complaint
from deploygate.wording import quoted

_BAD = frozenset({"fail", "failed", "failing", "down", "error", "unhealthy", "critical", "out_of_service", "false"})
_IN_EVERY_ANSWER = frozenset(
    {"connection", "content-length", "content-type", "date", "keep-alive", "transfer-encoding"}
)


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


def blind_probe(inventory: Inventory, document: Document) -> Iterator[Complaint]:
    """Find probes that could not fail: illness is health to them, or every build reads the same."""
    for name, service in inventory.services.items():
        for key, says, advice in _blind(service):
            yield Complaint("blind-probe", document.value("services", name, *key), says, advice, name)


def _blind(service: Service) -> Iterator[tuple[tuple[str, ...], str, str]]:
    """Give the key, what is wrong there, and what to do about it."""
    name, version = service.name, service.version
    for word in service.health.expect:
        if word.lower() in _BAD:
            says = f"{name} is healthy to its probe where it says {quoted(word)}"
            yield ("health", "expect"), says, "Expect only what a healthy instance says."
    if isinstance(version.reads, Pattern) and _is_constant(version.reads.regex):
        says = f"the version probe of {name} reads {quoted(version.reads.regex)} from every build alike"
        yield ("version_probe", "regex"), says, "Let the expression find the build: `regex: 'build ([0-9.]+)'`."
    if isinstance(version.reads, Header) and version.reads.name.lower() in _IN_EVERY_ANSWER:
        says = f"the version probe of {name} reads the header {version.reads.name}, which names no build"
        yield ("version_probe", "header"), says, "Name a header that the service sets to its build."
    if version.identity is not None and version.identity == version.reads:
        says = f"{name} tells its processes apart by their build, so a restart of the same build could not be seen"
        yield (
            ("version_probe", "identity"),
            says,
            "Read what changes with a start there: its time, a boot id.",
        )


def _is_constant(regex: str) -> bool:
    """Tell whether an expression has nothing in it that could match one text or another."""
    return not re.search(r"[\\.*+?\[{|]", re.sub(r"\\[^A-Za-z0-9]", "", regex))
