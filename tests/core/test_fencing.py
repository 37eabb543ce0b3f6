"""A rollback by hand has the lock before its plan is final: planned again where another run may have changed more."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
from made import NEW, OLD, fleet, move, past, plan, run, seen
from small_world import SmallWorld, behind

from deploygate.drive import drive
from deploygate.endings import Ending, Goal
from deploygate.events import Action, Event, LockHeld, LockTaken, TakeLock
from deploygate.fencing import Found, fenced
from deploygate.findings import Finding, Where
from deploygate.inventory import Service
from deploygate.names import PARALLEL_CHAIN, Environment, InstanceName, RunId, ServiceName
from deploygate.past import Past
from deploygate.perform import World
from deploygate.plan import Plan, Planned
from deploygate.ports import Lease
from deploygate.wish import Known, Wish

A_PLAN = plan(move("i1", was=NEW, to=OLD), goal=Goal.ROLLBACK, version=OLD)
NONE = past()
OVERTAKEN = "deploy run r8"
REFUSED = (Finding("interface-lost", Where("services.yml", 1, 1), "nobody provides it any more", ""),)


@dataclass(slots=True)
class Locked(SmallWorld):
    """It notes what the lock and the hosts are asked."""

    taken_from: str = ""
    held: str = ""
    taken: tuple[Lease, ...] = ()
    asked: list[str] = field(default_factory=list)

    def take(self, _service: ServiceName, rank: Goal) -> tuple[str, str]:
        self.asked.append(f"take as {rank}")
        return self.taken_from, self.held

    def claim(
        self, _service: Service, instances: Sequence[InstanceName], lease: Lease, _over: Sequence[RunId]
    ) -> tuple[Lease, ...]:
        self.asked.append(f"claim {' '.join(instances)} for {lease.lasts:g} s")
        return self.taken

    def leave(self, _service: Service, instances: Sequence[InstanceName], _run: RunId) -> None:
        self.asked.append(f"leave {' '.join(instances)}")

    def release(self, _service: ServiceName) -> None:
        self.asked.append("release")


def whole(world: SmallWorld) -> World:
    return World(RunId("this"), world, world, world, world, world, world)


def planned_twice(
    world: SmallWorld, history: Past = NONE, then: Planned = A_PLAN, *, raised: bool = False, only: str = ""
) -> tuple[World, Found, int]:
    """Return what becomes of a plan, and how often it was made again."""
    known = Known(fleet(), (), history)
    again: list[Planned] = []

    def once_more() -> Found:
        again.append(then)
        return known, then

    environment = Environment(only) if only else None
    wish = Wish(world.service, None, environment, goal=Goal.ROLLBACK, raised=raised)
    after, found = fenced(whole(world), wish, (known, plan(move("p1"), goal=Goal.ROLLBACK)), once_more)
    return after, found, len(again)


WENT_WELL = past(run("r1", plan(move("i1")), Ending.DEPLOYED, "i1"))
CUT_OFF = past(run("r1", plan(move("i1")), None, "i1"))
GOES_ON = past(run("r1", plan(move("i1")), None, "i1", alive=True), run("r2", plan(), Ending.LOCKED))
ALL = "p1 i1 i2 i3"
LASTS = 4 * (5.0 + 10.0 + 20.0 + 10.0) + 20.0 + 10.0


def test_where_the_lock_was_free_and_all_is_on_record_the_plan_stands() -> None:
    world = Locked(behind())
    after, (_, planned), again = planned_twice(world, WENT_WELL)
    assert isinstance(after.claimed, LockTaken)
    assert isinstance(planned, Plan)
    assert again == 0
    assert planned.moves == (move("p1"),)
    assert world.asked == ["take as rollback", f"claim {ALL} for {LASTS:g} s"]


@pytest.mark.parametrize("history", [CUT_OFF, GOES_ON])
def test_where_a_run_is_not_known_to_be_over_it_is_planned_again(history: Past) -> None:
    _, (_, planned), again = planned_twice(Locked(behind()), history)
    assert (planned, again) == (A_PLAN, 1)


def test_where_the_lock_was_taken_over_it_is_planned_again_and_every_host_is_held_before() -> None:
    world = Locked(behind(), taken_from=OVERTAKEN)
    after, (_, planned), again = planned_twice(world, WENT_WELL)
    assert (planned, again) == (A_PLAN, 1)
    assert isinstance(after.claimed, LockTaken)
    assert after.claimed.over == OVERTAKEN
    assert world.asked == ["take as rollback", f"claim {ALL} for {LASTS:g} s"]


def test_where_hosts_were_taken_from_a_deploy_of_another_machine_it_is_planned_again_and_that_is_told() -> None:
    taken = Lease(RunId("r8"), Goal.DEPLOY, "web", "1-2", "2024-01-01", 60.0, taken=True)
    after, (_, planned), again = planned_twice(Locked(behind(), taken=(taken,)), WENT_WELL)
    assert (planned, again) == (A_PLAN, 1)
    assert isinstance(after.claimed, LockTaken)
    assert after.claimed.over == "deploy run r8 on web"


def test_who_is_stopped_before_that_takes_nothing_over() -> None:
    world = Locked(behind(), stop="SIGINT")
    after, _, again = planned_twice(world, WENT_WELL)
    assert (after.claimed, again, world.asked) == (None, 0, [])


def test_only_the_hosts_that_the_wish_is_about_are_held() -> None:
    world = Locked(behind(), taken_from=OVERTAKEN)
    planned_twice(world, only=PARALLEL_CHAIN)
    assert world.asked[1].startswith("claim p1 for ")


def test_where_another_rollback_has_the_lock_nothing_is_planned_again() -> None:
    after, _, again = planned_twice(Locked(behind(), held="rollback run r9"), GOES_ON)
    assert (isinstance(after.claimed, LockHeld), again) == (True, 0)


def test_a_raised_rollback_is_no_race_and_asks_nothing_twice() -> None:
    world = Locked(behind(), taken_from=OVERTAKEN)
    after, _, again = planned_twice(world, GOES_ON, raised=True)
    assert (after.claimed, again, world.asked) == (None, 0, [])


def test_what_is_refused_the_second_time_lets_go_of_the_lock_and_of_every_host() -> None:
    world = Locked(behind(), taken_from=OVERTAKEN)
    _, (_, planned), _ = planned_twice(world, then=REFUSED)
    assert planned == REFUSED
    assert world.asked[2:] == [f"leave {ALL}", "release"]


def test_a_second_look_that_breaks_lets_go_of_the_lock_and_of_every_host() -> None:
    world = Locked(behind(), taken_from=OVERTAKEN)
    wish = Wish(world.service, None, goal=Goal.ROLLBACK)

    def broken() -> Found:
        raise OSError("no space left on the device")

    with pytest.raises(OSError, match="no space"):
        fenced(whole(world), wish, (Known(fleet(), (), past()), A_PLAN), broken)
    assert world.asked[2:] == [f"leave {ALL}", "release"]


@dataclass(slots=True)
class Noted:
    """A journal that keeps its lines."""

    actions: list[Action] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)

    def begin(self, planned: Plan, _baseline: object) -> None:
        assert planned == A_PLAN

    def before(self, action: Action) -> None:
        self.actions.append(action)

    def after(self, event: Event) -> None:
        self.events.append(event)

    def end(self, _ending: Ending, _cause: str, *, bad: bool, debts: object) -> None:
        assert (bad, debts) == (False, ())

    def past(self, _service: ServiceName) -> tuple[()]:
        return ()


def test_the_drive_begins_with_the_lock_that_was_taken_and_writes_down_from_whom() -> None:
    world, journal = Locked(behind(), taken_from=OVERTAKEN), Noted()
    after, _, _ = planned_twice(world)
    world.asked.clear()
    baseline = tuple(seen(one, at=1_000.0) for one in A_PLAN.instances)
    rollout = drive(after, world.service, A_PLAN, baseline, journal, lambda _rollout, _action, _event: None)
    assert rollout.took_over == OVERTAKEN
    assert isinstance(journal.actions[0], TakeLock)
    assert journal.events[0] == LockTaken(journal.events[0].at, OVERTAKEN)
    assert world.asked == [f"leave {ALL}", "release"]  # also those that the plan does not reach


def test_where_another_rollback_has_the_lock_the_drive_does_not_try_again() -> None:
    world, journal = Locked(behind(), held="rollback run r9"), Noted()
    after, _, _ = planned_twice(world)
    world.held = ""  # it has ended since, and may have changed what the plan was made from
    baseline = tuple(seen(one, at=1_000.0) for one in A_PLAN.instances)
    rollout = drive(after, world.service, A_PLAN, baseline, journal, lambda _rollout, _action, _event: None)
    assert (rollout.ending, world.log) == (Ending.LOCKED, [])
