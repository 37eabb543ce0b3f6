"""From a wish and an observation to a plan, or to every reason why there is none."""

from collections.abc import Mapping
from typing import Any

import pytest
from made import NEW, OLD, WATCH, fleet, inventory, move, name, past, plan, release, run, seen, service
from small_world import behind

from deploygate.endings import Ending, Goal
from deploygate.interfaces import Running
from deploygate.inventory import Inventory, Rollout, Service
from deploygate.names import PARALLEL_CHAIN, PRODUCTION, InstanceName, RunId, ServiceName, Version
from deploygate.past import Past
from deploygate.plan import Move, Plan, Planned
from deploygate.planning import plan_deploy
from deploygate.probe import Health, Sighting
from deploygate.report import plan_json
from deploygate.returning import plan_restore, plan_rollback
from deploygate.ways import Argv, BalancerPrograms, Balancing, HAProxy, Plugin
from deploygate.wish import WAIVABLE, Known, Wish

SVC = service()
ILL: dict[str, Any] = {"health": Health.ILL, "says": "/health: answered 503"}
SILENT: dict[str, Any] = {"health": Health.UNKNOWN, "says": "no answer within 1 s", "identity": None}


def known(
    observed: Mapping[InstanceName, Sighting] | None = None,
    history: Past | None = None,
    *running: Running,
) -> Known:
    return Known(fleet() if observed is None else observed, running, history or Past())


def deploy(
    found: Known | None = None,
    *,
    of: Service = SVC,
    beside: Inventory | None = None,
    version: str | None = NEW,
    **wish: Any,
) -> Planned:
    wanted = Wish(of, Version(version) if version else None, **wish)
    return plan_deploy(beside or inventory(of), wanted, found or known())


def rollback(found: Known, *, of: Service = SVC, beside: Inventory | None = None, **wish: Any) -> Planned:
    wanted = Wish(of, wish.pop("version", None), goal=Goal.ROLLBACK, **wish)
    return plan_rollback(beside or inventory(of), wanted, found)


def planned(found: Planned) -> Plan:
    assert isinstance(found, Plan), found
    return found


def refused(found: Planned) -> list[tuple[str, str]]:
    assert isinstance(found, tuple), found
    return [(one.rule, one.says) for one in found]


def names(moves: tuple[Move, ...]) -> list[str]:
    return [one.instance for one in moves]


def waived(rule: str, says: str = "we know") -> dict[str, str]:
    return {rule: says}


# A plan


def test_a_healthy_fleet_is_planned_whole() -> None:
    assert deploy() == plan(
        move("p1"),
        move("i1", bake=7.0),
        move("i2", wave=1),
        move("i3", wave=2),
        expected=23.0,
        worst=564.0,
        watch=WATCH,
    )


def test_environments_come_in_the_inventorys_order_whatever_the_instances_are() -> None:
    turned = service(places={"i1": PRODUCTION, "p1": PARALLEL_CHAIN, "i2": PRODUCTION})
    assert names(planned(deploy(of=turned)).moves) == ["p1", "i1", "i2"]


def test_the_ill_go_first_within_their_environment() -> None:
    found = planned(deploy(known(fleet(seen("i3", **ILL))), waived=waived("baseline")))
    assert names(found.moves) == ["p1", "i3", "i1", "i2"]
    assert [one.serving for one in found.moves] == [True, False, True, True]


def test_only_the_first_production_instance_bakes() -> None:
    found = planned(deploy(known(fleet(seen("i3", **ILL))), waived=waived("baseline")))
    assert [(one.instance, one.bake) for one in found.moves if one.bake] == [("i3", 7.0)]


def test_a_deploy_may_end_before_production() -> None:
    found = planned(deploy(environment=PARALLEL_CHAIN))
    assert (names(found.moves), found.instances, found.floors) == (["p1"], {"p1": PARALLEL_CHAIN}, {PARALLEL_CHAIN: 0})
    assert not any(one.bake for one in found.moves)


