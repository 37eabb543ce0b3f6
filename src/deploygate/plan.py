"""What will be done to which instance, in which order, and how each one comes back; a value, made before a start."""

import msgspec

from deploygate.endings import Goal
from deploygate.findings import Finding
from deploygate.inventory import BackKind, OnFailure, Service
from deploygate.names import PRODUCTION, Environment, InstanceName, ServiceName, Version
from deploygate.verdict import Rule


class Move(msgspec.Struct, frozen=True, omit_defaults=True):
    """One instance goes from the version that was observed on it to the version that was asked for.

    `was` is where a rollback returns to (None: nothing ran there), `identity` the process that was observed,
    `bake` the seconds that it must stay healthy beyond the others. Moves of the same `wave` go together.
    """

    instance: InstanceName
    environment: Environment
    to: Version
    was: Version | None = None
    identity: str | None = None
    serving: bool = True
    bake: float = 0.0
    wave: int = 0

    @property
    def together(self) -> tuple[Environment, int]:
        """What the moves that go together have in common."""
        return self.environment, self.wave


class Watch(msgspec.Struct, frozen=True):
    """How answers are judged, for all instances of the service; times in seconds."""

    interval: float
    passes: int
    fails: int
    min_healthy: float
    deadline: float
    grace: float


class Plan(msgspec.Struct, frozen=True, omit_defaults=True):
    """A deploy, or the way back from one.

    `moves` are in deploy order, also on the way back, which takes them from the end. `held` were moved by an
    earlier run that did not finish; they are watched, and taken back with the others. `instances` are all of
    the service in the environments concerned, with the environment of each; `floors` says how many of an
    environment must keep serving, `keep` which releases stay installed besides those of the plan. `expected` and
    `worst` are seconds.

    `balanced` stand behind a balancer, where connections get `drain` seconds to go, and an order to put instances back
    takes `back_in` at the most; an earlier run left `out` out of it, and somebody else `apart`. `raised` is a rollback
    that the deploy `of_run` has raised itself. `reason` is why somebody asked for it, in one line. `back` is what the
    release says of the way back from it. A rollback leaves `spared` alone, since the deploy that it undoes did not
    come to them: each with the version of that deploy.
    """

    goal: Goal
    service: ServiceName
    version: Version
    moves: tuple[Move, ...]
    watch: Watch
    instances: dict[InstanceName, Environment]
    floors: dict[Environment, int]
    held: tuple[Move, ...] = ()
    keep: tuple[Version, ...] = ()
    skipped: tuple[InstanceName, ...] = ()
    on_failure: OnFailure = OnFailure.UNDO
    failure_budget: int = 0
    waived: dict[str, str] = {}
    unprotected: tuple[str, ...] = ()
    expected: float = 0.0
    worst: float = 0.0
    of_run: str = ""
    balanced: tuple[InstanceName, ...] = ()
    drain: float = 0.0
    back_in: float = 0.0
    out: tuple[InstanceName, ...] = ()
    apart: tuple[InstanceName, ...] = ()
    raised: bool = False
    reason: str = ""
    back: BackKind = BackKind.ALLOWED
    spared: dict[InstanceName, Version] = {}

    @property
    def one_way(self) -> bool:
        """Whether the roll halts at a failure, since taking all of it back is not the gate's to do."""
        return self.back is not BackKind.ALLOWED

    @property
    def idle(self) -> bool:
        """Whether there is nothing to be done, nor to be finished."""
        return not (self.moves or self.held or self.out)

    @property
    def way_back(self) -> tuple[Move, ...]:
        """All that would be taken back after a failure at the very end, in that order."""
        return tuple(reversed(self.held + self.moves))


Planned = Plan | tuple[Finding, ...]


def forward_rule(plan: Plan, move: Move) -> Rule:
    """Return what an instance must show after it was updated; a bake lengthens the deadline by itself."""
    watch = plan.watch
    return Rule(
        version=move.to,
        before=move.identity,
        passes=watch.passes,
        fails=watch.fails,
        min_healthy=watch.min_healthy + move.bake,
        deadline=watch.deadline + move.bake,
    )


def back_rule(plan: Plan, move: Move, before: str | None) -> Rule:
    """Return what an instance must show after it was taken back: the same, without any time to wait."""
    watch = plan.watch
    return Rule(
        version=move.was,
        before=before,
        passes=watch.passes,
        fails=watch.fails,
        min_healthy=0.0,
        deadline=watch.deadline,
    )


RAISING = 60.0  # seconds that a rollback may take to be raised, before it takes anything back


def times(watch: Watch, moves: tuple[Move, ...], drain: float = 0.0, back_in: float = 0.0) -> tuple[float, float]:
    """Return the expected and the worst-case seconds of a deploy, `drain` and `back_in` being the balancer's worst."""
    bound = {"grace": watch.grace, "deadline": watch.deadline, "drain": drain, "back_in": back_in}
    bake = sum(move.bake for move in moves)
    waves = len({move.together for move in moves})
    expected = waves * (1.0 + watch.min_healthy) + bake
    return expected, worst_seconds(len(moves), bake=bake, **bound)


def worst_seconds(
    size: int, *, grace: float, deadline: float, bake: float, drain: float = 0.0, back_in: float = 0.0
) -> float:
    """Return the seconds of the longest deploy of `size` instances: every deadline used up, there and back.

    Each instance waits for the floor, is drained, switched, watched and put back; after the last one all are seen
    once more; the rollback is raised, fails at its very end, and is done again in this process.
    """
    if not size:
        return 0.0
    forward = size * (deadline + drain + grace + deadline + back_in) + bake
    last_round = deadline + bake
    undo = undo_seconds(size, grace=grace, deadline=deadline, drain=drain, back_in=back_in)
    return forward + last_round + (grace + deadline) + RAISING + 2 * undo


def undo_seconds(size: int, *, grace: float, deadline: float, drain: float = 0.0, back_in: float = 0.0) -> float:
    """Return the seconds that it takes at the most to take `size` instances back, one after the other.

    Those whom the balancer (where there is one, and so `back_in`) did not take in at once are waited for in the end.
    """
    last = deadline + back_in if back_in else 0.0
    return size * (drain + grace + deadline + back_in) + last


def watch_of(service: Service) -> Watch:
    """Return how the answers of a service are judged."""
    probe = service.health
    return Watch(
        interval=probe.interval,
        passes=probe.passes,
        fails=probe.fails,
        min_healthy=probe.min_healthy,
        deadline=probe.deadline,
        grace=service.switching,
    )


def floors_of(
    service: Service,
    environments: tuple[Environment, ...],
    skipped: tuple[InstanceName, ...] = (),
) -> dict[Environment, int]:
    """Return how many must keep serving: as the inventory says, else all but one of those that take part."""
    floors = {}
    for environment in environments:
        size = sum(1 for one in service.within(environment) if one.name not in skipped)
        floor = service.rollout.floor if environment == PRODUCTION else None
        floors[environment] = max(0, size - 1) if floor is None else floor
    return floors
