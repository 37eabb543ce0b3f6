"""Rules about interfaces: what is needed must be there."""

from collections.abc import Iterator

from deploygate.document import Document
from deploygate.inventory import Inventory
from deploygate.rules.complaint import Complaint
from deploygate.wording import plain


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
                document.value("services", name, "consumes", interface.name),
                f"{name} consumes {interface}, and no service provides it"
                + (f"; provided is {plain(', '.join(near[:100]))}" if near else ""),
                "Consume a version that is provided, or provide this one; for an interface from outside of the "
                "inventory, write so: `waive: {unprovided: ...}`.",
                name,
            )
