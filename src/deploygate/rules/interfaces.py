"""Rules about interfaces: what is needed is there, and stays what it was."""

from collections.abc import Iterator

from deploygate.digests import ADVICE, contradictions
from deploygate.document import Document
from deploygate.findings import Where
from deploygate.inventory import Inventory, Service
from deploygate.rules.complaint import Complaint


def unprovided(inventory: Inventory, document: Document) -> Iterator[Complaint]:
    """Find interfaces that a service consumes and that none provides, each at the version that is wanted of it."""
    wanted = {name: service.release(service.wanted) for name, service in inventory.services.items()}
    provided = frozenset().union(*(release.provides for release in wanted.values()))
    versions: dict[str, list[str]] = {}
    for interface in sorted(provided):
        versions.setdefault(interface.name, []).append(interface.version)
    for name, release in wanted.items():
        for interface in sorted(release.consumes - provided):
            near = versions.get(interface.name)
            yield Complaint(
                "unprovided",
                _place(document, inventory.services[name], interface.name),
                f"{name} consumes {interface}, and no service provides it"
                + (f"; provided is {', '.join(near)}" if near else ""),
                "Consume a version that is provided, or provide this one; for an interface from outside of the "
                "inventory, write so: `waive: {unprovided: ...}`.",
                name,
            )


def _place(document: Document, service: Service, interface: str) -> Where:
    """Return where it is said what the wanted version consumes: among the releases, or of the service."""
    listed = document.root["services"][service.name].get("releases", {}).get(service.wanted, {})
    inner = ("releases", service.wanted) if "consumes" in listed else ()
    return document.value("services", service.name, *inner, "consumes", interface)


def changed_in_place(inventory: Inventory, document: Document) -> Iterator[Complaint]:
    """Find releases that provide, under the same version, another interface than an earlier one does."""
    for name, service in inventory.services.items():
        for interface, release, first in contradictions(service):
            yield Complaint(
                "changed-in-place",
                document.value("services", name, "releases", release, "provides", interface.name),
                f"{name} {release} changes {interface} in place: it has another digest than in {first}",
                ADVICE,
                name,
            )
