"""Action -> event: the one place where actions are carried out, by asking the ports."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import assert_never

from msgspec.structs import replace

from deploygate.events import (
    Action,
    Broke,
    Drain,
    Drained,
    Event,
    LockHeld,
    LockLost,
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
    Trouble,
)
from deploygate.inventory import Instance, Service
from deploygate.names import InstanceName, RunId
from deploygate.ports import Balancer, Clock, Forge, Hosts, Lease, Locks, Prober
from deploygate.wording import plain, seconds


@dataclass(frozen=True, slots=True)
class World:
    """The ports that a run works through, and the run's own name.

    `claimed` is what came of taking the lock, where that was done before the plan was final.
    """

    run: RunId
    clock: Clock
    prober: Prober
    hosts: Hosts
    locks: Locks
    balancer: Balancer
    forge: Forge
    claimed: Event | None = None


def perform(world: World, service: Service, action: Action) -> Event:
    """Do one thing and say what came of it; nothing that goes wrong on the way gets past here unsaid."""
    try:
        return _done(world, service, action)
    except Exception as error:  # noqa: BLE001 - whatever an adapter did not foresee must still lead to an ending
        return Broke(world.clock.now(), plain(f"{type(action).__name__}: {type(error).__name__}: {error}"))


def look_at(world: World, service: Service, names: Sequence[InstanceName], *, in_passing: bool = False) -> Seen:
    """Ask instances now, and return what they answered, and what the balancer says of them."""
    instances = _named(service, names)
    sightings = world.prober.look(service, instances, in_passing=in_passing)
    behind = [one for one in instances if service.balances(one)]
    if behind:
        serving = _in_service(world, service, behind)
        sightings = tuple(replace(seen, in_service=serving.get(seen.instance)) for seen in sightings)
    return Seen(world.clock.now(), sightings)


def _in_service(world: World, service: Service, instances: list[Instance]) -> Mapping[InstanceName, bool]:
    """Ask the balancer; where it breaks nothing is known, which is no verdict on an instance."""
    try:
        return world.balancer.in_service(service, instances)
    except Exception:  # noqa: BLE001 - whatever an adapter did not foresee must not hold up the way back
        return {}


def _done(world: World, service: Service, action: Action) -> Event:
    clock, hosts = world.clock, world.hosts
    match action:
        case TakeLock():
            return replace(world.claimed, at=clock.now()) if world.claimed else _taken(world, service, action)
        case Stage(releases):
            return Staged(troubles=hosts.stage(service, releases), at=clock.now())
        case Prove(releases, unchanged):
            return Proved(troubles=hosts.prove(service, releases, unchanged=unchanged), at=clock.now())
        case Drain() | Switch() | Restore():
            with world.locks.guard(service.name) as lost:
                return LockLost(clock.now(), lost) if lost else _changed(world, service, action)
        case Look(names):
            return look_at(world, service, names)
        case RaiseRollback(_, budget):
            run, ending, says = world.forge.raise_rollback(service.name, world.run, budget)
            return RollbackEnded(clock.now(), says=says, ending=ending, run=run)
        case Prune(names, protect):
            return Pruned(versions=hosts.prune(service, names, protect), at=clock.now())
        case ReleaseLock(names):
            whom = [one.name for one in service.instances] if world.claimed else names  # more than the plan has
            hosts.leave(service, whom, world.run)
            world.locks.release(service.name)
            return LockReleased(clock.now())
        case _:
            assert_never(action)


def _changed(
    world: World, service: Service, action: Drain | Switch | Restore
) -> Drained | Switched | Restored | LockLost:
    """Change what is running or what is served; only with the lock, and with the leases of the hosts."""
    if not isinstance(action, Switch) and (by := world.hosts.lost(service, action.instances, world.run)):
        return LockLost(world.clock.now(), by)
    match action:
        case Drain(names, patience):
            instances = _named(service, names)
            troubles = _obeyed(names, lambda: world.balancer.drain(service, instances, patience))
            return Drained(world.clock.now(), names, troubles)
        case Restore(names):
            instances = _named(service, names)
            troubles = _obeyed(names, lambda: world.balancer.restore(service, instances))
            return Restored(world.clock.now(), names, troubles)
        case Switch(changes):
            troubles = world.hosts.switch(service, changes, world.run)
            by = next((trouble.by for trouble in troubles if trouble.by), "")
            return LockLost(world.clock.now(), by) if by else Switched(world.clock.now(), troubles)


def _obeyed(names: Sequence[InstanceName], ask: Callable[[], tuple[Trouble, ...]]) -> tuple[Trouble, ...]:
    """Ask the balancer; where it breaks half-way, each of them is in trouble, and may be out or in."""
    try:
        return ask()
    except Exception as error:  # noqa: BLE001 - a balancer that breaks must not hold up the way back
        return tuple(Trouble(name, plain(f"the balancer broke: {type(error).__name__}: {error}")) for name in names)


def _taken(world: World, service: Service, action: TakeLock) -> LockTaken | LockHeld:
    """Take the lock, then the hosts; those of a run that is known to be over are taken from it."""
    locks, clock = world.locks, world.clock
    over, held = locks.take(service.name, action.rank)
    if held:
        return LockHeld(clock.now(), held)
    lease = locks.lease(action.rank, action.lasts)
    holders, over = _claimed(world, service, action, lease, over)
    ended = [one for one in holders if locks.over(service.name, one)]
    if ended and len(ended) == len(holders):
        over = over or f"{ended[0].rank} run {ended[0].run}, which is over"
        holders, over = _claimed(world, service, action, lease, over, [one.run for one in ended])
    living = [one for one in holders if one not in ended] or holders
    if not living:
        return LockTaken(clock.now(), over)
    world.hosts.leave(service, action.instances, world.run)
    locks.release(service.name)
    return LockHeld(clock.now(), _holder(living[0]))


def _claimed(
    world: World, service: Service, action: TakeLock, lease: Lease, over: str, ended: Sequence[RunId] = ()
) -> tuple[list[Lease], str]:
    """Claim the hosts; return who else holds some, and from which run they were taken."""
    found = world.hosts.claim(service, action.instances, lease, ended)
    taken = next((one for one in found if one.taken and one.run != world.run), None)
    over = over or (f"{taken.rank} run {taken.run} on {taken.gate}" if taken else "")
    return [one for one in found if not one.taken], over


def _holder(lease: Lease) -> str:
    limit = f", out of time in {seconds(lease.lasts)} unless it goes on" if lease.lasts else ""
    over = f"it has the hosts; if you know that it is over: --take-over {lease.run}"
    return f"{lease.rank} run {lease.run} on {lease.gate} (since {lease.since}{limit}; {over})"


def _named(service: Service, names: Sequence[InstanceName]) -> list[Instance]:
    wanted = set(names)
    return [one for one in service.instances if one.name in wanted]