def test_what_is_there_already_is_not_moved() -> None:
    found = planned(deploy(known(fleet(seen("i1", NEW)))))
    assert names(found.moves) == ["p1", "i2", "i3"]
    assert [one.bake for one in found.moves] == [0.0, 7.0, 0.0]


@pytest.mark.parametrize("change", [ILL, {"release": "1.0"}, {"version": "2.0.0"}])
def test_what_is_there_but_ill_or_not_what_was_started_is_moved(change: dict[str, Any]) -> None:
    one = seen("i1", **({"version": NEW} | change))
    history = past(run("r1", plan(move("i1")), Ending.DEPLOYED, "i1"))
    assert "i1" in names(planned(deploy(known(fleet(one), history), waived=waived("baseline"))).moves)


def test_a_fleet_that_is_there_has_a_plan_without_moves() -> None:
    found = planned(deploy(known(fleet(version=NEW))))
    assert (found.moves, found.held, found.expected, found.worst) == ((), (), 0.0, 0.0)


def test_without_a_version_the_wanted_one_is_meant() -> None:
    assert planned(deploy(version=None)).version == OLD


def test_planning_twice_gives_the_same_bytes() -> None:
    twice = [plan_json(planned(deploy(waived=waived("way-back"))), SVC) for _ in range(2)]
    assert twice[0] == twice[1]


def test_the_way_back_is_the_way_there_turned_round() -> None:
    assert names(planned(deploy()).way_back) == ["i3", "i2", "i1", "p1"]


def test_each_instance_goes_back_to_what_was_observed_on_it() -> None:
    found = planned(deploy(known(fleet(seen("i2", "1.1")))))
    assert {one.instance: one.was for one in found.moves} == {"p1": OLD, "i1": OLD, "i2": "1.1", "i3": OLD}


def test_what_the_host_started_outweighs_what_the_service_says() -> None:
    found = planned(deploy(known(fleet(seen("i2", "unknown-build", release="1.1")))))
    assert {one.instance: one.was for one in found.moves}[name("i2")] == "1.1"


# Refusals, each in turn


def test_a_version_that_failed_before_is_refused() -> None:
    history = past(run("r1", plan(move("p1")), Ending.ROLLED_BACK, "p1", bad=True, cause="p1: answered 503"))
    says = "Svc 2.0 failed before (run r1: p1: answered 503)"
    assert refused(deploy(known(None, history))) == [("bad-version", says)]
    assert planned(deploy(known(None, history), waived=waived("bad-version"))).waived == {"bad-version": "we know"}


def test_a_run_that_was_cut_off_stops_another_version() -> None:
    history = past(run("r1", plan(move("p1"), version=Version("1.5")), None, "p1"))
    says = "run r1 of Svc 1.5 was cut off and left the fleet half-way"
    assert refused(deploy(known(None, history))) == [("unfinished", says)]
    assert planned(deploy(known(None, history), waived=waived("unfinished"))).version == NEW


def test_a_run_that_was_cut_off_is_told_with_whom_it_left_out_of_the_balancer() -> None:
    moves = plan(move("p1"), move("i1"), version=Version("1.5"))
    history = past(run("r1", moves, None, "p1", out={name("i1"): 5.0}))
    found = deploy(known(fleet(seen("i1", in_service=False)), history), of=BEHIND)
    assert isinstance(found, tuple)
    (unfinished,) = found
    assert unfinished.says == "run r1 of Svc 1.5 was cut off and left the fleet half-way; still out of the balancer: i1"
    assert unfinished.help.endswith(" Until then, deploygate restore Svc puts what is well back into the balancer.")
    back = deploy(known(fleet(seen("i1", in_service=True)), history), of=BEHIND)
    assert refused(back) == [("unfinished", "run r1 of Svc 1.5 was cut off and left the fleet half-way")]


