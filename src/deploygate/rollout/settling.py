"""How the way back ends: who is stuck, which ending that makes, and the last look that the ending is held against."""

from msgspec.structs import replace

from deploygate.endings import Ending, Goal
from deploygate.events import Trouble
from deploygate.names import InstanceName
from deploygate.probe import Health
from deploygate.rollout.state import Cause, Outcome, Rollout, Standing, Track
from deploygate.rollout.table import Turn
from deploygate.rollout.traffic import CLAIMS, at_the_end, no_traffic, restore
from deploygate.verdict import fault


def closing(rollout: Rollout) -> Outcome:
    """Put back what is out, and hold the ending against the last look: a claim that is not seen is not made.

    What its balancer does not take in yet is waited for, until the deadline of the watch.
    """
    if restore(rollout):
        return Turn.AGAIN, rollout
    if rollout.ending not in CLAIMS:
        return Turn.DONE, rollout
    doubts = {name: doubt for name, track in rollout.tracks.items() if (doubt := _doubt(rollout, name, track))}
    idle = tuple(name for name in rollout.tracks if name not in doubts and _idle(rollout.tracks[name]))
    if not doubts and not idle:
        return Turn.DONE, rollout
    if rollout.looks + 1 < rollout.plan.watch.fails or (not at_the_end(rollout) and _traffic_may_come(rollout)):
        return Turn.AGAIN, rollout
    if doubts:
        rollout = mark_stuck(rollout, tuple(Trouble(name, doubt) for name, doubt in doubts.items()))
        return Turn.DONE, settle(rollout)
    cause = rollout.cause or Cause("was not touched, and the balancer sends it nothing", idle[0])
    return Turn.DONE, replace(rollout, ending=Ending.CANNOT_TELL, cause=cause)


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


def _doubt(rollout: Rollout, name: InstanceName, track: Track) -> str:
    """Say why an instance is not as it was before, by what was seen last, or nothing."""
    seen, version = track.seen, rollout.plan.spared.get(name)
    if track.standing is Standing.BACK:
        says = fault(track.rule, seen)[0] if track.rule and seen else ""
        gone = track.rule is not None and track.rule.version is None
        says = says or (_without_traffic(rollout, name) if no_traffic(track) and not gone else "")
        return f"at the last look: {says}" if says else ""
    if version and seen and seen.running == version:
        return f"at the last look: runs {version}, which is being undone"
    left_out = track.out and track.standing is Standing.OLD
    return f"at the last look: {_without_traffic(rollout, name)}" if left_out else ""


def _without_traffic(rollout: Rollout, name: InstanceName) -> str:
    """Say that an instance is out of the balancer, and why, where the balancer has said that."""
    why = rollout.hindered.removeprefix(f"{name}: ")
    return why if why != rollout.hindered else "the balancer sends it nothing"


def _idle(track: Track) -> bool:
    """Tell whether an instance that was not touched is well, and gets no traffic; by whose doing, nobody knows."""
    return track.standing is Standing.OLD and _well(track) and not track.out and no_traffic(track)


def _well(track: Track) -> bool:
    return track.seen is not None and track.seen.health is Health.HEALTHY


def _traffic_may_come(rollout: Rollout) -> bool:
    """Tell whether nothing but the balancer is waited for, by one that is well."""
    return any(
        no_traffic(track) and _well(track)
        for track in rollout.tracks.values()
        if track.standing in {Standing.BACK, Standing.OLD}
    )
