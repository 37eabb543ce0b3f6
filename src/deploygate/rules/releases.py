"""Rules about releases: one that is not simply left for an older one says why."""

from collections.abc import Iterator

from deploygate.document import Document
from deploygate.inventory import BackKind, Inventory
from deploygate.rules.complaint import Complaint


def rollback_reason(inventory: Inventory, document: Document) -> Iterator[Complaint]:
    """Find releases from which there is no way back, or none without a person, and that do not say why."""
    for name, service in inventory.services.items():
        for version, release in service.releases.items():
            kind = release.rollback.kind
            if kind is not BackKind.ALLOWED and not release.rollback.reason:
                yield Complaint(
                    "rollback-reason",
                    document.value("services", name, "releases", version, "rollback"),
                    f"the way back from {name} {version} is {kind}, and nobody knows why",
                    "Say why, for the one who has to decide at night: `reason: ...`.",
                    name,
                )