def test_a_waiver_for_a_bad_version_does_not_waive_a_half_done_deploy() -> None:
    bad = run("r1", plan(move("i1")), Ending.ROLLED_BACK, "i1", bad=True)
    half = run("r2", plan(move("i1"), version=Version("3.0")), None, "i1")
    found = refused(deploy(known(None, past(bad, half)), waived=waived("bad-version")))
    assert [rule for rule, _ in found] == ["unfinished"]


def test_an_ill_instance_refuses_the_start() -> None:
    says = "i2 is not healthy before the start: /health: answered 503"
    assert refused(deploy(known(fleet(seen("i2", **ILL))))) == [("baseline", says)]


def test_a_silent_instance_refuses_the_start() -> None:
    says = "i2 is not healthy before the start: no answer within 1 s"
    assert refused(deploy(known(fleet(seen("i2", **SILENT))))) == [("baseline", says)]


def test_a_version_that_cannot_be_told_refuses_the_start() -> None:
    lost = seen("i2", None, says="/version: not JSON")
    assert refused(deploy(known(fleet(lost)))) == [
        ("baseline", "i2 is healthy, but its version cannot be told: /version: not JSON"),
        ("way-back", "what i2 ran before is not known, so there is nothing that it could be taken back to"),
    ]


def test_a_process_that_cannot_be_told_refuses_the_start_and_cannot_be_waived() -> None:
    says = "which process answers as i2 cannot be told, so a restart could not be proven"
    found = known(fleet(seen("i2", identity=None)))
    assert refused(deploy(found)) == [("identity", says)]
    assert "identity" not in WAIVABLE
    assert refused(deploy(found, waived=dict.fromkeys(WAIVABLE, "all of it"))) == [("identity", says)]


def test_no_way_back_refuses_the_start() -> None:
    nothing = seen("i2", None, **ILL, release=None)
    says = "what i2 ran before is not known, so there is nothing that it could be taken back to"
    found = known(fleet(nothing))
    assert ("way-back", says) in refused(deploy(found))
    lost = planned(deploy(found, waived=waived("baseline") | waived("way-back")))
    assert next(one.was for one in lost.moves if one.instance == "i2") is None
    assert "no version to come back to: i2" in lost.unprotected


@pytest.mark.parametrize(("floor", "said"), [(3, "3"), (4, "4")])
def test_a_floor_that_forbids_every_switch_refuses_the_start(floor: int, said: str) -> None:
    says = f"the floor of production is {said}, so none of its 3 instances may be switched"
    assert refused(deploy(of=service(rollout=Rollout(floor=floor)))) == [("floor", says)]
    assert "floor" not in WAIVABLE


@pytest.mark.parametrize("floor", [None, 0, 1, 2])
def test_a_floor_that_leaves_one_to_switch_is_kept(floor: int | None) -> None:
    found = planned(deploy(of=service(rollout=Rollout(floor=floor))))
    assert found.floors == {PARALLEL_CHAIN: 0, PRODUCTION: 2 if floor is None else floor}


CALLER = service("Caller", consumes=("ads 1",), places={})
GIVER = service(
    provides=("ads 1",),
    releases=(release("2.0"), release("3.0", provides=("ads 1",), consumes=("query 2",))),
)
STORE = service("Store", provides=("query 1",), places={})
BESIDE = inventory(GIVER, CALLER, STORE)


def beside(environment: str = "production", **versions: str) -> Running:
    found = {ServiceName(one): frozenset({Version(version)} if version else ()) for one, version in versions.items()}
    return Running(PRODUCTION if environment == "production" else PARALLEL_CHAIN, found)


def test_a_neighbour_that_would_lose_an_interface_refuses_the_start() -> None:
    found = known(None, None, beside(Caller="1.0"))
    says = "Svc 2.0 does not provide ads 1, which Caller 1.0 consumes in production"
    assert refused(deploy(found, of=GIVER, beside=BESIDE)) == [("interface-lost", says)]
    planned(deploy(found, of=GIVER, beside=BESIDE, waived=waived("interface-lost")))


