"""Whole runs behind a balancer: nothing is killed while it is sent traffic, and nothing well is left without."""

from itertools import count, pairwise

import pytest
from made import NEW, OLD, name
from small_world import KilledError, SmallWorld, behind

from deploygate.endings import Ending, Goal
from deploygate.findings import Finding
from deploygate.inventory import OnFailure
from deploygate.names import PARALLEL_CHAIN
from deploygate.rollout import Standing

DEPLOY_BY_WAVES = [
    "switch p1=2.0",
    "drain i1", "switch i1=2.0", "restore i1",
    "drain i2 i3", "switch i2=2.0 i3=2.0", "restore i2 i3",
]  # fmt: skip


def versions(world: SmallWorld) -> dict[str, str]:
    return {one: version for one, (version, _) in world.running.items()}


def everywhere(version: str) -> dict[str, str]:
    return dict.fromkeys(("p1", "i1", "i2", "i3"), version)


def test_each_wave_is_taken_out_changed_proven_and_put_back() -> None:
    world = SmallWorld(behind(1, 2, floor=1))
    assert world.run().ending is Ending.DEPLOYED
    assert (world.log, versions(world), world.out) == (DEPLOY_BY_WAVES, everywhere(NEW), set())


def test_without_waves_and_with_the_usual_floor_they_go_one_by_one() -> None:
    world = SmallWorld(behind())
    assert world.run().ending is Ending.DEPLOYED
    assert [change for change in world.log if change.startswith("drain")] == ["drain i1", "drain i2", "drain i3"]


def test_a_wave_is_split_where_the_floor_does_not_let_all_of_it_go() -> None:
    world = SmallWorld(behind(1, 2, floor=2))
    assert world.run().ending is Ending.DEPLOYED
    assert world.log[4:] == ["drain i2", "switch i2=2.0", "restore i2", "drain i3", "switch i3=2.0", "restore i3"]


def test_a_balancer_that_never_says_who_is_in_service_hinders_nothing() -> None:
    world = SmallWorld(behind(1, 2, floor=1), tells=lambda _name, _serving: None)
    assert world.run().ending is Ending.DEPLOYED
    assert (world.log, world.out) == (DEPLOY_BY_WAVES, set())


def test_a_balancer_that_breaks_when_it_is_asked_hinders_nothing() -> None:
    def broken(_name: str, _serving: bool) -> bool | None:  # noqa: FBT001 - the port's own shape
        raise ValueError("not the statistics that were expected")

    world = SmallWorld(behind(), tells=broken)
    assert world.run().ending is Ending.DEPLOYED
    assert world.out == set()


def test_one_that_fails_takes_its_whole_wave_and_all_before_it_back() -> None:
    world = SmallWorld(behind(1, 2, floor=1), ill={("i2", NEW)})
    state = world.run()
    assert (state.ending, versions(world), world.out) == (Ending.ROLLED_BACK, everywhere(OLD), set())
    assert world.log[6:] == [
        "switch i2=1.0", "restore i2",
        "drain i1", "switch i3=1.0 i1=1.0", "restore i1 i3",
        "switch p1=1.0",
    ]  # fmt: skip


def test_within_the_budget_the_rest_of_the_wave_is_watched_on_and_the_failed_one_serves_again() -> None:
    world = SmallWorld(behind(1, 2, floor=1, budget=1), ill={("i2", NEW)})
    state = world.run()
    assert (state.ending, state.debts, world.out) == (Ending.MIXED, ("i2",), set())
    assert versions(world) == everywhere(NEW) | {"i2": OLD}


def test_a_slow_way_back_of_one_does_not_use_up_the_time_of_the_rest_of_its_wave() -> None:
    world = SmallWorld(behind(1, 2, floor=1, budget=1))

    def slow(change: str) -> None:
        if change == "switch i2=2.0 i3=2.0":
            world.dead.add(("i2", NEW))
            world.slow["i3"] = world.time + 1.0
        if change == "switch i2=1.0":
            world.slow["i2"] = world.time + 18.5

    world.before = slow
    state = world.run()
    assert (state.ending, state.debts, versions(world)["i3"]) == (Ending.MIXED, ("i2",), NEW)


def test_a_halt_waits_for_the_rest_of_the_wave_and_leaves_nobody_out() -> None:
    world = SmallWorld(behind(1, 2, floor=1, on_failure=OnFailure.HALT), dead={("i2", NEW)})
    state = world.run()
    assert (state.ending, state.debts, world.out) == (Ending.MIXED, ("i2",), set())
    assert versions(world) == everywhere(NEW) | {"i2": OLD}


