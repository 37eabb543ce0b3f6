"""One event further: `apply` turns a rollout and an event into the next rollout, and `replay` does so for many."""

from collections.abc import Iterable

from msgspec.structs import replace

from deploygate.endings import Ending
from deploygate.events import (
    Broke,
    Drained,
    Event,
    Interrupted,
    LockHeld,
    LockLost,
    LockReleased,
    LockTaken,
    Proved,
    Pruned,
    Restored,
    RollbackEnded,
    Seen,
    Staged,
    Switched,
)
from deploygate.plan import Plan
from deploygate.probe import Sighting
from deploygate.rollout import back, forward, settling, traffic
from deploygate.rollout.state import Cause, Outcome, Rollout, Standing, start
from deploygate.rollout.table import TABLE, Impossible, Phase, Turn
from deploygate.verdict import add


def replay(plan: Plan, baseline: tuple[Sighting, ...], events: Iterable[Event]) -> Rollout:
    """Return the rollout that these events lead to."""
    rollout = start(plan, baseline)
    for event in events:
        rollout = apply(rollout, event)
    return rollout


def apply(rollout: Rollout, event: Event) -> Rollout:
    """Return the rollout after an event.

    Raises:
        Impossible: The table has no such event in this phase.
    """
    rollout = replace(rollout, now=event.at)
    if isinstance(event, Seen):
        rollout = _noted(rollout, event)
    turn, rollout = _turn(rollout, event)
    phase = TABLE.get((rollout.phase, turn))
    if phase is None:
        raise Impossible(f"{turn.name} while {rollout.phase}")
    if phase is rollout.phase:
        return replace(rollout, looks=rollout.looks + 1 if isinstance(event, Seen) else 0)
    return replace(rollout, phase=phase, since=event.at, looks=0, hindered_in=None)


def _noted(rollout: Rollout, event: Seen) -> Rollout:
    """Write down what was seen, before anything is made of it."""
    tracks = dict(rollout.tracks)
    for seen in event.sightings:
        track = tracks[seen.instance]
        fresh = track.fresh
        if track.standing is Standing.UNPROVEN and track.move and seen.identity != track.move.identity:
            fresh = seen.identity or fresh
        tally = add(track.tally, track.rule, seen) if track.tally and track.rule else track.tally
        out = track.out and seen.in_service is not True  # what is observed counts, not what was believed
        apart = track.apart and seen.in_service is not True
        tracks[seen.instance] = replace(track, seen=seen, fresh=fresh, tally=tally, out=out, apart=apart)
    return replace(rollout, tracks=tracks)