def test_an_interface_that_nobody_gives_refuses_the_start() -> None:
    found = known(None, None, beside(Store="1.0"))
    says = "Svc 3.0 consumes query 2, which Store 1.0 in production lacks"
    assert refused(deploy(found, of=GIVER, beside=BESIDE, version="3.0")) == [("interface-missing", says)]


def test_the_way_back_must_fit_the_neighbours_too() -> None:
    giver = service(provides=("ads 1",), releases=(release("1.0"),))
    found = known(None, None, beside(Caller="1.0"))
    says = "Svc 1.0 does not provide ads 1, which Caller 1.0 consumes in production"
    assert refused(deploy(found, of=giver, beside=inventory(giver, CALLER))) == [("interface-lost", says)]


def test_every_reason_is_told_at_once() -> None:
    history = past(run("r1", plan(move("p1")), Ending.ROLLED_BACK, "p1", bad=True, cause="ill"))
    found = known(fleet(seen("i1", **ILL), seen("i2", identity=None)), history, beside(Caller="1.0"))
    rules = [rule for rule, _ in refused(deploy(found, of=GIVER, beside=BESIDE))]
    assert rules == ["bad-version", "baseline", "identity", "interface-lost"]


# What a plan says it does not guard against


def test_a_plan_says_what_it_does_not_guard_against() -> None:
    single = service(places={"i1": PRODUCTION})
    running = (beside(Caller="1.0", Store=""), beside("parallel-chain", Caller="1.1", Store=""))
    whole = inventory(single, CALLER, STORE)
    found = planned(
        deploy(known(None, None, *running), of=single, beside=whole, waived=waived("way-back", "a new one"))
    )
    assert found.unprotected == (
        "Svc has no instance in parallel-chain: the first candidate runs in production",
        "production has a single instance: it serves nobody while it is switched",
        "Caller runs 1.1 in parallel-chain, and 1.0 in production",
        "interfaces are unchecked in production with Store: nothing answers there",
        "interfaces are unchecked in parallel-chain with Store: nothing answers there",
        "waived, way-back: a new one",
    )


# Skipping within the failure budget

BUDGET = service(rollout=Rollout(bake=7.0, failure_budget=2))


def test_the_unreachable_are_left_out_within_the_failure_budget() -> None:
    found = planned(deploy(known(fleet(seen("i2", **SILENT))), of=BUDGET))
    assert names(found.moves) == ["p1", "i1", "i3"]
    assert (found.skipped, found.failure_budget) == (("i2",), 1)
    assert "i2" not in found.instances
    assert "left out as unreachable: i2" in found.unprotected


def test_more_unreachable_than_the_budget_refuse_the_start() -> None:
    silent = fleet(*(seen(one, **SILENT) for one in ("i1", "i2", "i3")))
    assert [rule for rule, _ in refused(deploy(known(silent), of=BUDGET))] == ["baseline"] * 3


def test_one_that_answers_ill_is_reachable_and_not_left_out() -> None:
    assert [rule for rule, _ in refused(deploy(known(fleet(seen("i2", **ILL))), of=BUDGET))] == ["baseline"]


def test_with_a_broken_baseline_waived_nobody_is_left_out() -> None:
    found = planned(deploy(known(fleet(seen("i2", **SILENT))), of=BUDGET, waived=waived("baseline")))
    assert (names(found.moves), found.skipped) == (["p1", "i2", "i1", "i3"], ())


# A run that was cut off goes on

HALF = past(run("r1", plan(move("p1"), move("i1"), move("i2"), move("i3")), None, "p1", "i1"))


def test_a_resumed_run_holds_what_was_moved_and_knows_the_way_back_from_then() -> None:
    found = planned(deploy(known(fleet(seen("p1", NEW), seen("i1", NEW)), HALF)))
    assert found.held == (move("p1", identity=None), move("i1", identity=None))
    assert names(found.moves) == ["i2", "i3"]
    assert names(found.way_back) == ["i3", "i2", "i1", "p1"]


