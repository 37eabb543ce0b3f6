"""What earlier runs left: bad versions, cut-off runs, where an instance came from, debts."""

import pytest
from made import NEW, OLD, move, name, past, plan, run, seen

from deploygate.endings import Ending, Goal
from deploygate.events import (
    Action,
    Change,
    Drain,
    Drained,
    Event,
    LockTaken,
    Look,
    Proved,
    Restore,
    Restored,
    Seen,
    Staged,
    Switch,
    Switched,
    TakeLock,
    Trouble,
)
from deploygate.names import InstanceName, RunId, Version
from deploygate.past import Beginning, End, Past, Run, remembered
from deploygate.plan import Plan
from deploygate.probe import Health

DEPLOY = plan(move("i1"), move("i2"))
BACK = plan(move("i1"), move("i2"), goal=Goal.ROLLBACK, version=OLD)
NEXT = Version("3.0")


def deploy(called: str, ending: Ending | None, *touched: str, of: Plan = DEPLOY, **more: object) -> Run:
    return run(called, of, ending, *touched, **more)


def failed(called: str, why: str, of: Plan = DEPLOY) -> Run:
    return deploy(called, Ending.ROLLED_BACK, "i1", of=of, bad=True, cause=why)


def test_a_version_that_failed_is_bad_and_says_why() -> None:
    assert past(failed("r1", "i1: answered 503")).bad(NEW) == "run r1: i1: answered 503"
    assert past(failed("r1", "i1: answered 503")).bad(NEXT) == ""


def test_a_run_that_ended_badly_for_another_reason_is_no_verdict() -> None:
    assert past(deploy("r1", Ending.REFUSED), deploy("r2", Ending.INTERRUPTED, "i1", cause="SIGTERM")).bad(NEW) == ""


def test_a_version_that_was_deployed_well_since_is_not_bad_any_more() -> None:
    assert past(failed("r1", "ill"), deploy("r2", Ending.DEPLOYED, "i1", "i2")).bad(NEW) == ""


def test_a_version_that_failed_after_it_was_good_is_bad() -> None:
    assert past(deploy("r1", Ending.DEPLOYED, "i1"), failed("r2", "ill")).bad(NEW) == "run r2: ill"


def test_a_refused_try_does_not_clear_a_bad_version() -> None:
    assert past(failed("r1", "ill"), deploy("r2", Ending.REFUSED)).bad(NEW) == "run r1: ill"


def test_a_rollback_makes_no_version_bad() -> None:
    stuck = run("r1", BACK, Ending.ROLLBACK_FAILED, "i1", bad=True, cause="ill")
    assert past(stuck).bad(OLD) == ""


CUT_OFF = [None, Ending.INTERRUPTED, Ending.INTERNAL_ERROR, Ending.MIXED, Ending.ROLLBACK_FAILED, Ending.CANNOT_TELL]


@pytest.mark.parametrize("ending", CUT_OFF)
def test_a_run_that_left_the_fleet_half_way_is_unfinished(ending: Ending | None) -> None:
    one = deploy("r1", ending, "i1")
    assert past(one).unfinished() == one


@pytest.mark.parametrize("ending", [ending for ending in Ending if ending not in CUT_OFF])
def test_a_run_that_came_to_its_end_is_not(ending: Ending) -> None:
    assert past(deploy("r1", ending, "i1")).unfinished() is None


def test_a_run_that_touched_nothing_or_goes_on_is_not_unfinished() -> None:
    assert past(deploy("r1", None)).unfinished() is None
    assert past(deploy("r1", None, "i1", alive=True)).unfinished() is None


def test_a_later_run_that_touched_nothing_settles_nothing() -> None:
    one = deploy("r1", None, "i1")
    assert past(one, deploy("r2", Ending.REFUSED), deploy("r3", Ending.LOCKED)).unfinished() == one


def test_a_later_deploy_settles_it() -> None:
    assert past(deploy("r1", None, "i1"), deploy("r2", Ending.DEPLOYED, "i1", "i2")).unfinished() is None


def test_a_rollback_settles_it() -> None:
    assert past(deploy("r1", None, "i1"), run("r2", BACK, Ending.ROLLED_BACK, "i1")).unfinished() is None


def test_a_rollback_that_found_all_back_settles_it_too() -> None:
    assert past(deploy("r1", None, "i1"), run("r2", BACK, Ending.ALREADY_THERE)).unfinished() is None


def test_a_rollback_of_one_environment_does_not_settle_the_others() -> None:
    half = run("r2", plan(move("i1"), goal=Goal.ROLLBACK, version=OLD), Ending.ROLLED_BACK, "i1")
    one = deploy("r1", None, "i1", "i2")
    assert past(one, half).unfinished() == one


def test_a_deploy_that_was_stopped_before_its_first_change_is_idle_while_it_is_the_last() -> None:
    idle = deploy("r2", None)
    assert past(deploy("r1", Ending.DEPLOYED, "i1", "i2"), idle).idle() == idle
    assert past(idle, deploy("r3", Ending.DEPLOYED, "i1", "i2")).idle() is None
    assert past(deploy("r1", Ending.REFUSED)).idle() is None


