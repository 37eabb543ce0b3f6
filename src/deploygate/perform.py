"""Action -> event: the one place where actions are carried out, by asking the ports."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import assert_never

from deploygate.events import (
    Action,
    Broke,
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
    RollbackEnded,
    Seen,
    Stage,
    Staged,
    Switch,
    Switched,
    TakeLock,
)
from deploygate.inventory import Instance, Service
from deploygate.names import InstanceName, RunId
from deploygate.ports import Clock, Forge, Hosts, Locks, Prober
from deploygate.wording import plain


@dataclass(frozen=True, slots=True)
class World:
    """The ports that a run works through, and the run's own name."""

    run: RunId
    clock: Clock
    prober: Prober
    hosts: Hosts
    locks: Locks
    forge: Forge


def perform(world: World, service: Service, action: Action) -> Event:
    """Do one thing and say what came of it; nothing that goes wrong on the way gets past here unsaid."""
    try:
        return _done(world, service, action)
    except Exception as error:  # noqa: BLE001 - whatever an adapter did not foresee must still lead to an ending
        return Broke(world.clock.now(), plain(f"{type(action).__name__}: {type(error).__name__}: {error}"))


def look_at(world: World, service: Service, names: Sequence[InstanceName]) -> Seen:
    """Ask instances now, and return what they answered."""
    wanted = set(names)
    instances: list[Instance] = [one for one in service.instances if one.name in wanted]
    sightings = world.prober.look(service, instances)
    return Seen(world.clock.now(), sightings)


def _done(world: World, service: Service, action: Action) -> Event:
    clock, hosts = world.clock, world.hosts
    match action:
        case TakeLock(rank):
            over, held = world.locks.take(service.name, rank)
            return LockHeld(clock.now(), held) if held else LockTaken(clock.now(), over)
        case Stage(releases):
            return Staged(troubles=hosts.stage(service, releases), at=clock.now())
        case Prove(releases, unchanged):
            return Proved(troubles=hosts.prove(service, releases, unchanged=unchanged), at=clock.now())
        case Switch(changes):
            with world.locks.guard(service.name) as lost:
                if lost:
                    return LockLost(clock.now(), lost)
                troubles = hosts.switch(service, changes, world.run)
            return Switched(troubles=troubles, at=clock.now())
        case Look(names):
            return look_at(world, service, names)
        case RaiseRollback(_, budget):
            run, ending, says = world.forge.raise_rollback(service.name, world.run, budget)
            return RollbackEnded(clock.now(), says=says, ending=ending, run=run)
        case Prune(names, protect):
            return Pruned(versions=hosts.prune(service, names, protect), at=clock.now())
        case ReleaseLock():
            world.locks.release(service.name)
            return LockReleased(clock.now())
        case _:
            assert_never(action)