def test_a_resumed_run_rolls_over_what_it_left_ill() -> None:
    found = planned(deploy(known(fleet(seen("p1", NEW), seen("i1", NEW, **ILL)), HALF)))
    assert names(found.moves) == ["i1", "i2", "i3"]
    assert found.moves[0].was == OLD
    assert found.held == (move("p1", identity=None),)


def test_a_resumed_run_that_is_there_still_watches_all_that_it_moved() -> None:
    moves = (move("p1"), move("i1"), move("i2"), move("i3"))
    history = past(run("r1", plan(*moves), None, "p1", "i1", "i2", "i3"))
    found = planned(deploy(known(fleet(version=NEW), history)))
    assert (found.moves, names(found.held)) == ((), ["p1", "i1", "i2", "i3"])


def test_the_way_back_of_what_is_ill_at_the_wished_version_is_on_record() -> None:
    history = past(run("r1", plan(move("i1")), Ending.DEPLOYED, "i1"))
    found = planned(deploy(known(fleet(seen("i1", NEW, **ILL)), history), waived=waived("baseline")))
    assert next(one.was for one in found.moves if one.instance == "i1") == OLD


# A rollback

DEPLOYED = past(
    run(
        "r1",
        plan(move("p1"), move("i1"), move("i2", was=Version("1.1")), move("i3")),
        Ending.DEPLOYED,
        "p1",
        "i1",
        "i2",
        "i3",
    )
)


def test_a_rollback_goes_to_what_the_last_deploy_found_on_each_instance() -> None:
    found = planned(rollback(known(fleet(version=NEW), DEPLOYED)))
    assert {one.instance: (one.to, one.was) for one in found.moves} == {
        "p1": (NEW, OLD),
        "i1": (NEW, OLD),
        "i2": (NEW, "1.1"),
        "i3": (NEW, OLD),
    }
    assert names(found.way_back) == ["i3", "i2", "i1", "p1"]
    assert (found.goal, found.of_run, found.version, found.worst) == (Goal.ROLLBACK, "r1", OLD, 120.0)


def test_a_rollback_to_a_named_version_takes_every_instance_there() -> None:
    found = planned(rollback(known(fleet(version=NEW), DEPLOYED), version=Version("0.9")))
    assert {one.was for one in found.moves} == {"0.9"}
    assert (names(found.moves), found.version, found.of_run) == (["p1", "i1", "i2", "i3"], "0.9", "")


def test_a_rollback_takes_back_only_what_the_deploy_touched() -> None:
    found = planned(rollback(known(fleet(seen("p1", NEW), seen("i1", NEW)), HALF)))
    assert names(found.moves) == ["p1", "i1"]


def test_a_rollback_spares_what_the_deploy_did_not_come_to_and_says_which_version_it_must_not_show() -> None:
    found = planned(rollback(known(fleet(seen("p1", NEW), seen("i1", NEW)), HALF)))
    assert found.spared == dict.fromkeys(("i2", "i3"), NEW)
    alone = planned(rollback(known(fleet(seen("p1", NEW)), HALF), environment=PARALLEL_CHAIN))
    assert (names(alone.moves), alone.spared) == (["p1"], {})
    named = planned(rollback(known(fleet(seen("p1", NEW)), HALF), version=OLD))
    assert named.spared == {}


def test_of_a_deploy_that_is_not_over_what_runs_its_version_is_taken_back_whatever_is_on_record_yet() -> None:
    whole = plan(move("p1"), move("i1"), move("i2"), move("i3"))
    observed = known(fleet(seen("p1", NEW), seen("i1", NEW)), past(run("r1", whole, None, "p1", alive=True)))
    found = planned(rollback(observed))
    assert (names(found.moves), found.spared) == (["p1", "i1"], dict.fromkeys(("i2", "i3"), NEW))
    ended = known(observed.seen, past(run("r1", whole, Ending.MIXED, "p1")))
    assert names(planned(rollback(ended)).moves) == ["p1"]


