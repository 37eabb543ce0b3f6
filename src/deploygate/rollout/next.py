"""What to do next, from the state alone: one action, or None when the run has ended."""

from typing import assert_never

from deploygate.endings import Goal
from deploygate.events import (
    Action,
    Change,
    Look,
    Prove,
    Prune,
    RaiseRollback,
    ReleaseLock,
    Stage,
    Start,
    Switch,
    TakeLock,
)
from deploygate.names import Environment, InstanceName, Version
from deploygate.plan import RAISING, Move, Plan, undo_seconds
from deploygate.rollout.back import next_batch
from deploygate.rollout.forward import next_group, unsettled
from deploygate.rollout.state import Rollout, Standing
from deploygate.rollout.table import Phase
from deploygate.rollout.traffic import drain, restore
from deploygate.verdict import Waiting, judge, pause

_AT_ONCE = 256  # how many instances that are due are asked in one look
_BESIDE = 8  # how many, where looks follow each other quickly and none may hold up the next
_QUICK = 0.05  # seconds
_FRESH = 0.5  # seconds that an answer may be old when the floor is counted, in environments of up to
_SMALL = 16  # so many instances; in larger ones it is the interval


def next_action(rollout: Rollout) -> Action | None:  # noqa: C901, PLR0911, PLR0912 - one line a phase
    """Return the one action that the state asks for."""
    plan = rollout.plan
    match rollout.phase:
        case Phase.LOCKING:
            return TakeLock(plan.goal, tuple(plan.instances), plan.worst)
        case Phase.STAGING:
            return Stage(tuple(Start(move.instance, move.to) for move in plan.moves))
        case Phase.PROVING:
            return Prove(_both_ways(rollout), unchanged=True)
        case Phase.CONFIRMING:
            return _look(rollout, tuple(rollout.tracks))
        case Phase.READY:
            return _ready(rollout)
        case Phase.WATCHING:
            return _watch(rollout)
        case Phase.CONTAINING:
            return drain(rollout, rollout.failing) or _back(rollout, rollout.failing)
        case Phase.CHECKING:
            return _look(rollout, rollout.standing(Standing.RETURNING, Standing.UNPROVEN))
        case Phase.RAISING:
            reason = rollout.cause.says if rollout.cause else ""
            return restore(rollout) or RaiseRollback(reason, RAISING + _undo_seconds(plan))
        case Phase.CLAIMING:
            whom = tuple(move.instance for move in plan.way_back) if plan.raised else tuple(plan.instances)
            rank = Goal.RESTORE if plan.goal is Goal.RESTORE else Goal.ROLLBACK
            return TakeLock(rank, whom, max(plan.worst, _undo_seconds(plan)))
        case Phase.PROVING_BACK:
            starts = [] if plan.goal is Goal.RESTORE else _queued(rollout)
            return Prove(tuple(Start(move.instance, move.was) for move in starts if move.was), unchanged=False)
        case Phase.UNDOING:
            return restore(rollout) or _undo(rollout)
        case Phase.VERIFYING:
            return _look(rollout, rollout.batch)
        case Phase.CLOSING:
            put_back = restore(rollout) if rollout.looks else None  # who is out is seen first, then believed
            return put_back or _look(rollout, tuple(rollout.tracks))
        case Phase.PRUNING:
            ways = {move.was for move in plan.way_back if move.was}
            return Prune(
                tuple(move.instance for move in plan.way_back), tuple(sorted(ways | {plan.version, *plan.keep}))
            )
        case Phase.UNLOCKING:
            return ReleaseLock(tuple(plan.instances))
        case Phase.ENDED:
            return None
        case _:
            assert_never(rollout.phase)


def _ready(rollout: Rollout) -> Action:
    """Put back who has passed; look at who is due or doubtful; switch when nobody is and the floor allows it."""
    put_back = restore(rollout)
    if put_back:
        return put_back
    move = rollout.current
    if move is None:
        return _look(rollout, unsettled(rollout))
    doubtful = tuple(name for name in rollout.standing(Standing.PROVEN) if _doubtful(rollout, name))
    if doubtful:
        return _look(rollout, doubtful)
    group = next_group(rollout)
    if not group:
        within = tuple(name for name, track in rollout.tracks.items() if track.environment == move.environment)
        return _look(rollout, within)
    stale = _stale(rollout, move.environment) if not rollout.looks else ()  # once: slow looks are always stale
    if stale:
        return Look(stale, rollout.now)
    return drain(rollout, tuple(one.instance for one in group)) or _forward(rollout, group)


