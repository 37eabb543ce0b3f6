"""An action becomes an event: leases on the hosts, the lock before each change, and a balancer that may break."""

from collections.abc import Sequence

import pytest
from made import NEW, OLD, name
from small_world import SmallWorld, behind

from deploygate.endings import Goal
from deploygate.events import (
    Action,
    Broke,
    Change,
    Drain,
    Drained,
    Event,
    LockHeld,
    LockLost,
    LockReleased,
    LockTaken,
    Look,
    ReleaseLock,
    Restore,
    Restored,
    Seen,
    Switch,
    TakeLock,
    Trouble,
)
from deploygate.inventory import Instance, Service
from deploygate.names import InstanceName, RunId, ServiceName
from deploygate.perform import World, perform
from deploygate.ports import Lease

ME, OTHER = RunId("this"), RunId("r9")
I1, I2 = name("i1"), name("i2")
TAKE = TakeLock(Goal.DEPLOY, (I1, I2), 60.0)
HELD = Lease(OTHER, Goal.ROLLBACK, "elsewhere", "7-1.0", "2024-01-01T12:00:00+00:00")


class Leased(SmallWorld):
    """A world whose hosts have a lease on them, and a lock that says whose runs are over."""

    __slots__ = ("ended", "free", "leases")

    def __init__(self, *leases: Lease, ended: Sequence[RunId] = ()) -> None:
        super().__init__(behind())
        self.leases = {lease.run: lease for lease in leases}
        self.ended = set(ended)
        self.free = True

    def claim(
        self, _service: Service, _instances: Sequence[InstanceName], lease: Lease, over: Sequence[RunId]
    ) -> tuple[Lease, ...]:
        self.leases = {run: one for run, one in self.leases.items() if run not in over}
        others = tuple(one for run, one in self.leases.items() if run != lease.run)
        if not others:
            self.leases[lease.run] = lease
        return others

    def leave(self, _service: Service, _instances: Sequence[InstanceName], run: RunId) -> None:
        self.leases.pop(run, None)

    def take(self, _service: ServiceName, _rank: Goal) -> tuple[str, str]:
        self.free = False
        return "", ""

    def release(self, _service: ServiceName) -> None:
        self.free = True

    def over(self, _service: ServiceName, lease: Lease) -> bool:
        return lease.run in self.ended


def performed(world: SmallWorld, action: Action) -> Event:
    return perform(World(ME, world, world, world, world, world, world), world.service, action)


def test_a_lock_is_taken_with_the_hosts_for_as_long_as_the_plan_may_last() -> None:
    world = Leased()
    assert performed(world, TAKE) == LockTaken(1_000.0)
    assert world.leases == {ME: Lease(ME, Goal.DEPLOY, "here", "1-1", "then", 60.0)}


def test_hosts_that_a_living_run_holds_are_left_to_it_and_the_lock_is_let_go() -> None:
    world = Leased(HELD)
    says = "rollback run r9 on elsewhere (since 2024-01-01T12:00:00+00:00; it has the hosts; "
    says += "if you know that it is over: --take-over r9)"
    assert performed(world, TAKE) == LockHeld(1_000.0, says)
    assert (world.leases, world.free) == ({OTHER: HELD}, True)


def test_hosts_of_a_run_that_is_known_to_be_over_are_taken_from_it() -> None:
    world = Leased(HELD, ended=[OTHER])
    assert performed(world, TAKE) == LockTaken(1_000.0, "rollback run r9, which is over")
    assert (set(world.leases), world.free) == ({ME}, False)


def test_one_living_holder_among_dead_ones_holds_them_all() -> None:
    dead = Lease(RunId("r8"), Goal.DEPLOY, "elsewhere", "6-1.0", "then")
    world = Leased(dead, HELD, ended=[dead.run])
    assert isinstance(performed(world, TAKE), LockHeld)
    assert (set(world.leases), world.free) == ({dead.run, OTHER}, True)


def test_letting_go_leaves_the_hosts_and_the_lock() -> None:
    world = Leased()
    performed(world, TAKE)
    assert performed(world, ReleaseLock((I1, I2))) == LockReleased(1_000.0)
    assert (world.leases, world.free) == ({}, True)


@pytest.mark.parametrize("action", [Drain((I1,), 5.0), Restore((I1,)), Switch((Change(I1, OLD, NEW),))])
def test_nothing_is_changed_without_the_lock(action: Action) -> None:
    world = SmallWorld(behind(), overtaken="rollback run r9")
    assert performed(world, action) == LockLost(1_000.0, "rollback run r9")
    assert world.log == []


def test_the_balancers_troubles_are_told_with_what_was_tried() -> None:
    world = SmallWorld(behind(), trouble=lambda _what, one: "permission denied" if one == "i2" else "")
    trouble = (Trouble(I2, "permission denied"),)
    assert performed(world, Drain((I1, I2), 5.0)) == Drained(1_000.1, (I1, I2), trouble)
    assert performed(world, Restore((I1, I2))) == Restored(1_000.2, (I1, I2), trouble)


def broken(_change: str) -> None:
    raise ConnectionError("no route\nto the balancer")


@pytest.mark.parametrize("action", [Drain((I1, I2), 5.0), Restore((I1, I2))])
def test_a_balancer_that_breaks_is_trouble_for_each_and_no_defect_of_the_run(action: Drain | Restore) -> None:
    event = performed(SmallWorld(behind(), before=broken), action)
    assert isinstance(event, Drained | Restored)
    says = "the balancer broke: ConnectionError: no route to the balancer"
    assert (event.instances, event.troubles) == ((I1, I2), (Trouble(I1, says), Trouble(I2, says)))


def test_a_host_that_breaks_is_a_defect_of_the_run() -> None:
    event = performed(SmallWorld(behind(), before=broken), Switch((Change(I1, OLD, NEW),)))
    assert event == Broke(1_000.1, "Switch: ConnectionError: no route to the balancer")


def test_what_the_balancer_says_is_part_of_what_was_seen() -> None:
    world = SmallWorld(behind(), out={"i2"}, tells=lambda one, serving: None if one == "i3" else serving)
    event = performed(world, Look(tuple(one.name for one in world.service.instances), 0.0))
    assert isinstance(event, Seen)
    said = {seen.instance: seen.in_service for seen in event.sightings}
    assert said == {"p1": None, "i1": True, "i2": False, "i3": None}


def test_the_balancer_is_asked_only_of_those_behind_it() -> None:
    asked: list[str] = []

    class Asked(SmallWorld):
        __slots__ = ()

        def in_service(self, _service: Service, instances: Sequence[Instance]) -> dict[InstanceName, bool]:
            asked.extend(one.name for one in instances)
            return {}

    world = Asked(behind())
    performed(world, Look((name("p1"),), 0.0))
    assert asked == []
    performed(world, Look((name("p1"), I1), 0.0))
    assert asked == ["i1"]
