"""A roll in which all goes well, without a world: what `--dry-run` shows."""

from collections.abc import Iterator

from msgspec.structs import replace

from deploygate.events import (
    Action,
    Drain,
    Drained,
    Event,
    LockReleased,
    LockTaken,
    Look,
    Prove,
    Proved,
    Prune,
    Pruned,
    RaiseRollback,
    ReleaseLock,
    Restore,
    Restored,
    RollbackEnded,
    Seen,
    Stage,
    Staged,
    Switch,
    Switched,
    TakeLock,
)
from deploygate.names import InstanceName
from deploygate.plan import Plan
from deploygate.probe import Health, Sighting
from deploygate.rollout import Rollout, apply, next_action, start


def rehearse(plan: Plan, baseline: tuple[Sighting, ...]) -> Iterator[Action]:
    """Give the actions of a run, in order, without the looks in between."""
    rollout = start(plan, baseline)
    rollout = replace(rollout, now=rollout.now + 1.0, since=rollout.now + 1.0)  # what was observed is in the past
    running: dict[InstanceName, Sighting] = {seen.instance: seen for seen in baseline}
    while (action := next_action(rollout)) is not None:
        if not isinstance(action, Look):
            yield action
        rollout = apply(rollout, _went_well(rollout, action, running))


def _went_well(rollout: Rollout, action: Action, running: dict[InstanceName, Sighting]) -> Event:
    now = rollout.now
    match action:
        case TakeLock():
            return LockTaken(now)
        case Stage():
            return Staged(now)
        case Prove():
            return Proved(now)
        case Switch(changes):
            for change in changes:
                running[change.instance] = Sighting(
                    change.instance,
                    now,
                    Health.HEALTHY if change.start else Health.ILL,
                    version=change.start,
                    identity=f"{change.start}@{now}",
                    in_service=running[change.instance].in_service,
                )
            return Switched(now)
        case Drain(names):
            running.update({name: replace(running[name], in_service=False) for name in names})
            return Drained(now, names)
        case Restore(names):
            running.update({name: replace(running[name], in_service=True) for name in names})
            return Restored(now, names)
        case Look(names, at):
            return Seen(at, tuple(replace(running[name], at=at) for name in names))
        case RaiseRollback():
            return RollbackEnded(now, "rehearsed")
        case Prune():
            return Pruned(now)
        case ReleaseLock():
            return LockReleased(now)