def test_a_rollback_may_be_of_one_environment() -> None:
    found = planned(rollback(known(fleet(version=NEW), DEPLOYED), environment=PARALLEL_CHAIN))
    assert (names(found.moves), found.instances) == (["p1"], {"p1": PARALLEL_CHAIN})


def test_a_rollback_of_a_named_run_undoes_that_one() -> None:
    second = run("r2", plan(move("i1", was=NEW, to=Version("3.0")), version=Version("3.0")), Ending.DEPLOYED, "i1")
    history = past(*DEPLOYED.runs, second)
    assert planned(rollback(known(fleet(version=NEW), history))).of_run == "r2"
    assert planned(rollback(known(fleet(version=NEW), history), of_run=RunId("r1"))).of_run == "r1"


def test_without_a_deploy_on_record_there_is_nothing_to_undo() -> None:
    says = "there is nothing to roll Svc back from: no deploy of it is on record"
    assert refused(rollback(known())) == [("nothing-to-undo", says)]
    assert refused(rollback(known(None, DEPLOYED), of_run=RunId("no-such-run"))) == [("nothing-to-undo", says)]
    assert refused(rollback(known(), waived=dict.fromkeys(WAIVABLE, "all of it"))) == [("nothing-to-undo", says)]


def test_a_rollback_is_never_of_a_rollback() -> None:
    undone = run("r2", plan(move("i1", was=NEW, to=OLD), goal=Goal.ROLLBACK, version=OLD), Ending.ROLLED_BACK, "i1")
    assert planned(rollback(known(None, past(*DEPLOYED.runs, undone)))).of_run == "r1"


def test_a_rollback_to_a_version_that_failed_is_refused() -> None:
    history = past(*DEPLOYED.runs, run("r2", plan(move("i1")), Ending.ROLLED_BACK, "i1", bad=True, cause="ill"))
    says = "Svc 2.0 failed before (run r2: ill)"
    assert refused(rollback(known(None, history), version=NEW)) == [("bad-version", says)]
    planned(rollback(known(None, history), version=NEW, waived=waived("bad-version")))


def test_a_rollback_by_hand_minds_its_neighbours_and_a_raised_one_was_proven_before() -> None:
    giver = service(provides=("ads 1",), releases=(release("1.0"), release("1.1")))
    whole = inventory(giver, CALLER)
    found = known(fleet(version=NEW), DEPLOYED, beside(Caller="1.0"))
    assert {rule for rule, _ in refused(rollback(found, of=giver, beside=whole))} == {"interface-lost"}
    planned(rollback(found, of=giver, beside=whole, of_run=RunId("r1"), raised=True))


def test_a_rollback_needs_no_healthy_fleet() -> None:
    ill = fleet(*(seen(one, NEW, **ILL) for one in ("p1", "i1", "i2", "i3")))
    assert names(planned(rollback(known(ill, DEPLOYED))).moves) == ["p1", "i1", "i2", "i3"]


def test_a_rollback_to_nothing_must_be_waived_by_hand() -> None:
    history = past(run("r1", plan(move("i1", was=None)), None, "i1"))
    says = "what i1 ran before is not known, so there is nothing that it could be taken back to"
    assert refused(rollback(known(fleet(version=NEW), history))) == [("way-back", says)]
    assert planned(rollback(known(fleet(version=NEW), history), waived=waived("way-back"))).moves[0].was is None
    assert planned(rollback(known(fleet(version=NEW), history), of_run=RunId("r1"), raised=True)).moves[0].was is None


def test_an_instance_that_left_the_inventory_is_not_taken_back() -> None:
    smaller = service(places={"p1": PARALLEL_CHAIN, "i1": PRODUCTION})
    assert names(planned(rollback(known(fleet(version=NEW), DEPLOYED), of=smaller)).moves) == ["p1", "i1"]
    assert name("i2") not in planned(rollback(known(fleet(version=NEW), DEPLOYED), of=smaller)).instances


