"""Interfaces that change in place: what two releases give the same version is not the same thing."""

from collections.abc import Iterator
from typing import NamedTuple

from deploygate.findings import Finding
from deploygate.inventory import Interface, Inventory, Release, Service
from deploygate.names import Version

ADVICE = "Give what has changed a version of its own, and provide both for as long as the old one is consumed."


class Contradiction(NamedTuple):
    """One version of an interface to which a release gives another digest than an earlier listed one."""

    interface: Interface
    release: Version
    first: Version


def contradictions(service: Service) -> Iterator[Contradiction]:
    """Find interfaces to which the releases of a service give different digests."""
    seen: dict[Interface, tuple[str, Version]] = {}
    for release in service.listed:
        for interface in sorted(release.digests):
            digest, first = seen.setdefault(interface, (release.digests[interface], release.version))
            if digest != release.digests[interface]:
                yield Contradiction(interface, release.version, first)


def changed_in_place(before: Inventory, after: Inventory) -> tuple[Finding, ...]:
    """Find interfaces to which an edit gives another digest than they had, under the same version."""
    return tuple(
        Finding(
            "changed-in-place",
            service.where,
            f"{name} {release.version} changes {interface} in place: it has another digest than before",
            ADVICE,
        )
        for name, service in after.services.items()
        if name in before.services
        for release, interface in _changed(before.services[name], service)
    )


def _changed(before: Service, after: Service) -> Iterator[tuple[Release, Interface]]:
    known = {interface: digest for release in before.listed for interface, digest in release.digests.items()}
    told: set[Interface] = set()
    for release in after.listed:
        for interface in sorted(release.digests.keys() - told):
            if known.get(interface, release.digests[interface]) != release.digests[interface]:
                told.add(interface)
                yield release, interface
