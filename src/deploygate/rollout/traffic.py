"""The balancer's part in a rollout: who is taken out before a change, and who is put back after it."""

from msgspec.structs import replace

from deploygate.endings import Ending
from deploygate.events import Drain, Drained, Restore, Restored, Trouble
from deploygate.names import InstanceName
from deploygate.probe import Health
from deploygate.rollout.state import Rollout, Standing, Track
from deploygate.rollout.table import Phase

_CONTAIN = 2.0  # seconds that connections to an instance which is ill may take, at the most
CLAIMS = {Ending.ROLLED_BACK, Ending.ALREADY_THERE}  # endings that say of every instance how it is
_KEPT = {Standing.OLD, Standing.PROVEN, Standing.BACK}


def drain(rollout: Rollout, names: tuple[InstanceName, ...]) -> Drain | None:
    """Return how those of `names` are taken out that the balancer may send traffic to; None where there are none.

    What somebody else has taken out stays his: it is neither drained nor put back. What an earlier run left out is
    drained once more: it may have been killed before the balancer obeyed, or before the connections were gone.
    """
    plan = rollout.plan
    served = tuple(name for name in names if name in plan.balanced and not _without(rollout.tracks[name]))
    patience = min(plan.drain, _CONTAIN) if rollout.phase is Phase.CONTAINING else plan.drain
    return Drain(served, patience) if served else None


def at_the_end(rollout: Rollout) -> bool:
    """Tell whether the last look may take no longer: nothing is waited for beyond the deadline, or after a stop."""
    return rollout.stopped or rollout.lost or rollout.now - rollout.since >= rollout.plan.watch.deadline


def restore(rollout: Rollout) -> Restore | None:
    """Return how those are put back that have been proven, or were left as they were; None where there are none.

    In the middle of a run the ones that are about to be changed stay out, unless the floor is broken without them.
    """
    if rollout.lost or _hindered_now(rollout):
        return None
    leaving = rollout.phase is Phase.CLOSING
    ready = tuple(
        name
        for name, track in rollout.tracks.items()
        if _may_be_out(rollout, track) and (_ready(track) if leaving else _passed(rollout, track))
    )
    pending = _pending(rollout) if ready and not leaving else set()
    names = tuple(name for name in ready if name not in pending)
    return Restore(names) if names else None


def drained(rollout: Rollout, event: Drained) -> Rollout:
    """Note who may be out now; also those that gave trouble, since one of several balancers may have obeyed."""
    rollout = _hindered(rollout, event.troubles)
    return _out(rollout, event.instances, out=True)


def restored(rollout: Rollout, event: Restored) -> Rollout:
    """Note who is in service again; at the end of a run the next order comes later, whatever the balancer says."""
    rollout = _hindered(rollout, event.troubles)
    if rollout.phase is Phase.CLOSING:
        rollout = replace(rollout, hindered_in=Phase.CLOSING, hindered_at=rollout.now)
    failed = {trouble.instance for trouble in event.troubles}
    return _out(rollout, tuple(name for name in event.instances if name not in failed), out=False)


def no_traffic(track: Track) -> bool:
    """Tell whether the balancer sends an instance nothing, where nobody but a gate has taken it out."""
    return not track.apart and (track.out or (track.seen is not None and track.seen.in_service is False))


def back_in(rollout: Rollout, names: tuple[InstanceName, ...]) -> Rollout:
    """Believe that a rollback has put them back which ended well; what is seen next counts more."""
    tracks = {name: replace(track, out=track.out and name not in names) for name, track in rollout.tracks.items()}
    return replace(rollout, tracks=tracks)


def _may_be_out(rollout: Rollout, track: Track) -> bool:
    """Tell whether a gate took an instance out: this run, or a rollback that it raised and that did not end well."""
    return track.out or (bool(rollout.raised) and no_traffic(track))


def _pending(rollout: Rollout) -> set[InstanceName]:
    """Return those that are about to be changed: the rest of the way forward, or of the way back."""
    if rollout.phase is not Phase.READY:
        return {*rollout.queue}
    moves = rollout.plan.moves[rollout.cursor :]
    spared = {environment for environment in {move.environment for move in moves} if rollout.spare(environment) >= 0}
    return {move.instance for move in moves if move.environment in spared}


def _hindered_now(rollout: Rollout) -> bool:
    """Tell whether a balancer did not obey a moment ago: nothing waits for it but the way forward and the last look.

    At the end of a run that claims nothing it is told once.
    """
    waits = rollout.phase is Phase.READY or (rollout.ending in CLAIMS and not at_the_end(rollout))
    again = waits and rollout.now >= rollout.hindered_at + rollout.plan.watch.interval
    return rollout.hindered_in is rollout.phase and not again


def _without(track: Track) -> bool:
    return track.apart or (track.out and track.drained)


def _ready(track: Track) -> bool:
    well = track.seen is not None and track.seen.health is Health.HEALTHY
    return well and track.standing in _KEPT and (track.holds or track.standing is not Standing.PROVEN)


def _passed(rollout: Rollout, track: Track) -> bool:
    if track.standing is Standing.PROVEN:
        return track.holds
    if track.standing is Standing.OLD:
        return _ready(track) and track.seen is not None and track.seen.at >= rollout.since
    return track.standing is Standing.BACK


def _hindered(rollout: Rollout, troubles: tuple[Trouble, ...]) -> Rollout:
    if not troubles:
        return rollout
    says = f"{troubles[0].instance}: {troubles[0].says}"
    return replace(rollout, hindered=says, hindered_in=rollout.phase, hindered_at=rollout.now)


def _out(rollout: Rollout, names: tuple[InstanceName, ...], *, out: bool) -> Rollout:
    tracks = dict(rollout.tracks)
    for name in names:
        track = tracks[name]
        seen = replace(track.seen, in_service=not out) if track.seen else None
        tracks[name] = replace(track, out=out, drained=out, seen=seen)
    return replace(rollout, tracks=tracks)