def test_a_rollback_does_not_reach_past_a_deploy_that_was_stopped_before_it_changed_anything() -> None:
    history = past(*DEPLOYED.runs, run("r2", plan(move("i1")), None))
    says = "run r2 of Svc 2.0 was stopped before it changed anything"
    assert refused(rollback(known(fleet(version=NEW), history))) == [("nothing-to-undo", says)]
    assert planned(rollback(known(fleet(version=NEW), history), version=OLD)).goal is Goal.ROLLBACK
    assert planned(rollback(known(fleet(version=NEW), history), of_run=RunId("r1"))).of_run == "r1"


def test_a_rollback_does_not_reach_past_a_deploy_that_is_under_way_and_has_changed_nothing_yet() -> None:
    history = past(*DEPLOYED.runs, run("r2", plan(move("i1")), None, alive=True))
    says = "run r2 of Svc 2.0 is under way and has not changed anything yet"
    assert refused(rollback(known(None, history))) == [("nothing-to-undo", says)]
    found = planned(rollback(known(fleet(seen("i1", NEW)), history)))  # but it has, though that is not on record yet
    assert (names(found.moves), found.of_run) == (["i1"], "r2")


def test_a_skipped_instance_does_not_count_for_the_floor_that_nobody_set() -> None:
    silent = fleet(seen("i2", None, health=Health.ILL, says="connection refused"))
    found = planned(deploy(known(silent), of=service(rollout=Rollout(failure_budget=1))))
    assert (found.skipped, found.floors) == (("i2",), {PARALLEL_CHAIN: 0, PRODUCTION: 1})


def test_the_last_good_release_is_kept_installed() -> None:
    assert planned(deploy(known(fleet(version=NEW), DEPLOYED), version=Version("3.0"))).keep == (NEW,)


# Behind a balancer

BEHIND = behind()


def test_a_plan_says_who_is_behind_the_balancer_and_counts_the_draining() -> None:
    found = planned(deploy(of=BEHIND))
    assert (found.balanced, found.drain, found.out, found.apart) == (("i1", "i2", "i3"), 5.0, (), ())
    alone = planned(deploy(of=service(rollout=BEHIND.rollout)))
    each = 3 * 4 * (5.0 + 10.0)  # each instance is drained and put back, on the way there and on both ways back
    assert found.worst - alone.worst == each + 2 * (20.0 + 10.0)  # who is not in the balancer yet is waited for
    assert found.expected == alone.expected


def test_what_somebody_has_taken_out_refuses_the_start_and_is_no_part_of_the_floor_when_waived() -> None:
    found = known(fleet(seen("i2", in_service=False)))
    says = "i2 is healthy, but the balancer sends it nothing, and no run of the gate has taken it out"
    assert refused(deploy(found, of=BEHIND)) == [("baseline", says)]
    rolled = planned(deploy(found, of=BEHIND, waived=waived("baseline")))
    assert (rolled.apart, rolled.floors) == (("i2",), {PARALLEL_CHAIN: 0, PRODUCTION: 1})
    assert {one.instance: one.serving for one in rolled.moves} == {"p1": True, "i1": True, "i2": False, "i3": True}


def test_what_somebody_has_taken_out_does_not_refuse_a_deploy_that_changes_nothing() -> None:
    found = planned(deploy(known(fleet(seen("i2", NEW, in_service=False), version=NEW)), of=BEHIND))
    assert (found.idle, found.apart) == (True, ("i2",))


