"""The way back: contain the failed instance, raise the rollback for the rest, or undo it here."""

from msgspec.structs import replace

from deploygate.endings import Ending, Goal
from deploygate.events import LockHeld, LockTaken, RollbackEnded, Trouble
from deploygate.inventory import BackKind, OnFailure
from deploygate.names import Environment, InstanceName, Version
from deploygate.plan import back_rule
from deploygate.rollout.settling import mark_stuck, settle
from deploygate.rollout.state import Cause, Outcome, Rollout, Standing, Track, stand
from deploygate.rollout.table import Phase, Turn
from deploygate.rollout.traffic import back_in
from deploygate.verdict import CannotTell, Fail, Pass, Rule, Tally, fault, judge
from deploygate.wording import seconds


def take_back(rollout: Rollout, *, with_current: bool = False) -> Rollout:
    """Queue all that this run has changed, the last one first; `with_current` adds the wave about to be changed."""
    names = set(rollout.standing(Standing.UNPROVEN, Standing.PROVEN, Standing.RETURNING, Standing.STUCK))
    current = rollout.current
    if with_current and current:
        names |= {move.instance for move in rollout.plan.moves[rollout.cursor :] if move.together == current.together}
    queue = tuple(move.instance for move in rollout.plan.way_back if move.instance in names)
    return replace(rollout, queue=queue)


def contained(rollout: Rollout, troubles: tuple[Trouble, ...]) -> Outcome:
    """Check those that were changed back; where none could be, the rest must come back at once."""
    rollout = replace(_returning(rollout, rollout.failing, troubles), changed=True)
    if any(rollout.tracks[name].standing is Standing.RETURNING for name in rollout.failing):
        return Turn.SWITCHED, rollout
    return halted(rollout) if rollout.plan.one_way else (Turn.RAISE, take_back(rollout))


def halted(rollout: Rollout) -> Outcome:
    """Leave the rest where it is, since the gate is not to take it back, and name what that makes."""
    tried = rollout.plan.back is not BackKind.FORBIDDEN and rollout.standing(Standing.STUCK)
    ending = Ending.ROLLBACK_FAILED if tried else Ending.MIXED
    return Turn.HALTED, replace(rollout, queue=(), ending=ending)


def checking(rollout: Rollout) -> Outcome:
    """Decide what a failure means, once the failed ones are verified at their old version, or are known not to be."""
    rollout = _judged(rollout, rollout.failing)
    standings = {rollout.tracks[name].standing for name in rollout.failing}
    if Standing.RETURNING in standings:
        return Turn.AGAIN, rollout
    failing, rest = rollout.failing, take_back(rollout)
    if Standing.STUCK in standings:
        return halted(rollout) if rollout.plan.one_way else (Turn.RAISE, rest)
    watched = rollout.standing(Standing.UNPROVEN)
    owing = replace(rollout, debts=rollout.debts + failing)
    halts = rollout.plan.on_failure is OnFailure.HALT or rollout.plan.one_way
    if halts and rest.queue:  # the rest of its wave may pass yet
        return (Turn.WATCH_ON, owing) if watched else halted(owing)
    if rollout.failures <= rollout.plan.failure_budget:
        return (Turn.WATCH_ON if watched else Turn.RESUME), replace(owing, failing=())
    if rest.queue:
        return Turn.RAISE, rest
    return Turn.UNDONE, replace(rollout, ending=Ending.ROLLED_BACK, debts=())


def raised(rollout: Rollout, event: RollbackEnded) -> Outcome:
    """Believe a rollback that ended well (the last look will check it); else do it in this process."""
    rollout = replace(rollout, raised=event.says)
    if event.ending not in {Ending.ROLLED_BACK, Ending.ALREADY_THERE}:
        return Turn.NOT_RAISED, rollout
    rollout = back_in(_ruled(rollout, rollout.queue), rollout.queue)
    rollout = stand(rollout, rollout.queue, Standing.BACK)
    return Turn.UNDONE, replace(rollout, queue=(), ending=Ending.ROLLED_BACK, debts=())


def claiming(rollout: Rollout, event: LockTaken | LockHeld) -> Outcome:
    """Take the lock for the way back; only another rollback can be in the way."""
    if isinstance(event, LockTaken):
        return Turn.GRANTED, replace(rollout, took_over=event.over or rollout.took_over, claimed=rollout.now)
    held = f"{event.by} holds the lock"
    if rollout.plan.goal is not Goal.DEPLOY:
        return Turn.HELD, replace(rollout, ending=Ending.LOCKED, cause=Cause(held), lost=True)
    # A rollback that somebody else began does the job: this run neither did it nor failed at it.
    return Turn.HELD, replace(rollout, ending=Ending.INTERRUPTED, raised=f"{rollout.raised}; {held}", lost=True)


def proved(rollout: Rollout, troubles: tuple[Trouble, ...]) -> Outcome:
    """Leave out those whose old release can't be started: their process is not stopped, and the others go on."""
    rollout = mark_stuck(rollout, troubles)
    return (Turn.DONE, rollout) if rollout.queue else (Turn.SETTLED, settle(rollout))