def _forward(rollout: Rollout, group: tuple[Move, ...]) -> Switch:
    changes = []
    for move in group:
        seen = rollout.tracks[move.instance].seen
        changes.append(Change(move.instance, stop=_version(seen.running) if seen else None, start=move.to))
    return Switch(tuple(changes))


def _undo(rollout: Rollout) -> Action:
    """Look at who was not seen yet since the way back began; then change the next ones back, out of the balancer."""
    if rollout.plan.goal is Goal.RESTORE:
        return _look(rollout, rollout.queue)
    concerned = (*rollout.queue, *rollout.standing(Standing.BACK))
    stale = tuple(name for name in concerned if not _seen_since(rollout, name, rollout.claimed))
    if stale:
        return _look(rollout, stale)
    batch = next_batch(rollout)
    return drain(rollout, batch) or _back(rollout, batch)


def _undo_seconds(plan: Plan) -> float:
    bound = {"grace": plan.watch.grace, "deadline": plan.watch.deadline, "drain": plan.drain}
    return undo_seconds(len(plan.way_back), **bound, back_in=plan.back_in)


def _watch(rollout: Rollout) -> Action:
    """Look at the switched instances, and at those of the others that are due."""
    watched = rollout.standing(Standing.UNPROVEN)
    wait = pause(rollout.looks, rollout.plan.watch.interval) if rollout.looks else 0.0
    for name in watched:
        track = rollout.tracks[name]
        verdict = judge(track.tally, track.rule, rollout.now) if track.tally and track.rule else None
        if isinstance(verdict, Waiting):
            wait = max(0.0, min(wait, verdict.until - rollout.now))
    doubtful = tuple(name for name in rollout.standing(Standing.PROVEN) if _doubtful(rollout, name))
    due = _due(rollout, _BESIDE if wait < _QUICK else _AT_ONCE)
    others = tuple(name for name in due if name not in watched and name not in doubtful)
    return Look((*watched, *doubtful, *others), rollout.now + wait)


def _look(rollout: Rollout, names: tuple[InstanceName, ...]) -> Look:
    wait = pause(rollout.looks, rollout.plan.watch.interval) if rollout.looks else 0.0
    return Look(names, rollout.now + wait)


def _back(rollout: Rollout, names: tuple[InstanceName, ...]) -> Switch:
    changes = []
    for name in names:
        track = rollout.tracks[name]
        running = track.seen.running if track.seen else None
        was = track.move.was if track.move else None
        changes.append(Change(name, stop=_version(running), start=was, keep=True))
    return Switch(tuple(changes))


def _stale(rollout: Rollout, environment: Environment) -> tuple[InstanceName, ...]:
    """Return those whose last answer is too old to be counted for the floor, and those that are due anyway."""
    within = [name for name, track in rollout.tracks.items() if track.environment == environment]
    interval = rollout.plan.watch.interval
    age = min(interval, _FRESH) if len(within) <= _SMALL else interval
    old = [name for name in within if not _seen_since(rollout, name, rollout.now - age)]
    return tuple(dict.fromkeys((*old, *_due(rollout, _BESIDE))))


def _due(rollout: Rollout, at_most: int) -> tuple[InstanceName, ...]:
    """Return those whose last answer is older than the interval, the oldest first."""
    interval = rollout.plan.watch.interval
    late = [
        (track.seen.at if track.seen else 0.0, name)
        for name, track in rollout.tracks.items()
        if track.seen is None or track.seen.at <= rollout.now - interval
    ]
    return tuple(name for _, name in sorted(late)[:at_most])


def _doubtful(rollout: Rollout, name: InstanceName) -> bool:
    """Tell whether an updated instance was last seen ill, or has yet to pass before it may have traffic again."""
    track = rollout.tracks[name]
    return (track.tally is not None and track.tally.bad > 0) or (track.out and not track.holds)


def _version(text: str | None) -> Version | None:
    return Version(text) if text else None


def _seen_since(rollout: Rollout, name: InstanceName, when: float) -> bool:
    seen = rollout.tracks[name].seen
    return seen is not None and seen.at >= when


def _queued(rollout: Rollout) -> tuple[Move, ...]:
    return tuple(track.move for name in rollout.queue if (track := rollout.tracks[name]).move)


def _both_ways(rollout: Rollout) -> tuple[Start, ...]:
    """Return what must be startable before the first change: the new release, and every way back."""
    forward = [Start(move.instance, move.to) for move in rollout.plan.moves]
    if "way-back" in rollout.plan.waived:
        return tuple(forward)
    return (*forward, *(Start(move.instance, move.was) for move in rollout.plan.way_back if move.was))