def test_a_balancer_that_should_tell_and_does_not_refuses_the_start() -> None:
    balancers = (HAProxy(("/run/a.sock",), "ads"), BalancerPrograms(Argv(("drain",)), Argv(("restore",))), Plugin("x"))
    rules = [refused_or_none(deploy(of=service(balancer=Balancing(by)))) for by in balancers]
    says = "the balancer does not say whether it sends traffic to i1, i2, i3, so nobody could be taken out of it"
    assert rules == [[("balancer", says)], None, None]
    planned(deploy(of=service(balancer=Balancing(balancers[0])), waived=waived("balancer")))
    well = known(fleet(*(seen(one, in_service=True) for one in ("i1", "i2", "i3"))))
    planned(deploy(well, of=service(balancer=Balancing(balancers[0]))))


def refused_or_none(found: Planned) -> list[tuple[str, str]] | None:
    return None if isinstance(found, Plan) else refused(found)


OUT = past(run("r1", plan(move("i1")), None, out={name("i1"): 5.0}))


def test_what_a_run_left_out_is_put_back_by_a_deploy_though_nothing_is_to_be_moved() -> None:
    found = planned(deploy(known(fleet(version=NEW), OUT), of=BEHIND))
    assert (found.idle, found.moves, found.out, found.worst) == (False, (), ("i1",), 20.0)


def test_one_that_is_left_out_and_can_not_be_told_serves_nobody() -> None:
    unknown = planned(deploy(known(None, OUT), of=BEHIND))
    there = planned(deploy(known(fleet(seen("i1", in_service=True)), OUT), of=BEHIND))
    assert [(one.out, next(m.serving for m in one.moves if m.instance == "i1")) for one in (unknown, there)] == [
        (("i1",), False),
        ((), True),
    ]


def test_a_run_that_resumes_may_take_as_long_as_it_takes_to_take_all_back() -> None:
    moves = (move("p1"), move("i1"), move("i2"), move("i3"))
    history = past(run("r1", plan(*moves), None, "p1", "i1", "i2", "i3"))
    held = planned(deploy(known(fleet(version=NEW), history)))
    assert (held.moves, held.expected, held.worst >= 4 * 2 * 30.0) == ((), 0.0, True)


def test_a_rollback_may_only_put_traffic_right() -> None:
    idle = past(run("r1", plan(move("i1")), None, out={name("i1"): 5.0}))
    found = planned(rollback(known(None, idle), of=BEHIND))
    assert (found.moves, found.out, found.instances) == ((), ("i1",), dict.fromkeys(("i1", "i2", "i3"), PRODUCTION))


def test_a_rollback_of_one_environment_leaves_the_traffic_of_the_others() -> None:
    history = past(run("r1", plan(move("p1"), move("i1")), Ending.INTERRUPTED, "p1", "i1", out={name("i1"): 5.0}))
    found = planned(rollback(known(fleet(seen("p1", NEW)), history), of=BEHIND, environment=PARALLEL_CHAIN))
    assert (names(found.moves), found.out, found.instances) == (["p1"], (), {"p1": PARALLEL_CHAIN})


def test_a_rollback_of_a_run_that_is_not_on_record_is_refused_though_one_is_left_out() -> None:
    found = rollback(known(None, OUT), of=BEHIND, of_run=RunId("no-such-run"))
    assert [rule for rule, _ in refused(found)] == ["nothing-to-undo"]


def test_restore_is_a_plan_that_changes_nothing() -> None:
    found = planned(plan_restore(Wish(BEHIND, None, goal=Goal.RESTORE), known(fleet(seen("i1", NEW)), OUT)))
    stays = Move(name("i1"), PRODUCTION, to=NEW, was=NEW)
    assert found == Plan(
        goal=Goal.RESTORE,
        service=BEHIND.name,
        version=OLD,
        moves=(stays,),
        watch=WATCH,
        instances={name("i1"): PRODUCTION},
        floors={},
        worst=(10.0 + 20.0 + 10.0) + (20.0 + 10.0),
        balanced=(name("i1"),),
        drain=5.0,
        back_in=10.0,
        out=(name("i1"),),
    )


def test_restore_has_nothing_to_do_where_nothing_was_left_out() -> None:
    assert planned(plan_restore(Wish(BEHIND, None, goal=Goal.RESTORE), known())).idle