def _turn(rollout: Rollout, event: Event) -> Outcome:  # noqa: C901, PLR0911, PLR0912 - a table, one row a line
    """Say what an event means in this phase."""
    match rollout.phase, event:
        case Phase.CLOSING, LockLost():
            return Turn.AGAIN, replace(rollout, lost=True)
        case Phase.CLOSING, Interrupted():
            return Turn.AGAIN, replace(rollout, stopped=True)
        case _, (Interrupted() | LockLost()) as stop:
            return _stopped(rollout, stop)
        case _, Broke() as defect:
            return _broke(rollout, defect)
        case Phase.LOCKING, (LockTaken() | LockHeld()) as lock:
            return forward.locking(rollout, lock)
        case Phase.STAGING, Staged(troubles=troubles):
            return forward.prepared(rollout, troubles)
        case Phase.PROVING, Proved(troubles=troubles):
            return forward.prepared(rollout, troubles)
        case Phase.CONFIRMING, Seen():
            return forward.confirmed(rollout)
        case Phase.READY, Seen():
            return forward.ready(rollout)
        case Phase.READY, Drained() as out:
            return forward.drained(traffic.drained(rollout, out), out.troubles)
        case Phase.READY, Restored() as put_back:
            return forward.restored(traffic.restored(rollout, put_back), put_back.troubles)
        case ((Phase.CONTAINING | Phase.UNDOING), Drained() as out):
            return Turn.DRAINED, traffic.drained(rollout, out)  # nothing holds up the way back
        case ((Phase.RAISING | Phase.UNDOING), Restored() as put_back):
            return Turn.RESTORED, traffic.restored(rollout, put_back)
        case Phase.CLOSING, Restored() as put_back:
            return Turn.RESTORED, traffic.restored(rollout, put_back)
        case Phase.READY, Switched(troubles=troubles):
            return forward.switched(rollout, troubles)
        case Phase.WATCHING, Seen():
            return forward.watching(rollout)
        case Phase.CONTAINING, Switched(troubles=troubles):
            return back.contained(rollout, troubles)
        case Phase.CHECKING, Seen():
            return back.checking(rollout)
        case Phase.RAISING, RollbackEnded() as end:
            return back.raised(rollout, end)
        case Phase.CLAIMING, (LockTaken() | LockHeld()) as lock:
            return back.claiming(rollout, lock)
        case Phase.PROVING_BACK, Proved(troubles=troubles):
            return back.proved(rollout, troubles)
        case Phase.UNDOING, Seen():
            return back.surveyed(rollout)
        case Phase.UNDOING, Switched(troubles=troubles):
            return back.undone(rollout, troubles)
        case Phase.VERIFYING, Seen():
            return back.verifying(rollout)
        case Phase.CLOSING, Seen():
            return settling.closing(rollout)
        case (Phase.PRUNING, Pruned()) | (Phase.UNLOCKING, LockReleased()):
            return Turn.DONE, rollout
        case _:
            raise Impossible(f"{type(event).__name__} while {rollout.phase}")


def _stopped(rollout: Rollout, event: Interrupted | LockLost) -> Outcome:
    """Leave; where another run has the lock, what was seen may be its doing, and is no verdict on the version."""
    cause = rollout.cause or Cause(event.says) if isinstance(event, Interrupted) else _overtaken(rollout, event)
    lost = isinstance(event, LockLost)
    return Turn.INTERRUPTED, replace(rollout, ending=Ending.INTERRUPTED, cause=cause, lost=lost, stopped=not lost)


def _overtaken(rollout: Rollout, event: LockLost) -> Cause:
    seen = rollout.cause
    before = f"; before that, {seen.instance or 'the run'}: {seen.says}" if seen else ""
    return Cause(f"{event.by} took over the lock{before}")


def _broke(rollout: Rollout, event: Broke) -> Outcome:
    """Meet a defect of the gate or of an adapter: towards the old version, never towards a pass."""
    rollout = replace(rollout, cause=rollout.cause or Cause(f"the gate could not go on: {event.says}"))
    match rollout.phase:
        case Phase.READY | Phase.WATCHING | Phase.CONTAINING | Phase.CHECKING if rollout.plan.one_way:
            return Turn.HALTED, replace(rollout, ending=Ending.INTERNAL_ERROR)
        case Phase.READY | Phase.WATCHING:
            return Turn.BROKE, back.take_back(rollout, with_current=True)
        case Phase.CONTAINING | Phase.CHECKING:
            return Turn.RAISE, back.take_back(rollout)
        case Phase.RAISING:
            return Turn.NOT_RAISED, replace(rollout, raised=event.says)
        case Phase.CLAIMING:
            return Turn.BROKE, replace(rollout, claimed=rollout.now)
        case Phase.PROVING_BACK:
            return Turn.DONE, rollout
        case Phase.UNDOING | Phase.VERIFYING:
            return back.gave_up(rollout, event.says)
        case Phase.CLOSING if rollout.ending in traffic.CLAIMS:
            return Turn.DONE, replace(rollout, ending=Ending.CANNOT_TELL)
        case Phase.CLOSING | Phase.PRUNING | Phase.UNLOCKING:
            return Turn.DONE, rollout
        case _:
            return Turn.BROKE, replace(rollout, ending=Ending.INTERNAL_ERROR)
