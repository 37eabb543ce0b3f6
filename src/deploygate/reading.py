"""A document of the right shape becomes an Inventory, once; after that nothing is text that was meant as more."""

from collections.abc import Iterator, Mapping
from typing import Any

from deploygate.address import tidy
from deploygate.deploying import balancing, driver, seconds
from deploygate.document import Document, Path, Table
from deploygate.findings import Where
from deploygate.inventory import (
    BackKind,
    Chain,
    Instance,
    Interface,
    Inventory,
    OnFailure,
    Owners,
    Release,
    Rollout,
    Service,
    Wave,
    WayBack,
)
from deploygate.names import Environment, InstanceName, ServiceName, Version
from deploygate.probe import Convention, Header, HealthProbe, JsonPointer, Pattern, Reader, TextBody, VersionProbe
from deploygate.values import READERS, sound

_TIMES = ("interval", "timeout", "min_healthy", "deadline")


def read(document: Document, broken: frozenset[Path]) -> Inventory:
    """Return the inventory without the services, chains and defaults that are broken."""
    defaults = sound(document, broken, "defaults")
    limits = sound(document, broken, "limits")
    given = {"job_limit": seconds(limits["job"])} if "job" in limits else {}
    environments = () if any(path[0] == "environments" for path in broken) else document.root["environments"]
    return Inventory(
        environments=tuple(Environment(one) for one in environments),
        services={
            ServiceName(name): _service(ServiceName(name), table, defaults, document.key("services", name))
            for name, table in sound(document, broken, "services").items()
        },
        chains=tuple(
            _chain(name, table, document.key("chains", name))
            for name, table in sound(document, broken, "chains").items()
        ),
        folder=document.folder,
        people=dict(sound(document, broken, "people")),
        **given,
    )


def _service(name: ServiceName, table: Table, defaults: Table, where: Where) -> Service:
    provides = _interfaces(table.get("provides", {}))
    consumes = _interfaces(table.get("consumes", {}))
    digests = _digests(table.get("provides", {}))
    health = _health(_layered(defaults.get("health", {}), table.get("health", {})))
    return Service(
        name=name,
        purpose=" ".join(table["purpose"].split()),
        owners=Owners(**{role: person.strip() for role, person in table["owners"].items()}),
        wanted=Version(table["version"]),
        provides=provides,
        consumes=consumes,
        releases={
            Version(version): Release(
                Version(version),
                _interfaces(release["provides"]) if "provides" in release else provides,
                _interfaces(release["consumes"]) if "consumes" in release else consumes,
                _digests(release["provides"]) if "provides" in release else digests,
                _way_back(release),
            )
            for version, release in table.get("releases", {}).items()
        },
        deploy=driver(table["deploy"]),
        instances=tuple(_instances(table["instances"])),
        artifact=table.get("artifact"),
        address=tidy(table["address"]) if "address" in table else "",
        health=health,
        version=_version(_layered(defaults.get("version", {}), table.get("version_probe", {})), health),
        rollout=_rollout({**defaults.get("rollout", {}), **table.get("rollout", {})}),
        balancer=balancing(table["balancer"]) if "balancer" in table else None,
        digests=digests,
        waive={rule: " ".join(reason.split()) for rule, reason in table.get("waive", {}).items()},
        where=where,
    )


def _interfaces(table: Mapping[str, str | list[str | Table]]) -> frozenset[Interface]:
    return frozenset(
        Interface(name, one if isinstance(one, str) else one["version"])
        for name, versions in table.items()
        for one in ([versions] if isinstance(versions, str) else versions)
    )


def _digests(table: Mapping[str, str | list[str | Table]]) -> dict[Interface, str]:
    return {
        Interface(name, one["version"]): one["digest"]
        for name, versions in table.items()
        for one in versions
        if isinstance(one, dict) and "digest" in one
    }


def _way_back(release: Table) -> WayBack:
    return WayBack(BackKind(release.get("rollback", BackKind.ALLOWED)), " ".join(release.get("reason", "").split()))


def _instances(table: Mapping[str, Any]) -> Iterator[Instance]:
    for environment, instances in table.items():
        for index, one in enumerate(instances):
            where = Where(*instances.values_at[index])
            yield Instance(
                InstanceName(one["name"]), Environment(environment), tidy(one["address"]), where, one.get("host", "")
            )


def _layered(default: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """Put a service's keys over the defaults; its own way of reading replaces the default's as a whole."""
    replaced = (*READERS, "expect") if any(one in own for one in READERS) else ()
    return {key: value for key, value in default.items() if key not in replaced} | dict(own)


def _reads(table: Mapping[str, Any]) -> dict[str, Convention | Reader]:
    match next((one for one in READERS if one in table), None):
        case "convention":
            return {"reads": Convention(table["convention"])}
        case "json":
            return {"reads": JsonPointer(table["json"])}
        case "header":
            return {"reads": Header(table["header"])}
        case "text":
            return {"reads": TextBody()}
        case "regex":
            return {"reads": Pattern(table["regex"])}
        case _:
            return {}


def _health(table: Mapping[str, Any]) -> HealthProbe:
    given: dict[str, Any] = {**_reads(table)}
    given |= {key: seconds(table[key]) for key in _TIMES if key in table}
    given |= {key: int(table[key]) for key in ("passes", "fails") if key in table}
    given |= {key: table[key] for key in ("path",) if key in table}
    return HealthProbe(**given, expect=tuple(table.get("expect", ())))


def _version(table: Mapping[str, Any], health: HealthProbe) -> VersionProbe:
    """Read a version probe; without a reader of its own, one answer for both is read by health's convention."""
    given: dict[str, Any] = {**_reads(table)}
    if not given and isinstance(health.reads, Convention) and table.get("path") == health.path:
        given["reads"] = health.reads
    match table.get("identity"):
        case {"json": pointer}:
            given["identity"] = JsonPointer(pointer)
        case {"header": name}:
            given["identity"] = Header(name)
    given |= {key: table[key] for key in ("path",) if key in table}
    return VersionProbe(**given)


def _rollout(table: Mapping[str, Any]) -> Rollout:
    given: dict[str, Any] = {key: int(table[key]) for key in ("failure_budget", "floor") if key in table}
    if "bake" in table:
        given["bake"] = seconds(table["bake"])
    if "on_failure" in table:
        given["on_failure"] = OnFailure(table["on_failure"])
    if "waves" in table:
        given["waves"] = tuple(_wave(one) for one in table["waves"])
    return Rollout(**given)


def _wave(written: int | str) -> Wave:
    if isinstance(written, str):
        return Wave(int(written.removesuffix("%")), percent=True)
    return Wave(written)


def _chain(name: str, table: Mapping[str, Any], where: Where) -> Chain:
    return Chain(
        name=name,
        order=tuple(ServiceName(one) for one in table["order"]),
        sinks={Environment(one): tidy(sink) for one, sink in table["sinks"].items()},
        source=" ".join(table.get("source", "").split()),
        where=where,
    )
