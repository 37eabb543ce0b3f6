"""What is asked of the gate, and what it found out before it plans."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from deploygate.endings import Goal
from deploygate.interfaces import Running
from deploygate.inventory import Service
from deploygate.names import Environment, InstanceName, RunId, Version
from deploygate.past import Past
from deploygate.probe import Sighting

WAIVABLE = {
    "baseline": "the instances that do not answer well before the start are rolled all the same",
    "balancer": "the balancer does not answer, so what it sends to whom is not known",
    "bad-version": "a version that failed before is tried again",
    "way-back": "there is no proven way back",
    "unfinished": "the run that was cut off before is left as it is",
    "superseded": "a newer run of the workflow has deployed another version since, and this one goes back",
    "interface-lost": "a running neighbour loses an interface that it consumes",
    "interface-missing": "an interface that this version consumes is not provided",
}


@dataclass(frozen=True, slots=True)
class Wish:
    """What was asked for. `environment` is the last one to go to (or, on the way back, the only one).

    `waived` has a reason for each rule that is not to refuse; `of_run` is the deploy to be undone, `raised` says
    that this deploy raises it itself, having proven its way back before it began. `reason` is
    a person's, in one line.
    """

    service: Service
    version: Version | None
    environment: Environment | None = None
    waived: Mapping[str, str] = field(default_factory=dict)
    goal: Goal = Goal.DEPLOY
    of_run: RunId | None = None
    raised: bool = False
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Known:
    """What was found out: a sighting of each instance, what runs beside it, and what earlier runs left.

    `drained` are out of the balancer in the way in which a gate takes out, whether a run on record did it or not.
    `github_run` is the run of a workflow that asks, where one does; it keeps its number when it is run again.
    """

    seen: Mapping[InstanceName, Sighting]
    running: tuple[Running, ...]
    past: Past
    drained: frozenset[InstanceName] = frozenset()
    github_run: int | None = None
