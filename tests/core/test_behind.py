"""Who is out of the balancer, and by whose doing: what is observed counts more than what is remembered."""

from made import fleet, move, name, past, plan, run, seen, service
from small_world import behind

from deploygate.behind import apart, left_out, patience, traffic
from deploygate.endings import Ending
from deploygate.past import Past
from deploygate.probe import Health, Sighting
from deploygate.ways import Balancing, Plugin
from deploygate.wish import Known

SVC = behind()
DRAINED = past(run("r1", plan(move("i1")), None, out={name("i1"): 5.0, name("i2"): 6.0}))


def known(*changed: Sighting, history: Past = DRAINED) -> Known:
    return Known(fleet(*changed), (), history)


def test_what_a_run_took_out_is_left_out_where_nobody_can_tell() -> None:
    assert left_out(SVC, known()) == ("i1", "i2")


def test_what_is_seen_in_service_is_not_left_out_whatever_is_remembered() -> None:
    assert left_out(SVC, known(seen("i1", in_service=True), seen("i2", in_service=False))) == ("i2",)


def test_what_is_seen_out_and_no_run_took_out_is_somebody_elses() -> None:
    found = known(seen("i1", in_service=False), seen("i3", in_service=False))
    assert (left_out(SVC, found), apart(SVC, found)) == (("i1", "i2"), ("i3",))


def test_what_is_drained_as_a_gate_drains_is_a_gates_though_no_run_is_on_record() -> None:
    out = seen("i1", in_service=False)
    found = Known(fleet(out, seen("i3", in_service=False)), (), Past(), drained=frozenset({name("i1")}))
    assert (left_out(SVC, found), apart(SVC, found)) == (("i1",), ("i3",))


def test_what_is_ill_is_out_by_the_balancers_own_doing() -> None:
    assert apart(SVC, known(seen("i3", in_service=False, health=Health.ILL))) == ()


def test_what_a_run_put_back_is_not_left_out() -> None:
    back = run("r2", plan(move("i1")), Ending.ALREADY_THERE, restored={name("i1"): 7.0})
    assert left_out(SVC, known(history=Past((*DRAINED.runs, back)))) == ("i2",)


def test_only_the_environments_of_the_balancer_are_behind_it() -> None:
    wide = service(balancer=Balancing(Plugin("x"), environments=("production", "parallel-chain")))
    out = past(run("r1", plan(move("p1")), None, out={name("p1"): 5.0}))
    assert (left_out(SVC, known(history=out)), left_out(wide, known(history=out))) == ((), ("p1",))


def test_a_plan_says_of_the_balancer_what_concerns_its_instances() -> None:
    found = known(seen("i3", in_service=False))
    assert traffic(SVC, found, (name("p1"), name("i1"), name("i3"))) == {
        "balanced": ("i1", "i3"),
        "drain": 5.0,
        "back_in": 10.0,
        "out": ("i1",),
        "apart": ("i3",),
    }


def test_without_a_balancer_there_is_nothing_to_say() -> None:
    alone = service()
    assert patience(alone) == 0.0
    assert traffic(alone, known(), fleet()) == {
        "balanced": (), "drain": 0.0, "back_in": 0.0, "out": (), "apart": (),
    }  # fmt: skip
