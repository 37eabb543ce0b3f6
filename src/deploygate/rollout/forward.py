"""The way forward: what events mean from the lock to the last instance that passed."""

from msgspec.structs import replace

from deploygate.endings import Ending
from deploygate.events import LockHeld, LockTaken, Trouble
from deploygate.inventory import BackKind
from deploygate.names import InstanceName
from deploygate.plan import Move, forward_rule
from deploygate.probe import Health
from deploygate.rollout.back import halted, take_back
from deploygate.rollout.settling import mark_stuck
from deploygate.rollout.state import Cause, Outcome, Rollout, Standing, Track, stand
from deploygate.rollout.table import Phase, Turn
from deploygate.rollout.traffic import no_traffic
from deploygate.verdict import CannotTell, Fail, Pass, Tally, judge, still_good
from deploygate.wording import seconds


def locking(rollout: Rollout, event: LockTaken | LockHeld) -> Outcome:
    """Go on with the lock, or leave with nothing touched."""
    if isinstance(event, LockTaken):
        return Turn.GRANTED, replace(rollout, took_over=event.over)
    cause = Cause(f"{event.by} holds the lock")
    return Turn.HELD, replace(rollout, ending=Ending.LOCKED, cause=cause, lost=True)


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
            says = f"{move.instance} has fallen ill since the plan was made: {_ailment(rollout.tracks[move.instance])}"
        else:
            continue
        return Turn.TROUBLE, replace(rollout, ending=Ending.REFUSED, cause=Cause(says, move.instance))
    return Turn.DONE, rollout


def ready(rollout: Rollout) -> Outcome:
    """Look round before the next instance is touched, and once more after the last."""
    ill = _regressed(rollout)
    if ill:
        return _failed(rollout, tuple(ill), next(iter(ill.values())))
    move = rollout.current
    late = rollout.now - rollout.since >= rollout.plan.watch.deadline
    if late and rollout.hindered_in is rollout.phase:
        return _blocked(rollout, Cause(rollout.hindered))
    if move is None:
        return _last_round(rollout)
    if late and (never := tuple(name for name in rollout.standing(Standing.PROVEN) if _waits(rollout.tracks[name]))):
        within = seconds(rollout.plan.watch.deadline)
        says = f"was not healthy for long enough, within {within}, to be put back into the balancer"
        return _failed(rollout, never, says)
    if not late or next_group(rollout):
        return Turn.AGAIN, rollout
    floor = rollout.plan.floors.get(move.environment, 0)
    serving = rollout.spare(move.environment) + floor
    return _blocked(
        rollout, Cause(f"only {serving} serve in {move.environment}, and the floor is {floor}", move.instance)
    )


def _waits(track: Track) -> bool:
    """Tell whether an instance that an earlier run left out of the balancer has yet to pass before it is put back."""
    return track.out and not track.holds


def drained(rollout: Rollout, troubles: tuple[Trouble, ...]) -> Outcome:
    """Go on to the change, or to the way back where the balancer does not let an instance go."""
    if not troubles:
        return Turn.DRAINED, rollout
    return _blocked(rollout, Cause(f"can't be taken out of the balancer: {troubles[0].says}", troubles[0].instance))


def restored(rollout: Rollout, troubles: tuple[Trouble, ...]) -> Outcome:
    """Go on, after the last one with a new round of looks; what could not be put back is tried again."""
    if troubles:
        return Turn.AGAIN, rollout
    return Turn.RESTORED, rollout if rollout.current else replace(rollout, since=rollout.now)


def _blocked(rollout: Rollout, cause: Cause) -> Outcome:
    """Take back what was changed, or leave where nothing was, or where it is not the gate's to take back."""
    rollout = take_back(replace(rollout, cause=rollout.cause or cause))
    if rollout.plan.one_way and (rollout.queue or rollout.changed):
        return halted(rollout)
    if rollout.queue:
        return Turn.BLOCKED, rollout
    return Turn.TROUBLE, replace(rollout, ending=Ending.ROLLED_BACK if rollout.changed else Ending.REFUSED)


