"""The way forward: what events mean from the lock to the last instance that passed."""

from msgspec.structs import replace

from deploygate.endings import Ending
from deploygate.events import LockHeld, LockTaken, Trouble
from deploygate.names import InstanceName
from deploygate.plan import forward_rule
from deploygate.rollout.back import take_back
from deploygate.rollout.state import Cause, Outcome, Rollout, Standing, Track, stand
from deploygate.rollout.table import Turn
from deploygate.verdict import CannotTell, Fail, Pass, Tally, holds, judge, still_good


def locking(rollout: Rollout, event: LockTaken | LockHeld) -> Outcome:
    """Go on with the lock, or leave with nothing touched."""
    if isinstance(event, LockTaken):
        return Turn.GRANTED, replace(rollout, took_over=event.over)
    return Turn.HELD, replace(rollout, ending=Ending.LOCKED, cause=Cause(f"{event.by} holds the lock"))


def prepared(rollout: Rollout, troubles: tuple[Trouble, ...]) -> Outcome:
    """Refuse where a release can't be installed, or started, or come back to: nothing was touched yet."""
    if not troubles:
        return Turn.DONE, rollout
    first, *rest = troubles
    says = first.says + (f" (and {len(rest)} more)" if rest else "")
    return Turn.TROUBLE, replace(rollout, ending=Ending.REFUSED, cause=Cause(says, first.instance))


def confirmed(rollout: Rollout) -> Outcome:
    """Refuse where the fleet is not what the plan was made from: somebody else was there before the lock."""
    for move in rollout.plan.moves:
        seen = rollout.tracks[move.instance].seen
        if move.identity and seen and seen.identity and seen.identity != move.identity:
            says = f"{move.instance} was restarted by somebody else since the plan was made"
        elif move.serving and not rollout.tracks[move.instance].serving:
            says = f"{move.instance} has fallen ill since the plan was made: {seen.says if seen else 'no answer'}"
        else:
            continue
        return Turn.TROUBLE, replace(rollout, ending=Ending.REFUSED, cause=Cause(says, move.instance))
    return Turn.DONE, rollout


def ready(rollout: Rollout) -> Outcome:
    """Look round before the next instance is touched, and once more after the last."""
    failed = _regressed(rollout)
    if failed:
        return Turn.FAILED, failed
    move = rollout.current
    if move is None:
        return _last_round(rollout)
    if may_switch(rollout) or rollout.now - rollout.since < rollout.plan.watch.deadline:
        return Turn.AGAIN, rollout
    floor = rollout.plan.floors.get(move.environment, 0)
    serving = rollout.spare(move.environment) + floor
    cause = Cause(f"only {serving} serve in {move.environment}, and the floor is {floor}", move.instance)
    rollout = take_back(replace(rollout, cause=rollout.cause or cause))
    if rollout.queue:
        return Turn.BLOCKED, rollout
    return Turn.TROUBLE, replace(rollout, ending=Ending.ROLLED_BACK if rollout.changed else Ending.REFUSED)


def may_switch(rollout: Rollout) -> bool:
    """Tell whether the next instance may be taken out: it serves nobody, or the floor stays whole without it."""
    move = rollout.current
    if move is None:
        return False
    return not rollout.tracks[move.instance].serving or rollout.spare(move.environment) >= 1


def _last_round(rollout: Rollout) -> Outcome:
    """End well when all instances, at one last look, are as they should be; ill ones do not get away with it."""
    doubts = unsettled(rollout)
    if not doubts:
        ending = Ending.MIXED if rollout.debts or rollout.plan.skipped else Ending.DEPLOYED
        return Turn.ALL_PASSED, replace(rollout, ending=ending)
    if rollout.now - rollout.since < _last_deadline(rollout):
        return Turn.AGAIN, rollout
    ours = tuple(name for name in doubts if rollout.tracks[name].standing is Standing.PROVEN)
    if ours:
        tally = rollout.tracks[ours[0]].tally
        return Turn.FAILED, _containing(rollout, ours, f"did not stay healthy: {tally.says if tally else ''}")
    seen = rollout.tracks[doubts[0]].seen
    cause = Cause(f"was not touched, and is not well: {seen.says if seen else 'no answer'}", doubts[0])
    return Turn.UNTOLD, replace(rollout, ending=Ending.CANNOT_TELL, cause=rollout.cause or cause)


def unsettled(rollout: Rollout) -> tuple[InstanceName, ...]:
    """Return the instances that have not been seen, since the last one passed, to be as they should be.

    An updated one must hold what it showed; one that an earlier run left behind never passed in this one, so here
    it must. One that needed no update must be healthy at the version all the same.
    """
    return tuple(name for name, track in rollout.tracks.items() if not _settled(rollout, track))


def _settled(rollout: Rollout, track: Track) -> bool:
    if track.seen is None or track.seen.at < rollout.since:
        return False
    if track.standing is Standing.PROVEN:
        return track.tally is not None and track.rule is not None and holds(track.tally, track.rule)
    if track.standing is Standing.OLD:
        return track.serving and track.seen.running == rollout.plan.version
    return True


def _last_deadline(rollout: Rollout) -> float:
    return rollout.plan.watch.deadline + max((move.bake for move in rollout.plan.way_back), default=0.0)


def switched(rollout: Rollout, troubles: tuple[Trouble, ...]) -> Outcome:
    """Begin to watch the instance, or contain it where its process could not even be changed."""
    move = rollout.current
    if move is None:
        return Turn.AGAIN, rollout
    track = replace(
        rollout.tracks[move.instance],
        standing=Standing.UNPROVEN,
        rule=forward_rule(rollout.plan, move),
        tally=Tally(started=rollout.now),
        fresh=None,
    )
    rollout = replace(rollout, tracks={**rollout.tracks, move.instance: track}, changed=True)
    if not troubles:
        return Turn.SWITCHED, rollout
    return Turn.FAILED, _containing(rollout, (move.instance,), troubles[0].says)


def watching(rollout: Rollout) -> Outcome:
    """Judge the instance that was switched, and all that were before it."""
    failed = _regressed(rollout)
    if failed:
        return Turn.FAILED, failed
    move = rollout.current
    track = rollout.tracks[move.instance] if move else None
    if move is None or track is None or track.tally is None or track.rule is None:
        return Turn.AGAIN, rollout
    match judge(track.tally, track.rule, rollout.now):
        case Pass():
            passed = stand(rollout, (move.instance,), Standing.PROVEN)
            return Turn.PASSED, replace(passed, cursor=rollout.cursor + 1)
        case Fail(says) | CannotTell(says):
            return Turn.FAILED, _containing(rollout, (move.instance,), says)
        case _:
            return Turn.AGAIN, rollout


def _regressed(rollout: Rollout) -> Rollout | None:
    """Return the rollout that contains those which had passed and are ill again, or None where there are none."""
    ill: dict[InstanceName, str] = {}
    for name, track in rollout.tracks.items():
        if track.standing is Standing.PROVEN and track.tally and track.rule and track.tally.bad:
            verdict = still_good(track.tally, track.rule, rollout.now)
            if isinstance(verdict, Fail):
                ill[name] = verdict.says
    if not ill:
        return None
    return _containing(rollout, tuple(ill), next(iter(ill.values())))


def _containing(rollout: Rollout, failing: tuple[InstanceName, ...], says: str) -> Rollout:
    return replace(
        rollout,
        failing=failing,
        failures=rollout.failures + len(failing),
        cause=rollout.cause or Cause(says, failing[0], verdict=True),
    )
