"""What runs where, asked of each instance now, beside what earlier runs left: for the verb and for the Action."""

from collections.abc import Sequence

from deploygate.cli.wiring import Gate
from deploygate.inventory import Service
from deploygate.observation import Observed, observed
from deploygate.past import Past
from deploygate.perform import look_at


def observe(gate: Gate, services: Sequence[Service]) -> list[Observed]:
    """Return a line for each instance of these services.

    Raises:
        GateError: A plug-in that deploys one of them can't be had.
    """
    gate.parts.make(services)
    rows: list[Observed] = []
    for service in services:
        seen = look_at(gate.world, service, [one.name for one in service.instances], in_passing=True).sightings
        rows += observed(service, seen, Past(gate.journal.past(service.name)))
    return rows