def next_group(rollout: Rollout) -> tuple[Move, ...]:
    """Return what may be changed next: of the next wave, as many as the floor can spare, in their order.

    One that serves nobody costs nothing; one that was drained for this has been counted already.
    """
    move = rollout.current
    if move is None:
        return ()
    spare = rollout.spare(move.environment)
    group: list[Move] = []
    for one in rollout.plan.moves[rollout.cursor :]:
        track = rollout.tracks[one.instance]
        well = track.seen is not None and track.seen.health is Health.HEALTHY
        short = spare < 1 if track.serving else spare < 0 and track.out and well
        if one.together != move.together or short:
            break
        spare -= 1 if track.serving else 0
        group.append(one)
    return tuple(group)


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
        track = rollout.tracks[ours[0]]
        said = track.tally.says if track.tally else ""
        return _failed(rollout, ours, f"did not stay healthy: {said or _ailment(track)}")
    cause = Cause(f"was not touched, and is not well: {_ailment(rollout.tracks[doubts[0]])}", doubts[0])
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
        return track.holds and not no_traffic(track)
    if track.standing is Standing.OLD:
        healthy = track.seen.health is Health.HEALTHY and not no_traffic(track)
        return healthy and track.seen.running == rollout.plan.version
    return True


def _ailment(track: Track) -> str:
    """Say what is wrong with an instance that was not changed."""
    if track.seen is None:
        return "no answer"
    idle = "the balancer sends it nothing" if no_traffic(track) else f"it runs {track.seen.running or 'what it hides'}"
    return track.seen.says or (idle if track.seen.health is Health.HEALTHY else track.seen.health.value)


def _last_deadline(rollout: Rollout) -> float:
    return rollout.plan.watch.deadline + max((move.bake for move in rollout.plan.way_back), default=0.0)


def switched(rollout: Rollout, troubles: tuple[Trouble, ...]) -> Outcome:
    """Begin to watch the instances, or contain those whose process could not even be changed."""
    tracks = dict(rollout.tracks)
    group = next_group(rollout)
    for move in group:
        tracks[move.instance] = replace(
            tracks[move.instance],
            standing=Standing.UNPROVEN,
            rule=forward_rule(rollout.plan, move),
            tally=Tally(started=rollout.now),
            fresh=None,
        )
    rollout = replace(rollout, tracks=tracks, changed=True, cursor=rollout.cursor + len(group))
    if not troubles:
        return Turn.SWITCHED, rollout
    return _failed(rollout, tuple(trouble.instance for trouble in troubles), troubles[0].says)


def watching(rollout: Rollout) -> Outcome:
    """Judge the instances that were switched, and all that were before them."""
    again = _regressed(rollout)
    if again:
        return _failed(rollout, tuple(again), next(iter(again.values())))
    ill: dict[InstanceName, str] = {}
    for name in rollout.standing(Standing.UNPROVEN):
        track = rollout.tracks[name]
        if track.tally is None or track.rule is None:
            continue
        match judge(track.tally, track.rule, rollout.now):
            case Pass():
                rollout = stand(rollout, (name,), Standing.PROVEN)
            case Fail(says) | CannotTell(says):
                ill[name] = says
            case _:
                pass
    if ill:
        return _failed(rollout, tuple(ill), next(iter(ill.values())))
    if rollout.standing(Standing.UNPROVEN):
        return Turn.AGAIN, rollout
    if rollout.failing:  # of the same wave, and the policy is to halt
        return Turn.HALTED, replace(rollout, ending=Ending.MIXED)
    return Turn.PASSED, rollout


def _regressed(rollout: Rollout) -> dict[InstanceName, str]:
    """Return those that had passed and are ill again, with what is wrong with each."""
    ill: dict[InstanceName, str] = {}
    for name, track in rollout.tracks.items():
        if track.standing is Standing.PROVEN and track.tally and track.rule and track.tally.bad:
            verdict = still_good(track.tally, track.rule, rollout.now)
            if isinstance(verdict, Fail):
                ill[name] = verdict.says
    return ill


def _failed(rollout: Rollout, failing: tuple[InstanceName, ...], says: str) -> Outcome:
    """Contain what failed; where nobody may take it back, leave it, let the rest of its wave pass, and halt."""
    rollout = _containing(rollout, failing, says)
    if rollout.plan.back is not BackKind.FORBIDDEN:
        return Turn.FAILED, rollout
    rollout = mark_stuck(rollout, tuple(Trouble(name, "its way back is forbidden") for name in failing))
    if not rollout.standing(Standing.UNPROVEN):
        return halted(rollout)
    return (Turn.SWITCHED if rollout.phase is Phase.READY else Turn.AGAIN), rollout


def _containing(rollout: Rollout, failing: tuple[InstanceName, ...], says: str) -> Rollout:
    return replace(
        rollout,
        failing=failing,
        failures=rollout.failures + len(failing),
        cause=rollout.cause or Cause(says, failing[0], verdict=True),
    )