def test_a_rollback_puts_each_back_before_it_takes_out_the_next() -> None:
    world = SmallWorld(behind())
    world.run()
    world.log.clear()
    assert world.run(Goal.ROLLBACK, None).ending is Ending.ROLLED_BACK
    assert world.log == [
        "drain i3", "switch i3=1.0", "restore i3",
        "drain i2", "switch i2=1.0", "restore i2",
        "drain i1", "switch i1=1.0", "restore i1",
        "switch p1=1.0",
    ]  # fmt: skip


def test_what_the_balancer_does_not_let_go_is_not_killed_and_the_rest_is_taken_back() -> None:
    def jammed(what: str, name: str) -> str:
        return "permission denied" if (what, name) == ("drain", "i2") else ""

    world = SmallWorld(behind(1, 2, floor=1), trouble=jammed)
    state = world.run()
    assert (state.ending, versions(world), world.out) == (Ending.ROLLED_BACK, everywhere(OLD), set())
    assert state.cause is not None
    assert (state.cause.instance, state.cause.says, state.cause.verdict) == (
        "i2", "can't be taken out of the balancer: permission denied", False,
    )  # fmt: skip
    assert not [change for change in world.log if change.startswith("switch") and "i2" in change]


def test_nothing_is_touched_where_the_first_one_can_not_be_taken_out() -> None:
    world = SmallWorld(behind(), trouble=lambda what, _name: "permission denied" if what == "drain" else "")
    world.start("p1", NEW)
    state = world.run()
    assert (state.ending, [change for change in world.log if change.startswith("switch")]) == (Ending.REFUSED, [])


def test_a_balancer_that_breaks_does_not_hold_up_the_way_back() -> None:
    world = SmallWorld(behind())
    world.run()
    world.log.clear()

    def broken(change: str) -> None:
        if not change.startswith("switch"):
            raise RuntimeError("no such backend")

    world.before = broken
    state = world.run(Goal.ROLLBACK, None)
    assert (versions(world), state.hindered) == (
        everywhere(OLD),
        "i1: the balancer broke: RuntimeError: no such backend",
    )


def test_what_could_not_be_put_back_is_tried_again_after_the_interval() -> None:
    times: list[float] = []

    def once(what: str, name: str) -> str:
        if (what, name) != ("restore", "i1"):
            return ""
        times.append(world.time)
        return "" if len(times) > 2 else "timed out"

    world = SmallWorld(behind(), trouble=once)
    assert world.run().ending is Ending.DEPLOYED
    assert world.out == set()
    assert [later - earlier >= 1.0 for earlier, later in pairwise(times)] == [True, True]


def test_what_can_never_be_put_back_takes_the_fleet_back() -> None:
    world = SmallWorld(behind(), trouble=lambda what, name: "timed out" if (what, name) == ("restore", "i1") else "")
    state = world.run()
    assert (state.ending, versions(world), world.out) == (Ending.ROLLBACK_FAILED, everywhere(OLD), {"i1"})
    assert state.cause is not None
    assert state.cause.says == "i1: timed out"


def test_one_that_the_balancer_sends_nothing_though_it_was_put_back_has_failed() -> None:
    world = SmallWorld(behind(), tells=lambda name, _serving: world.running[name][0] == OLD or name != "i3")
    state = world.run()
    assert state.cause is not None
    assert (state.cause.instance, state.cause.says) == ("i3", "did not stay healthy: the balancer sends it nothing")
    assert (state.ending, versions(world)) == (Ending.ROLLED_BACK, everywhere(OLD))


def test_a_stop_between_the_drain_and_the_switch_puts_back_what_was_taken_out() -> None:
    world = SmallWorld(behind())
    world.before = lambda change: setattr(world, "stop", "SIGTERM") if change == "drain i1" else None
    state = world.run()
    assert (state.ending, world.log, world.out) == (
        Ending.INTERRUPTED, ["switch p1=2.0", "drain i1", "restore i1"], set(),
    )  # fmt: skip


@pytest.mark.parametrize("last", ["switch p1=2.0", "drain i1"])
def test_nothing_is_changed_after_the_lock_was_lost(last: str) -> None:
    world = SmallWorld(behind())
    world.before = lambda change: setattr(world, "overtaken", "rollback run r9") if change == last else None
    state = world.run()
    assert (state.ending, state.lost, world.log[-1]) == (Ending.INTERRUPTED, True, last)


