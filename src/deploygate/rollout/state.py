"""A rollout as a value: the phase, what is known of each instance, and how it is going to end."""

from enum import StrEnum

import msgspec

from deploygate.endings import Ending, Goal
from deploygate.names import Environment, InstanceName
from deploygate.plan import Move, Plan, forward_rule
from deploygate.probe import Health, Sighting
from deploygate.rollout.table import Phase, Turn
from deploygate.verdict import Rule, Tally, holds


class Standing(StrEnum):
    """How far one instance has come."""

    OLD = "old"  # not touched
    UNPROVEN = "unproven"  # switched, and watched
    PROVEN = "proven"  # passed, and watched on
    RETURNING = "returning"  # switched back, and not verified yet
    BACK = "back"  # verified at its old version
    STUCK = "stuck"  # could not be taken back


class Track(msgspec.Struct, frozen=True):
    """What is known of one instance. `fresh` is the identity of the process that this run started there.

    `out` says that a gate took it out of the balancer and has not put it back, `drained` that it was this run, and
    `apart` that somebody else had.
    """

    environment: Environment
    standing: Standing = Standing.OLD
    move: Move | None = None
    seen: Sighting | None = None
    rule: Rule | None = None
    tally: Tally | None = None
    fresh: str | None = None
    stuck: str = ""  # why it could not be taken back
    out: bool = False
    drained: bool = False
    apart: bool = False

    @property
    def serving(self) -> bool:
        """Whether the last answer was a healthy one, of whatever version, and no balancer says that it is out."""
        if self.seen is None or self.out:
            return False
        return self.seen.health is Health.HEALTHY and self.seen.in_service is not False

    @property
    def holds(self) -> bool:
        """Whether the answers up to now are enough for a pass."""
        return self.tally is not None and self.rule is not None and holds(self.tally, self.rule)


class Cause(msgspec.Struct, frozen=True):
    """Why a run did not end as it was asked to: the first reason, in one line."""

    says: str
    instance: InstanceName | None = None
    verdict: bool = False  # an instance was seen to be bad, so the version is


class Rollout(msgspec.Struct, frozen=True):
    """The state after some events; `replay` gives the same one from the same events.

    `failing` are being contained; `queue` are still to be taken back, in that order; `batch` are being
    verified. `cursor` counts the moves that were begun. `since` is when the phase began, `looks` how many looks it
    has had, and `claimed` when the way back began. `hindered` is what a balancer said last that could not be done,
    with the phase and the time; `lost`, that another run has the lock; `stopped`, that
    somebody wants it to end.
    """

    plan: Plan
    phase: Phase
    tracks: dict[InstanceName, Track]
    cursor: int = 0
    failing: tuple[InstanceName, ...] = ()
    queue: tuple[InstanceName, ...] = ()
    batch: tuple[InstanceName, ...] = ()
    debts: tuple[InstanceName, ...] = ()
    failures: int = 0
    changed: bool = False
    ending: Ending | None = None
    cause: Cause | None = None
    raised: str = ""
    took_over: str = ""
    now: float = 0.0
    since: float = 0.0
    looks: int = 0
    claimed: float = 0.0
    hindered: str = ""
    hindered_in: Phase | None = None
    hindered_at: float = 0.0
    lost: bool = False
    stopped: bool = False

    @property
    def current(self) -> Move | None:
        """The move that comes next; None when all were begun."""
        return self.plan.moves[self.cursor] if self.cursor < len(self.plan.moves) else None

    def standing(self, *which: Standing) -> tuple[InstanceName, ...]:
        """Return the instances of these standings, in the fleet's order."""
        return tuple(name for name, track in self.tracks.items() if track.standing in which)

    def spare(self, environment: Environment) -> int:
        """Return how many healthy instances of an environment may be taken out of service now."""
        serving = sum(1 for track in self.tracks.values() if track.serving and track.environment == environment)
        return serving - self.plan.floors.get(environment, 0)


Outcome = tuple[Turn, Rollout]


def stand(rollout: Rollout, names: tuple[InstanceName, ...], standing: Standing) -> Rollout:
    """Return the rollout with these instances at another standing."""
    changed = {name: msgspec.structs.replace(rollout.tracks[name], standing=standing) for name in names}
    return msgspec.structs.replace(rollout, tracks={**rollout.tracks, **changed})


def start(plan: Plan, baseline: tuple[Sighting, ...]) -> Rollout:
    """Return the rollout before its first event; `baseline` is the observation that the plan was made from."""
    seen = {sighting.instance: sighting for sighting in baseline}
    moves = {move.instance: move for move in plan.moves}
    held = {move.instance: move for move in plan.held}
    now = max((sighting.at for sighting in baseline), default=0.0)
    tracks: dict[InstanceName, Track] = {}
    for name, environment in plan.instances.items():
        first = seen.get(name)
        track = Track(
            environment,
            seen=first,
            move=moves.get(name) or held.get(name),
            out=name in plan.out,
            apart=name in plan.apart,
        )
        if name in held:
            rule = forward_rule(plan, held[name])
            track = msgspec.structs.replace(
                track,
                standing=Standing.PROVEN,
                rule=rule,
                tally=Tally(started=now, ever_good=True),
            )
        tracks[name] = track
    back = plan.goal is not Goal.DEPLOY
    return Rollout(
        plan=plan,
        phase=Phase.CLAIMING if back else Phase.LOCKING,
        tracks=tracks,
        queue=tuple(move.instance for move in plan.way_back) if back else (),
        now=now,
        since=now,
    )
