"""Rules about drivers: what they are told fits together."""

from collections.abc import Iterator

from deploygate.document import Document
from deploygate.inventory import Inventory
from deploygate.rules.complaint import Complaint
from deploygate.ways import KillStart, Programs
from deploygate.wording import quoted


def absolute_root(inventory: Inventory, document: Document) -> Iterator[Complaint]:
    """Find relative folders on other machines, where nobody can say to what they are relative."""
    for name, service in inventory.services.items():
        way = service.deploy
        if isinstance(way, KillStart) and way.ssh and not way.root.startswith("/"):
            yield Complaint(
                "absolute-root",
                document.value("services", name, "deploy", "killstart", "root"),
                f"{name} is deployed over ssh, and its root {quoted(way.root)} is relative",
                "Write the folder as the hosts know it, from the slash on: what a relative one is relative to "
                "is on this machine.",
                name,
            )


def host_without_ssh(inventory: Inventory, document: Document) -> Iterator[Complaint]:
    """Find instances on another machine of services that are killed and started on this one."""
    for name, service in inventory.services.items():
        if not isinstance(service.deploy, KillStart) or service.deploy.ssh:
            continue
        for environment in dict.fromkeys(one.environment for one in service.instances):
            for index, one in enumerate(service.within(environment)):
                if one.on:
                    yield Complaint(
                        "host-without-ssh",
                        document.value("services", name, "instances", environment, index, "host"),
                        f"{one.name} of {name} is on {one.on}, and without ssh {name} is killed and started "
                        "on this machine",
                        "Add `ssh: {}` to `killstart`, or take `host` out.",
                        name,
                    )


def timeout_grace(inventory: Inventory, document: Document) -> Iterator[Complaint]:
    """Find programs of which stopping may use up all the time, so that none is left for a start."""
    for name, service in inventory.services.items():
        way = service.deploy
        if isinstance(way, Programs) and way.timeout <= way.grace:
            yield Complaint(
                "timeout-grace",
                document.value("services", name, "deploy", "command", "timeout"),
                f"the programs of {name} may take {way.timeout:g} s, and stopping alone {way.grace:g} s",
                "Let `timeout` be above `grace`: what stopping leaves of it is the time of a start.",
                name,
            )