def surveyed(rollout: Rollout) -> Outcome:
    """Verify those that run their old version already, without a restart: what runs is read, not remembered.

    Where traffic is all that is to be put right, the others are waited for: they may be starting yet.
    """
    there = tuple(name for name in rollout.queue if is_back(rollout, name))
    if rollout.plan.goal is Goal.RESTORE and rollout.now >= rollout.claimed + rollout.plan.watch.deadline:
        rollout = mark_stuck(rollout, tuple(_unwell(rollout, name) for name in rollout.queue if name not in there))
    if not rollout.queue:
        return Turn.SETTLED, settle(rollout)
    if not there:
        return Turn.AGAIN, rollout
    rollout = _returning(rollout, there, ())
    queue = tuple(name for name in rollout.queue if name not in there)
    return Turn.FOUND, replace(rollout, batch=there, queue=queue)


def undone(rollout: Rollout, troubles: tuple[Trouble, ...]) -> Outcome:
    """Verify the batch that was changed back."""
    batch = next_batch(rollout)
    rollout = _returning(rollout, batch, troubles)
    batch = tuple(name for name in batch if rollout.tracks[name].standing is Standing.RETURNING)
    rollout = replace(
        rollout,
        batch=batch,
        changed=True,
        queue=tuple(
            name for name in rollout.queue if rollout.tracks[name].standing not in _DECIDED and name not in batch
        ),
    )
    if batch:
        return Turn.SWITCHED, rollout
    return (Turn.AGAIN, rollout) if rollout.queue else (Turn.SETTLED, settle(rollout))


def verifying(rollout: Rollout) -> Outcome:
    """Judge the batch; one that can't be taken back does not stop the others."""
    rollout = _judged(rollout, rollout.batch)
    if any(rollout.tracks[name].standing is Standing.RETURNING for name in rollout.batch):
        return Turn.AGAIN, rollout
    rollout = replace(rollout, batch=())
    return (Turn.DONE, rollout) if rollout.queue else (Turn.SETTLED, settle(rollout))


def gave_up(rollout: Rollout, says: str) -> Outcome:
    """Go on with the others after the gate itself failed at a batch."""
    names = rollout.batch or next_batch(rollout)
    rollout = mark_stuck(replace(rollout, batch=()), tuple(Trouble(name, says) for name in names))
    if not rollout.queue:
        return Turn.SETTLED, settle(rollout)
    return (Turn.DONE if rollout.phase is Phase.VERIFYING else Turn.AGAIN), rollout


def next_batch(rollout: Rollout) -> tuple[InstanceName, ...]:
    """Return those to change back at once: from the head of the queue, as many as the floor allows, one at the least.

    On the way back the floor limits how many go together, and never the way back itself.
    """
    batch: list[InstanceName] = []
    environment: Environment | None = None
    spare = 0
    for name in rollout.queue:
        track = rollout.tracks[name]
        if environment is None:
            environment, spare = track.environment, rollout.spare(track.environment)
        cost = 1 if track.serving else 0
        if track.environment != environment or (batch and cost > spare):
            break
        spare -= cost
        batch.append(name)
    return tuple(batch)


def is_back(rollout: Rollout, name: InstanceName) -> bool:
    """Tell whether an instance was seen, since the way back began, to run its old version well."""
    track = rollout.tracks[name]
    if track.seen is None or track.move is None or track.seen.at < rollout.claimed:
        return False
    return not fault(_rule(rollout, track), track.seen)[0]


_DECIDED = {Standing.BACK, Standing.STUCK}


def _unwell(rollout: Rollout, name: InstanceName) -> Trouble:
    track = rollout.tracks[name]
    says = fault(_rule(rollout, track), track.seen)[0] if track.seen else "not observed"
    within = seconds(rollout.plan.watch.deadline)
    return Trouble(name, f"stays out of the balancer: {says} (until the deadline of {within})")


def _rule(rollout: Rollout, track: Track) -> Rule:
    """Return what an instance must show to be back; the process that must be gone is the new one."""
    if track.move is None:
        raise ValueError("an instance without a move has no way back")
    if rollout.plan.goal is Goal.RESTORE:  # whatever runs there now: what was being started may be there only later
        running = track.seen.running if track.seen else None
        return back_rule(rollout.plan, replace(track.move, was=Version(running) if running else track.move.was), None)
    before = track.fresh
    if before is None and track.seen is not None and track.seen.running != track.move.was:
        before = track.seen.identity
    return back_rule(rollout.plan, track.move, before)


def _ruled(rollout: Rollout, names: tuple[InstanceName, ...]) -> Rollout:
    ruled = {
        name: replace(track, rule=_rule(rollout, track)) for name, track in rollout.tracks.items() if name in names
    }
    return replace(rollout, tracks={**rollout.tracks, **ruled})


def _returning(rollout: Rollout, names: tuple[InstanceName, ...], troubles: tuple[Trouble, ...]) -> Rollout:
    tracks = dict(rollout.tracks)
    began = rollout.claimed if rollout.plan.goal is Goal.RESTORE else rollout.now
    for name in names:
        track = tracks[name]
        tracks[name] = replace(
            track,
            standing=Standing.RETURNING,
            rule=_rule(rollout, track),
            tally=Tally(started=began),
        )
    return mark_stuck(replace(rollout, tracks=tracks), troubles)


def _judged(rollout: Rollout, names: tuple[InstanceName, ...]) -> Rollout:
    for name in names:
        track = rollout.tracks[name]
        if track.standing is not Standing.RETURNING or track.tally is None or track.rule is None:
            continue
        match judge(track.tally, track.rule, rollout.now):
            case Pass():
                rollout = stand(rollout, (name,), Standing.BACK)
            case Fail(says) | CannotTell(says):
                rollout = mark_stuck(rollout, (Trouble(name, says),))
            case _:
                pass
    return rollout