@pytest.mark.parametrize("ending", [None, Ending.ROLLBACK_FAILED, Ending.INTERRUPTED, Ending.LOCKED])
def test_a_rollback_that_failed_settles_nothing(ending: Ending | None) -> None:
    one = deploy("r1", None, "i1")
    assert past(one, run("r2", BACK, ending, "i1")).unfinished() == one


def test_the_deploy_to_be_undone_is_the_last_that_changed_something() -> None:
    first, second = deploy("r1", Ending.DEPLOYED, "i1"), deploy("r2", Ending.DEPLOYED, "i2")
    history = past(first, second, deploy("r3", Ending.REFUSED), run("r4", BACK, Ending.ROLLED_BACK, "i2"))
    assert history.last_deploy() == second
    assert history.last_deploy(RunId("r1")) == first
    assert history.last_deploy(RunId("r3")) is None
    assert history.last_deploy(RunId("no-such-run")) is None


def test_a_rollback_is_never_undone() -> None:
    assert past(run("r1", BACK, Ending.ROLLED_BACK, "i1")).last_deploy() is None
    assert past(run("r1", BACK, Ending.ROLLED_BACK, "i1")).last_deploy(RunId("r1")) is None


def test_the_ways_of_a_run_are_what_it_touched_and_what_it_was_held_to() -> None:
    held = move("i3")
    one = deploy("r1", None, "i1", of=plan(move("i1"), move("i2"), held=(held,)))
    assert one.ways == {"i3": held, "i1": move("i1")}


def test_an_instance_came_from_what_its_last_deploy_found_there() -> None:
    history = past(
        deploy("r1", Ending.DEPLOYED, "i1", of=plan(move("i1", was=Version("0.9")))),
        deploy("r2", Ending.INTERRUPTED, "i1", of=plan(move("i1", was=OLD), move("i2", was=OLD))),
    )
    assert history.came_from(name("i1"), NEW) == OLD
    assert history.came_from(name("i2"), NEW) is None
    assert history.came_from(name("i1"), NEXT) is None


def test_an_instance_did_not_come_from_the_version_it_went_to() -> None:
    again = deploy("r2", Ending.DEPLOYED, "i1", of=plan(move("i1", was=NEW)))
    assert past(deploy("r1", Ending.DEPLOYED, "i1"), again).came_from(name("i1"), NEW) == OLD


def test_the_last_change_of_an_instance_is_the_last_run_that_touched_it() -> None:
    first, second = deploy("r1", Ending.DEPLOYED, "i1", "i2"), run("r2", BACK, Ending.ROLLED_BACK, "i1")
    assert past(first, second).last_change(name("i1")) == second
    assert past(first, second).last_change(name("i2")) == first
    assert past(first, second).last_change(name("i3")) is None


SKIPPING = plan(move("i1"), skipped=(name("i3"),), instances={name("i1"): move("i1").environment})
MIXED = deploy("r1", Ending.MIXED, "i1", of=SKIPPING)


def test_what_was_left_out_or_left_behind_is_owed() -> None:
    assert past(MIXED).debts() == ("i3",)
    assert past(deploy("r1", Ending.MIXED, "i1", "i2", debts=(name("i2"),))).debts() == ("i2",)


def test_a_debt_is_paid_by_a_deploy_of_the_whole_fleet_that_ended_well() -> None:
    assert past(MIXED, deploy("r2", Ending.DEPLOYED, "i3", of=plan(move("i3")))).debts() == ()


def test_a_debt_is_paid_though_its_instance_was_there_already() -> None:
    assert past(MIXED, deploy("r2", Ending.DEPLOYED, "i1", of=plan(move("i1")))).debts() == ()


@pytest.mark.parametrize("ending", [Ending.REFUSED, Ending.LOCKED, Ending.MIXED, Ending.INTERRUPTED, None])
def test_a_debt_stays_while_no_run_ends_well(ending: Ending | None) -> None:
    assert past(MIXED, deploy("r2", ending, of=plan(move("i3")))).debts() == ("i3",)


def test_the_last_good_version_is_the_last_that_was_deployed() -> None:
    history = past(deploy("r1", Ending.DEPLOYED, "i1"), failed("r2", "ill", plan(move("i1"), version=NEXT)))
    assert history.last_good() == NEW
    assert Past().last_good() is None


BEGIN = Beginning(
    schema=1,
    run=RunId("r1"),
    at="2024-01-01T12:00:00.000+00:00",
    actor="nathan",
    host="h",
    process="1-1.0",
    plan=plan(move("i1"), instances={name("i1"): move("i1").environment}, floors={}),
    baseline=(seen("i1"),),
)
ACTIONS = (TakeLock(Goal.DEPLOY), Look((name("i1"),), 0.0), Switch((Change(name("i1"), OLD, NEW),)))


