"""What a run finds out before it plans: the service's instances, what runs beside it, and the past."""

import difflib
import re
from collections.abc import Mapping, Sequence

from deploygate.adapters.schemas import schema
from deploygate.cli.wiring import Gate
from deploygate.endings import Ending
from deploygate.errors import GateError
from deploygate.interfaces import Running, neighbours
from deploygate.inventory import Inventory, Service
from deploygate.names import Environment, ServiceName, Version
from deploygate.past import Past
from deploygate.perform import look_at
from deploygate.probe import Sighting
from deploygate.wish import Known
from deploygate.wording import quoted


def service_named(inventory: Inventory, name: str) -> Service:
    """Return a service by its name.

    Raises:
        GateError: What is not in the inventory cannot be deployed.
    """
    found = inventory.services.get(ServiceName(name))
    if found is None:
        near = difflib.get_close_matches(name, inventory.services, n=1)
        hint = f"Did you mean {near[0]}?" if near else f"There are: {', '.join(list(inventory.services)[:12])}."
        raise GateError(f"there is no service {name} in the inventory", help=hint)
    return found


def environment_named(inventory: Inventory, name: str | None) -> Environment | None:
    """Return an environment by its name, or None for all.

    Raises:
        GateError: The inventory has no such environment.
    """
    if name is None or name in inventory.environments:
        return Environment(name) if name else None
    listed = ", ".join(inventory.environments)
    raise GateError(f"there is no environment {name}", help=f"The inventory has: {listed}.", ending=Ending.USAGE_ERROR)


def version_named(text: str | None) -> Version | None:
    """Return a version as it was asked for, or None where none was.

    Raises:
        GateError: It could not be the name of a release's folder.
    """
    if not text:
        return None
    shape = schema()["$defs"]["version"]
    if not re.search(shape["pattern"], text):
        raise GateError(f"{quoted(text)} is not a version", help=shape["description"])
    return Version(text)


def find_out(gate: Gate, service: Service) -> Known:
    """Observe every instance of a service and of its neighbours, and read what earlier runs left.

    Raises:
        GateError: A plug-in that deploys one of them, or balances it, can't be had.
    """
    gate.parts.make([service])
    seen = look_at(gate.world, service, [one.name for one in service.instances])
    return Known(
        seen={sighting.instance: sighting for sighting in seen.sightings},
        running=running_now(gate, neighbours(gate.inventory, service)),
        past=Past(gate.journal.past(service.name)),
        drained=gate.parts.drained(service),
        github_run=gate.github_run,
    )


def running_now(gate: Gate, names: Sequence[ServiceName]) -> tuple[Running, ...]:
    """Ask the instances of services what they run, and return it by environment.

    Raises:
        GateError: A plug-in that deploys one of them, or balances it, can't be had.
    """
    services = [gate.inventory.services[name] for name in names]
    gate.parts.make(services)
    answers = {
        one.name: look_at(gate.world, one, [each.name for each in one.instances], in_passing=True).sightings
        for one in services
    }
    return tuple(_running(gate.inventory, environment, answers) for environment in gate.inventory.environments)


def _running(
    inventory: Inventory, environment: Environment, answers: Mapping[ServiceName, Sequence[Sighting]]
) -> Running:
    """Return what the answers of services tell of one environment; who has no instance there is not in it."""
    versions: dict[ServiceName, frozenset[Version]] = {}
    silent: set[ServiceName] = set()
    for name, sightings in answers.items():
        names = {one.name for one in inventory.services[name].within(environment)}
        told = [one.running for one in sightings if one.instance in names and one.alive is not False]
        if names:
            versions[name] = frozenset(Version(version) for version in told if version)
        if None in told:
            silent.add(name)
    return Running(environment, versions, frozenset(silent))
