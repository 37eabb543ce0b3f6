"""Rules about what shares a machine: a root folder is one service's there, and a unit of systemd one instance's."""

from collections.abc import Iterator

from deploygate.document import Document
from deploygate.inventory import Instance, Inventory, Service
from deploygate.rules.complaint import Complaint
from deploygate.rules.instances import machine
from deploygate.ways import KillStart
from deploygate.wording import quoted

_Machine = tuple[str, int | None, str | None]


def same_root(inventory: Inventory, document: Document) -> Iterator[Complaint]:
    """Find services whose releases would lie in one folder of one machine."""
    seen: dict[tuple[_Machine, str], Service] = {}
    for name, service in inventory.services.items():
        way = service.deploy
        if not isinstance(way, KillStart):
            continue
        places = dict.fromkeys((_there(way, one), _folder(way.root)) for one in service.instances)
        others = [seen[place] for place in places if place in seen]
        if others:
            yield Complaint(
                "same-root",
                document.value("services", name, "deploy", "killstart", "root"),
                f"{name} has the root {quoted(way.root)} of {others[0].name} on the same machine, at {others[0].where}",
                "Give each service a root of its own: in one folder a version is one release, "
                "and the records of instances, the lease and what is kept are one service's.",
                name,
            )
        for place in places:
            seen.setdefault(place, service)


def same_unit(inventory: Inventory, document: Document) -> Iterator[Complaint]:
    """Find instances that are one unit of one systemd, so that whoever stops one stops the other."""
    seen: dict[tuple[_Machine, str | None, str], tuple[Service, Instance]] = {}
    for name, service in inventory.services.items():
        way = service.deploy
        table = document.root["services"][name]["deploy"].get("killstart", {}).get("systemd")
        if table is None or not isinstance(way, KillStart):
            continue
        whose = (way.ssh.user if way.ssh else "") if table.get("scope") == "user" else None
        for one in service.instances:
            unit = _unit(table["unit"], service, one)
            place = _there(way, one), f"user {whose}" if whose is not None else None, unit
            if place in seen:
                other, first = seen[place]
                yield Complaint(
                    "same-unit",
                    one.where,
                    f"{one.name} of {name} has the unit {unit} of {first.name} of {other.name} on the same machine, "
                    f"at {first.where}",
                    "Put `{instance}` or `{port}` into `unit`, as in `adcaster-{port}@{version}.service`: "
                    "else to stop one is to stop both.",
                    name,
                )
            seen.setdefault(place, (service, one))


def _there(way: KillStart, one: Instance) -> _Machine:
    """Return what is known of a machine; another port, or another way to it, may lead to another one."""
    return (machine(one).host, way.ssh.port, way.ssh.jump) if way.ssh else ("", None, None)


def _folder(root: str) -> str:
    """Return a folder as it is spelt without what says nothing."""
    return ("/" if root.startswith("/") else "") + "/".join(part for part in root.split("/") if part not in {"", "."})


def _unit(unit: str, service: Service, one: Instance) -> str:
    """Return the unit of an instance, of whichever version."""
    told = {"service": service.name, "instance": one.name, "environment": one.environment, "port": str(one.port)}
    for key, value in told.items():
        unit = unit.replace(f"{{{key}}}", value)
    return unit