def killed_at(change: str, world: SmallWorld) -> None:
    def kill(one: str) -> None:
        if one == change:
            raise KilledError

    world.before = kill
    with pytest.raises(KilledError):
        world.run()
    world.before = lambda _change: None
    world.log.clear()


@pytest.mark.parametrize("tells", [None, True], ids=["unknown", "told"])
def test_what_a_killed_run_had_taken_out_is_changed_and_put_back_by_the_next(tells: bool | None) -> None:  # noqa: FBT001
    world = SmallWorld(behind(), tells=lambda _name, serving: serving if tells else None)
    killed_at("switch i1=2.0", world)
    assert world.out == {"i1"}
    assert world.run().ending is Ending.DEPLOYED
    assert (world.log[:4], world.out) == (["drain i1", "switch i1=2.0", "restore i1", "drain i2"], set())


def test_what_a_killed_run_had_changed_must_pass_before_it_has_traffic_again() -> None:
    world = SmallWorld(behind())
    killed_at("restore i1", world)
    assert world.run().ending is Ending.DEPLOYED
    assert (world.log[0], world.out) == ("restore i1", set())


def test_a_rollback_of_a_run_that_was_killed_before_its_first_change_puts_traffic_right() -> None:
    world = SmallWorld(behind())
    world.start("p1", NEW)
    killed_at("drain i1", world)
    world.out.add("i1")  # the last thing that it did
    state = world.run(Goal.ROLLBACK, None)
    assert (state.ending, world.log, world.out) == (Ending.ALREADY_THERE, ["restore i1"], set())
    again = world.planned(Goal.ROLLBACK, None)
    assert isinstance(again, tuple)
    assert [finding.rule for finding in again] == ["nothing-to-undo"]


def test_a_deploy_of_what_is_there_puts_back_what_was_left_out_and_restarts_nothing() -> None:
    world = SmallWorld(behind(), version=NEW)
    world.start("i1", OLD)
    killed_at("drain i1", world)
    world.out.add("i1")  # the last thing that it did
    world.start("i1", NEW)
    state = world.run()
    assert (state.ending, world.log, world.out) == (Ending.DEPLOYED, ["restore i1"], set())
    assert state.plan.worst == 20.0


def test_restore_puts_back_what_is_well_and_changes_no_process() -> None:
    world = SmallWorld(behind())
    killed_at("switch i1=2.0", world)
    state = world.run(Goal.RESTORE, None)
    assert (state.ending, world.log, world.out) == (Ending.ALREADY_THERE, ["restore i1"], set())


def test_restore_leaves_out_what_is_not_well_and_says_so() -> None:
    world = SmallWorld(behind())
    killed_at("switch i1=2.0", world)
    world.ill.add(("i1", OLD))
    state = world.run(Goal.RESTORE, None)
    assert (state.ending, world.log, world.out) == (Ending.CANNOT_TELL, [], {"i1"})
    assert state.cause is not None
    assert state.cause.says == "stays out of the balancer: answered 503 (until the deadline of 20 s)"


def test_restore_waits_for_what_is_starting_yet_and_puts_back_meanwhile_what_is_well() -> None:
    world = SmallWorld(behind(1, 2, floor=1))
    killed_at("switch i2=2.0 i3=2.0", world)
    began = world.time
    world.slow["i3"] = began + 15.0  # the deadline is at 20 s
    state = world.run(Goal.RESTORE, None)
    assert (state.ending, world.log, world.out) == (Ending.ALREADY_THERE, ["restore i2", "restore i3"], set())
    assert world.time - began < state.plan.worst


def test_restore_waits_no_longer_than_the_deadline() -> None:
    world = SmallWorld(behind())
    killed_at("switch i1=2.0", world)
    world.slow["i1"] = world.time + 25.0
    state = world.run(Goal.RESTORE, None)
    assert (state.ending, world.log, world.out) == (Ending.CANNOT_TELL, [], {"i1"})


def test_restore_takes_what_runs_by_then_for_what_is_to_run() -> None:
    world = SmallWorld(behind())
    killed_at("switch i1=2.0", world)
    world.slow["i1"] = world.time + 5.0
    looks = count()

    def told(_name: str, serving: bool) -> bool:  # noqa: FBT001 - the port's own
        if next(looks) == 9:  # the host does to its end what the killed gate had begun
            world.start("i1", NEW)
        return serving

    world.tells = told
    assert world.run(Goal.RESTORE, None).ending is Ending.ALREADY_THERE
    assert (world.running["i1"][0], world.out) == (NEW, set())