def test_a_run_that_ended_is_remembered_by_its_last_line() -> None:
    end = End("later", Ending.MIXED, "halted", bad=True, debts=(name("i1"),))
    assert remembered(BEGIN, ACTIONS, (), end, alive=False) == Run(
        RunId("r1"),
        BEGIN.at,
        "nathan",
        BEGIN.plan,
        frozenset({name("i1")}),
        Ending.MIXED,
        "halted",
        bad=True,
        debts=(name("i1"),),
    )


def test_a_run_that_was_cut_off_is_replayed_to_see_whether_the_version_was_bad() -> None:
    dead = seen("i1", None, 102.0, health=Health.ILL, alive=False, says="2.0 exited with 1")
    events = (LockTaken(100.0), Staged(100.0), Proved(100.0), Seen(101.0, (seen("i1", at=101.0),)))
    switched = (*events, Switched(101.0))
    cut = remembered(BEGIN, ACTIONS, switched, None, alive=False)
    assert (cut.ending, cut.bad, cut.cause) == (None, False, "")
    bad = remembered(BEGIN, ACTIONS, (*switched, Seen(102.0, (dead,))), None, alive=False)
    assert (bad.ending, bad.bad, bad.cause) == (None, True, "the process is gone: 2.0 exited with 1")


def test_an_instance_that_was_about_to_be_changed_counts_as_touched() -> None:
    assert remembered(BEGIN, ACTIONS, (), None, alive=False).touched == {"i1"}
    assert remembered(BEGIN, ACTIONS[:2], (), None, alive=True).touched == frozenset()


# Who is out of the balancer


def traffic(called: str, out: dict[str, float], restored: dict[str, float] | None = None) -> Run:
    times = {name(one): at for one, at in out.items()}
    return deploy(called, None, out=times, restored={name(one): at for one, at in (restored or {}).items()})


def test_what_a_run_took_out_is_drained_until_a_run_puts_it_back() -> None:
    first = traffic("r1", {"i1": 10.0, "i2": 11.0})
    assert past(first).drained() == {"i1", "i2"}
    assert past(first, traffic("r2", {}, {"i1": 12.0})).drained() == {"i2"}


def test_of_a_deploy_and_the_rollback_that_it_raised_the_later_word_counts() -> None:
    raised = traffic("r2", {"i2": 22.0}, {"i1": 20.0, "i3": 20.0})
    assert past(traffic("r1", {"i1": 10.0, "i3": 30.0}), raised).drained() == {"i2", "i3"}


DRAIN = Drain((name("i1"), name("i2")), 5.0)


def left(actions: tuple[Action, ...], *events: Event) -> tuple[dict[InstanceName, float], dict[InstanceName, float]]:
    """Return whom a run that ended left out, and whom it put back."""
    end = End("later", Ending.INTERRUPTED, "", bad=False, debts=())
    found = remembered(BEGIN, actions, events, end, alive=False)
    return found.out, found.restored


def test_what_was_drained_and_not_put_back_is_out() -> None:
    out, back = Drained(10.0, DRAIN.instances), Restored(12.0, (name("i1"),))
    assert left((DRAIN, Restore((name("i1"),))), out, back) == ({"i2": 10.0}, {"i1": 12.0})


def test_what_gave_trouble_may_be_out_all_the_same() -> None:
    troubles = (Trouble(name("i2"), "timed out"),)
    assert left((DRAIN,), Drained(10.0, DRAIN.instances, troubles))[0] == {"i1": 10.0, "i2": 10.0}


def test_what_could_not_be_put_back_is_out() -> None:
    back = Restored(12.0, DRAIN.instances, (Trouble(name("i2"), "timed out"),))
    found = left((DRAIN, Restore(DRAIN.instances)), Drained(10.0, DRAIN.instances), back)
    assert found == ({"i2": 10.0}, {"i1": 12.0})


def test_a_drain_that_was_begun_and_cut_off_counts_as_done() -> None:
    assert left((TakeLock(Goal.DEPLOY), DRAIN), LockTaken(9.0)) == ({"i1": 9.0, "i2": 9.0}, {})


def test_a_drain_of_what_was_put_back_before_counts_again() -> None:
    events = (Drained(10.0, DRAIN.instances), Restored(11.0, DRAIN.instances))
    assert left((DRAIN, Restore(DRAIN.instances), DRAIN), *events)[0] == {"i1": 11.0, "i2": 11.0}


def test_a_run_that_only_put_traffic_right_does_not_hide_an_idle_deploy() -> None:
    idle = deploy("r2", None)
    restore = run("r3", plan(move("i1"), goal=Goal.RESTORE), Ending.ALREADY_THERE)
    emptied = run("r4", plan(goal=Goal.ROLLBACK), Ending.ALREADY_THERE)
    assert past(deploy("r1", Ending.DEPLOYED, "i1"), idle, restore, emptied).idle() == idle
