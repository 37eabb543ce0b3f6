"""How the way back ends: who is stuck, which ending that makes, and the last look that the ending is held against."""

from msgspec.structs import replace

from deploygate.endings import Ending, Goal
from deploygate.events import Trouble
from deploygate.rollout.state import Cause, Outcome, Rollout, Standing, Track
from deploygate.rollout.table import Turn
from deploygate.rollout.traffic import no_traffic, restore
from deploygate.verdict import fault


def closing(rollout: Rollout) -> Outcome:
    """Put back what is out, once; hold "rolled back" against the last look: a claim that is not seen is not made."""
    if restore(rollout):
        return Turn.AGAIN, rollout
    if rollout.ending is not Ending.ROLLED_BACK:
        return Turn.DONE, rollout
    doubts = [
        (name, doubt)
        for name, track in rollout.tracks.items()
        if track.standing is Standing.BACK and (doubt := _doubt(track))
    ]
    if not doubts:
        return Turn.DONE, rollout
    if rollout.looks + 1 < rollout.plan.watch.fails:
        return Turn.AGAIN, rollout
    name, says = doubts[0]
    rollout = mark_stuck(rollout, (Trouble(name, f"at the last look: {says}"),))
    return Turn.DONE, settle(rollout)


def put_back(rollout: Rollout, troubles: tuple[Trouble, ...]) -> Outcome:
    """Note who is in the balancer again at the end; what was taken back and is sent no traffic is stuck."""
    stuck = tuple(one for one in troubles if rollout.tracks[one.instance].standing is Standing.BACK)
    if rollout.ending in {Ending.ROLLED_BACK, Ending.ALREADY_THERE} and stuck:
        return Turn.RESTORED, settle(mark_stuck(rollout, stuck))
    return Turn.RESTORED, rollout


def settle(rollout: Rollout) -> Rollout:
    """Name the ending, now that every instance is back, or known not to be."""
    stuck = rollout.standing(Standing.STUCK)
    if stuck and rollout.plan.goal is Goal.RESTORE:
        return replace(rollout, ending=Ending.CANNOT_TELL, cause=Cause(rollout.tracks[stuck[0]].stuck, stuck[0]))
    if stuck:
        cause = rollout.cause or Cause(rollout.tracks[stuck[0]].stuck, stuck[0])
        return replace(rollout, ending=Ending.ROLLBACK_FAILED, cause=cause)
    untouched = rollout.plan.goal is not Goal.DEPLOY and not rollout.changed
    return replace(rollout, ending=Ending.ALREADY_THERE if untouched else Ending.ROLLED_BACK, debts=())


def mark_stuck(rollout: Rollout, troubles: tuple[Trouble, ...]) -> Rollout:
    """Note which instances can't be taken back, and why; nothing waits for them any more."""
    says = {trouble.instance: trouble.says for trouble in troubles}
    tracks = {
        name: replace(track, standing=Standing.STUCK, stuck=says[name]) if name in says else track
        for name, track in rollout.tracks.items()
    }
    return replace(rollout, tracks=tracks, queue=tuple(name for name in rollout.queue if name not in says))


def _doubt(track: Track) -> str:
    """Say why an instance that was taken back is not as it was, or nothing."""
    says = fault(track.rule, track.seen)[0] if track.rule and track.seen else ""
    gone = track.rule is not None and track.rule.version is None
    return says or ("the balancer sends it nothing" if no_traffic(track) and not gone else "")