def test_what_the_balancer_takes_in_late_is_waited_for_at_the_end_of_a_rollback() -> None:
    world = SmallWorld(behind())
    world.run()
    slow = world.time + 18.0

    def not_yet(what: str, _name: str) -> str:
        return "its checks have not passed yet" if what == "restore" and world.time < slow else ""

    world.trouble = not_yet
    state = world.run(Goal.ROLLBACK, OLD)
    assert (state.ending, world.out, versions(world)) == (Ending.ROLLED_BACK, set(), everywhere(OLD))


def test_what_the_balancer_never_takes_in_is_a_rollback_that_failed_at_the_deadline() -> None:
    world = SmallWorld(behind())
    world.run()
    world.trouble = lambda what, one: "its checks fail" if (what, one) == ("restore", "i2") else ""
    began = world.time
    state = world.run(Goal.ROLLBACK, OLD)
    assert (state.ending, state.standing(Standing.STUCK), world.out) == (Ending.ROLLBACK_FAILED, ("i2",), {"i2"})
    assert state.tracks[name("i2")].stuck == "at the last look: its checks fail"
    assert world.time - began < state.plan.worst


def test_a_stop_ends_the_wait_for_the_balancer() -> None:
    world = SmallWorld(behind())
    world.run()

    def stopped(what: str, one: str) -> str:
        if (what, one) != ("restore", "i2"):
            return ""
        world.stop = "SIGTERM" if "switch p1=1.0" in world.log else ""  # the last one is back
        return "its checks fail"

    world.trouble = stopped
    assert world.run(Goal.ROLLBACK, OLD).ending is Ending.ROLLBACK_FAILED
    assert world.log[world.log.index("switch p1=1.0") + 1 :] == ["restore i2"]


def test_a_rollback_neither_drains_nor_restores_what_somebody_else_has_taken_out() -> None:
    world = SmallWorld(behind())
    world.run()
    world.log.clear()
    world.out.add("i2")
    assert world.run(Goal.ROLLBACK, OLD).ending is Ending.ROLLED_BACK
    assert (versions(world), world.out) == (everywhere(OLD), {"i2"})
    assert not [change for change in world.log if not change.startswith("switch") and "i2" in change]


def test_what_somebody_puts_back_in_the_middle_is_drained_before_it_is_killed() -> None:
    world = SmallWorld(behind())
    world.out.add("i3")
    world.before = lambda change: world.out.discard("i3") if change == "restore i1" else None
    assert world.run(waived={"baseline": "i3 is being looked at"}).ending is Ending.DEPLOYED
    assert world.log[-3:] == ["drain i3", "switch i3=2.0", "restore i3"]


def test_a_deploy_that_ends_before_production_is_not_refused_for_what_is_out_there() -> None:
    world = SmallWorld(behind())
    world.out.add("i2")
    assert world.run(environment=PARALLEL_CHAIN).ending is Ending.DEPLOYED
    refused = world.planned()
    assert isinstance(refused, tuple)
    assert refused == (
        Finding(
            "baseline",
            world.service.instances[2].where,
            "i2 is healthy, but the balancer sends it nothing, and no run of the gate has taken it out",
            "Put it back first, or roll without it with --baseline broken.",
        ),
    )


def test_the_ill_are_changed_though_the_floor_is_broken() -> None:
    world = SmallWorld(behind(), ill={("i1", OLD), ("i2", OLD)})
    assert world.run(waived={"baseline": "1.0 crashes"}).ending is Ending.DEPLOYED
    assert (versions(world), world.out) == (everywhere(NEW), set())


def test_what_a_raised_rollback_took_out_and_left_so_is_put_back_by_the_deploy() -> None:
    world = SmallWorld(behind(), ill={("i2", NEW)})
    world.before = lambda change: world.out.add("i3") if change == "switch p1=1.0" else None
    assert world.run().ending is Ending.ROLLED_BACK
    assert (world.log[-2:], world.out) == (["switch p1=1.0", "restore i3"], set())


def test_a_balancer_that_goes_on_to_send_nothing_does_not_keep_a_run_from_ending() -> None:
    world = SmallWorld(behind(), ill={("i2", NEW)}, tells=lambda one, serving: serving and one not in shunned)
    shunned: set[str] = set()
    world.before = lambda change: shunned.add("i1") if change == "switch p1=1.0" else None
    state = world.run()
    assert (state.ending, state.tracks[world.service.instances[1].name].stuck) == (
        Ending.ROLLBACK_FAILED, "at the last look: the balancer sends it nothing",
    )  # fmt: skip
