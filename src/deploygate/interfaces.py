"""May this version run beside these neighbours, forwards and back? The talk's versioned interfaces."""

from collections.abc import Mapping
from dataclasses import dataclass

from deploygate.findings import Finding
from deploygate.inventory import Interface, Inventory, Release, Service
from deploygate.names import Environment, ServiceName, Version


@dataclass(frozen=True, slots=True)
class Running:
    """The versions of each service that were observed in one environment; none where nothing answers."""

    environment: Environment
    versions: Mapping[ServiceName, frozenset[Version]]


def neighbours(inventory: Inventory, service: Service) -> tuple[ServiceName, ...]:
    """Return the services that share an interface with this one, in any version that is listed."""
    ours = {interface.name for release in _listed(service) for interface in release.provides | release.consumes}
    return tuple(
        name
        for name, other in inventory.services.items()
        if name != service.name
        and ours & {interface.name for release in _listed(other) for interface in release.provides | release.consumes}
    )


def clashes(inventory: Inventory, service: Service, version: Version, running: Running) -> tuple[Finding, ...]:
    """Say which running neighbours would lose an interface, or could not give one, while `version` runs.

    During a roll both versions are in service, so callers that are served by some instances only are cut off
    as well: each single instance must provide all that running neighbours consume.
    """
    release = service.release(version)
    found: list[Finding] = []
    for name, versions in running.versions.items():
        for neighbour in sorted(versions):
            theirs = inventory.services[name].release(neighbour)
            found += [
                Finding(
                    "interface-lost",
                    service.where,
                    f"{service.name} {version} does not provide {lost}, which {name} {neighbour} consumes"
                    f" in {running.environment}",
                    f"Deploy a {name} that does without it first, or keep it in {version}.",
                )
                for lost in sorted(_lost(service, release, theirs))
            ]
    for need in sorted(release.consumes):
        givers = [name for name, other in inventory.services.items() if _offers(other, need.name)]
        if not givers or any(not running.versions.get(name) for name in givers):
            continue  # nobody is known to give it at any version, or what runs there can't be told: not this rule
        missing = [
            f"{name} {given}"
            for name in givers
            for given in sorted(running.versions[name])
            if need not in inventory.services[name].release(given).provides
        ]
        if missing:
            says = (
                f"{service.name} {version} consumes {need}, which {', '.join(missing)} in {running.environment} lacks"
            )
            found.append(Finding("interface-missing", service.where, says, f"Deploy a provider of {need} first."))
    return tuple(found)


def _lost(service: Service, release: Release, theirs: Release) -> frozenset[Interface]:
    mine = {interface.name for listed in _listed(service) for interface in listed.provides}
    return frozenset(need for need in theirs.consumes if need.name in mine and need not in release.provides)


def _offers(service: Service, interface: str) -> bool:
    return any(given.name == interface for listed in _listed(service) for given in listed.provides)


def _listed(service: Service) -> tuple[Release, ...]:
    usual = Release(service.wanted, service.provides, service.consumes)  # what every unlisted version is
    return (usual, *service.releases.values())
