"""Runs are remembered by GitHub's deployments: what a whole run writes, what the next one reads, and what it costs."""

from collections.abc import Iterator
from contextlib import closing

import pytest
from made import NEW, OLD, inventory, move, name, plan, run, seen, service
from remembering import FUSE, Forge, NoJournal
from small_world import SmallWorld

from deploygate.adapters.github import memory as memories
from deploygate.adapters.github.memory import Memory
from deploygate.adapters.github.records import ALIVE, EARLIER, RUNS, STATUSES, Records
from deploygate.adapters.github.trouble import GitHubTrouble
from deploygate.closing import Course, description
from deploygate.drive import drive
from deploygate.endings import Ending, Goal
from deploygate.events import Change, LockHeld, LockTaken, Switch, TakeLock
from deploygate.fake_github import FakeGitHub
from deploygate.names import PARALLEL_CHAIN, PRODUCTION, RunId, ServiceName, Version
from deploygate.past import Past
from deploygate.perform import World, look_at
from deploygate.plan import Plan
from deploygate.planning import plan_deploy
from deploygate.records import Authored, GitHubRun, payload, records
from deploygate.returning import plan_rollback
from deploygate.rollout import Rollout
from deploygate.wish import Known, Wish

SVC = ServiceName("Svc")
CHAIN, PROD = "parallel-chain/Svc", "production/Svc"
DEPLOYMENTS = "/repos/acme/shop/deployments"
BY = Authored("nathan", "then", "", GitHubRun(4711))
WHOLE = plan(move("p1"), move("i1"), move("i2"))


@pytest.fixture
def forge() -> Iterator[Forge]:
    with FakeGitHub() as github, closing(Forge(github)) as forge:
        yield forge


def carried_out(
    world: SmallWorld, memory: Memory, version: Version | None = NEW, goal: Goal = Goal.DEPLOY, **more: object
) -> Rollout:
    """Plan and drive one run of which nothing is remembered but what is on record."""
    everything = World(RunId("this"), world, world, world, world, world, world)
    found = look_at(everything, world.service, [one.name for one in world.service.instances]).sightings
    known = Known({one.instance: one for one in found}, (), Past(memory.past(SVC)))
    wish = Wish(world.service, version, goal=goal, **more)  # type: ignore[arg-type]
    planned = (plan_deploy if goal is Goal.DEPLOY else plan_rollback)(inventory(world.service), wish, known)
    assert isinstance(planned, Plan), planned
    baseline = tuple(known.seen[one] for one in planned.instances)
    return drive(everything, world.service, planned, baseline, memory, lambda _rollout, _action, _event: None)


def test_a_good_deploy_is_a_success_of_each_environment(forge: Forge) -> None:
    memory, records, errands = forge.memory("r1")
    assert carried_out(SmallWorld(service()), memory).ending is Ending.DEPLOYED
    assert errands.finish(FUSE)
    assert forge.shown() == [
        (CHAIN, ["in_progress: under way", "success: deployed"]),
        (PROD, ["in_progress: under way", "success: deployed"]),
    ]
    assert list(records.opened) == [PARALLEL_CHAIN, PRODUCTION]
    assert forge.notes == []


def test_a_failed_deploy_is_a_failure_where_it_got_to_and_is_remembered_as_bad(forge: Forge) -> None:
    world = SmallWorld(service(), ill={("p1", NEW)})
    memory, _, errands = forge.memory("r1")
    assert carried_out(world, memory).ending is Ending.ROLLED_BACK
    assert errands.finish(FUSE)
    (_, chain), (_, production) = forge.shown()
    assert [said.split(": ")[0] for said in chain] == ["in_progress", "failure"]
    assert [said.split(": ")[0] for said in production] == ["inactive"]
    later, _, _ = forge.memory("r2", run_id=4712)
    past = Past(later.past(SVC))
    assert past.bad(NEW).startswith("run r1: answered 503")
    assert past.unfinished() is None
    assert past.runs[0].touched == {"p1"}
    assert past.runs[0].github_run == 4711


def test_a_rollback_by_hand_goes_by_the_records_alone(forge: Forge) -> None:
    world = SmallWorld(service())
    for called, goal, version in (("r1", Goal.DEPLOY, NEW), ("r2", Goal.ROLLBACK, None)):
        memory, _, errands = forge.memory(called)
        carried_out(world, memory, version, goal)
        assert errands.finish(FUSE)
    assert {version for version, _ in world.running.values()} == {OLD}
    assert [(one, said[-1]) for one, said in forge.shown()] == [
        (CHAIN, "inactive: "),  # GitHub does that by itself
        (PROD, "inactive: superseded by run r2"),
        (CHAIN, "success: rolled_back"),
        (PROD, "success: rolled_back"),
    ]
    last, _, _ = forge.memory("r3")
    assert [(one.run, one.ending) for one in last.past(SVC)] == [
        ("r1", Ending.DEPLOYED),
        ("r2", Ending.ROLLED_BACK),
    ]


def test_asked_a_second_time_the_past_is_what_is_on_record_by_then(forge: Forge) -> None:
    memory, _, errands = forge.memory("r1", run_id=4711)
    memory.begin(WHOLE, ())
    memory.after(LockTaken(1.0))
    other, _, _ = forge.memory("r2", run_id=4712)
    assert [(one.touched, one.ending) for one in other.past(SVC)] == [(frozenset(), None)]
    memory.before(Switch((Change(name("p1"), OLD, NEW),)))
    errands.ask(lambda: None, FUSE)
    assert [one.touched for one in other.past(SVC)] == [frozenset({"p1"})]
    memory.end(Ending.INTERRUPTED, "stopped", bad=False, debts=())
    errands.ask(lambda: None, FUSE)
    third, _, _ = forge.memory("r3", run_id=4713)
    third.begin(WHOLE, ())
    third.after(LockTaken(1.0))
    assert [(one.run, one.ending) for one in other.past(SVC)] == [("r1", Ending.INTERRUPTED), ("r3", None)]
    asked = len(forge.github.requests)
    other.past(SVC)
    assert "GET /repos/acme/shop/deployments/N/statuses" in forge.asked(asked)
    assert len(forge.asked(asked)) <= 1 + 3 + ALIVE  # what is closed is not asked again


def test_trap_13_what_production_served_before_is_made_inactive_by_us(forge: Forge) -> None:
    world = SmallWorld(service())
    for called, version in (("r1", NEW), ("r2", Version("3.0"))):
        memory, _, errands = forge.memory(called)
        carried_out(world, memory, version)
        assert errands.finish(FUSE)
    assert [(one, said[-1]) for one, said in forge.shown()] == [
        (CHAIN, "inactive: "),
        (PROD, "inactive: superseded by run r2"),
        (CHAIN, "success: deployed"),
        (PROD, "success: deployed"),
    ]


def test_trap_11_f9_services_of_one_environment_do_not_make_each_other_inactive(forge: Forge) -> None:
    for called, of in (("r1", "Svc"), ("r2", "Other")):
        records = forge.records()
        planned = plan(move("p1"), service=ServiceName(of))
        records.open(planned, RunId(called), BY)
        records.close(RunId(called), Course(planned), Ending.DEPLOYED, (), "deployed")
    assert forge.shown() == [(CHAIN, ["success: deployed"]), ("parallel-chain/Other", ["success: deployed"])]


def test_trap_12_f8_our_own_pending_status_does_not_refuse_the_record_and_nothing_is_merged(forge: Forge) -> None:
    sha = forge.repository.sha()
    forge.repository.status(sha, "deploygate/production/Svc", "pending")
    forge.records().open(WHOLE, RunId("r1"), BY)
    first = next(one for one in forge.github.requests if one.method == "POST")
    assert (first.body["auto_merge"], first.body["required_contexts"]) == (False, [])
    assert (first.body["ref"], first.body["task"]) == (sha, "deploygate:Svc")
    assert len(forge.repository.deployments) == 2
    assert [one.production for one in forge.repository.deployments.values()] == [False, True]


@pytest.mark.parametrize(("status", "body"), [(202, {"message": "Auto-merged main into x."}), (409, None)])
def test_trap_12_an_answer_without_a_deployment_is_no_record_and_does_not_hold_up_the_run(
    forge: Forge, status: int, body: dict[str, str] | None
) -> None:
    forge.github.fault("POST", DEPLOYMENTS, status=status, body=body, times=None)
    memory, records, errands = forge.memory("r1")
    assert carried_out(SmallWorld(service()), memory).ending is Ending.DEPLOYED
    assert errands.finish(FUSE)
    assert (records.opened, forge.shown(), len(forge.notes)) == ({}, [], 1)
    assert forge.notes[0].startswith("this run is not on record: ")
    forge.github.violations.clear()  # 202 without a deployment has another form


def test_trap_f7_a_record_of_which_it_is_not_known_whether_it_was_made_is_looked_for_and_not_made_again(
    forge: Forge,
) -> None:
    forge.github.fault("POST", DEPLOYMENTS, cut=True, after_handling=True)
    records = forge.records()
    records.open(WHOLE, RunId("r1"), BY)
    assert list(records.opened.values()) == list(forge.repository.deployments)
    assert forge.asked().count(f"POST {DEPLOYMENTS}") == 2 == len(forge.repository.deployments)


def test_trap_f7_one_that_never_arrived_is_not_sent_again_either(forge: Forge) -> None:
    forge.github.fault("POST", DEPLOYMENTS, status=502)
    with pytest.raises(GitHubTrouble, match="not known"):
        forge.records().open(WHOLE, RunId("r1"), BY)
    assert forge.asked() == [f"POST {DEPLOYMENTS}", f"GET {DEPLOYMENTS}"]


def test_a_run_that_does_not_get_the_lock_leaves_no_record(forge: Forge) -> None:
    memory, _, errands = forge.memory("r1")
    memory.begin(WHOLE, ())
    memory.before(TakeLock(Goal.DEPLOY))
    memory.after(LockHeld(1.0, "another"))
    memory.end(Ending.LOCKED, "another", bad=False, debts=())
    assert errands.finish(FUSE)
    assert forge.asked() == []


def test_a_restore_leaves_no_record(forge: Forge) -> None:
    memory, _, errands = forge.memory("r1")
    memory.begin(plan(move("i1"), goal=Goal.RESTORE), ())
    memory.after(LockTaken(1.0))
    memory.end(Ending.ALREADY_THERE, "", bad=False, debts=())
    assert errands.finish(FUSE)
    assert forge.asked() == []


def test_records_are_there_when_the_lock_is_said_to_be_taken(forge: Forge) -> None:
    memory, records, _ = forge.memory("r1")
    memory.begin(WHOLE, ())
    memory.after(LockTaken(1.0))
    assert list(records.opened.values()) == list(forge.repository.deployments)
    memory.after(LockTaken(2.0))  # the way back takes it again
    assert len(forge.repository.deployments) == 2


@pytest.mark.parametrize("ending", [Ending.REFUSED, Ending.INTERRUPTED])
def test_a_run_that_ends_before_its_first_change_is_inactive(forge: Forge, ending: Ending) -> None:
    memory, _, errands = forge.memory("r1")
    memory.begin(WHOLE, ())
    memory.after(LockTaken(1.0))
    memory.end(ending, "SIGTERM", bad=False, debts=())
    assert errands.finish(FUSE)
    assert forge.shown() == [(CHAIN, [f"inactive: {ending}: SIGTERM"]), (PROD, [f"inactive: {ending}: SIGTERM"])]
    later, _, _ = forge.memory("r2", run_id=4712)
    assert later.past(SVC)[0].touched == frozenset()


def test_the_inner_journal_has_everything_and_its_runs_win(forge: Forge) -> None:
    mine = run("r1", WHOLE, Ending.ROLLED_BACK, "i1", bad=True, cause="all of what it said")
    records = forge.records(run_id=9)
    records.open(WHOLE, RunId("r1"), Authored("nathan", "then", "", GitHubRun(9)))
    records.close(RunId("r1"), Course(WHOLE), Ending.ROLLED_BACK, (), description(Ending.ROLLED_BACK, "all", bad=True))
    memory, _, _ = forge.memory("r2", mine)
    (found,) = memory.past(SVC)
    assert (found.cause, found.touched, found.github_run) == ("all of what it said", frozenset({name("i1")}), 9)
    inner = NoJournal()
    whole = Memory(inner, records, forge.memory("x")[2], RunId("r3"), BY, forge.notes.append)
    whole.begin(WHOLE, (seen("i1"),))
    whole.before(Switch((Change(name("i1"), OLD, NEW),)))
    whole.after(LockHeld(1.0, "x"))
    whole.end(Ending.LOCKED, "x", bad=False, debts=())
    assert inner.lines == ["begin 2.0, 1 seen", "before Switch", "after LockHeld", "end locked x False ()"]


def cut_off(forge: Forge, called: str, run_id: int, *, began: bool = True) -> Records:
    """Leave a run that was killed after it had begun."""
    records = forge.records(run_id)
    by = Authored("nathan", "then", "", GitHubRun(run_id))
    records.open(WHOLE, RunId(called), by)
    if began:
        records.in_progress(PARALLEL_CHAIN)
    return records


@pytest.mark.parametrize(("status", "alive"), [("in_progress", True), ("waiting", True), ("completed", False)])
def test_a_run_without_an_ending_is_alive_while_its_workflow_run_goes_on(
    forge: Forge,
    status: str,
    alive: bool,  # noqa: FBT001 - a parameter
) -> None:
    going = forge.repository.run(forge.repository.workflow("deploy.yml"))
    going.move(status, "cancelled" if status == "completed" else None)
    cut_off(forge, "r1", going.number)
    (found,) = forge.records(run_id=going.number + 1).past(SVC)
    assert (found.alive, found.touched, found.ending) == (alive, frozenset({name("p1")}), None)


def test_trap_28_an_earlier_attempt_of_a_workflow_run_is_over_once_a_later_one_has_begun(forge: Forge) -> None:
    going = forge.repository.run(forge.repository.workflow("deploy.yml"))
    cut_off(forge, "r1", going.number)
    going.attempt()
    (found,) = forge.records(run_id=going.number + 1).past(SVC)
    assert not found.alive
    assert Past((found,)).unfinished() == found


def test_trap_28_the_post_step_finds_what_its_own_attempt_has_left_open(forge: Forge) -> None:
    sha = forge.repository.sha()
    records = cut_off(forge, "r1", 4711)
    cut_off(forge, "r2", 4712)
    left = forge.records().unclosed(4711, 1, sha)
    assert [(one.id, one.record.run, one.record.service, one.record.environment, one.begun) for one in left] == [
        (records.opened[PRODUCTION], "r1", "Svc", "production", False),
        (records.opened[PARALLEL_CHAIN], "r1", "Svc", "parallel-chain", True),
    ]
    assert forge.records().unclosed(4711, 2, sha) == ()
    line = description(Ending.INTERRUPTED, "the gate was killed; p1 was seen at 2.0", out=None)
    for one in left:
        forge.records().mark(one.id, "error" if one.begun else "inactive", line)
    assert forge.records().unclosed(4711, 1, sha) == ()
    (found, _) = forge.records(1).past(SVC)
    assert (found.ending, found.cause, found.touched) == (
        Ending.INTERRUPTED,
        "the gate was killed; p1 was seen at 2.0",
        frozenset({name("p1")}),
    )


def test_trap_27_a_rollback_finds_its_ending_by_the_run_that_it_undoes_and_by_its_workflow_run(forge: Forge) -> None:
    back = plan(move("i1"), goal=Goal.ROLLBACK, version=OLD, of_run="r1")
    records = forge.records(run_id=99)
    records.open(back, RunId("r2"), Authored("nathan", "then", "", GitHubRun(99)))
    assert (found := forge.records().rollback_of(SVC, RunId("r1"), 99)) is not None
    assert found.ending is None
    course = Course(back)
    records.close(RunId("r2"), course, Ending.ROLLED_BACK, (), "rolled_back")
    asked = forge.records()
    assert (found := asked.rollback_of(SVC, RunId("r1"), 99)) is not None
    assert (found.run, found.ending) == ("r2", Ending.ROLLED_BACK)
    assert asked.rollback_of(SVC, RunId("r0"), 99) is None
    assert asked.rollback_of(SVC, RunId("r1"), 98) is None


def test_trap_10_deployments_of_others_and_what_nobody_can_read_are_passed_over(forge: Forge) -> None:
    cut_off(forge, "r1", 4711)
    record = payload(records(RunId("r2"), WHOLE, BY)[0])
    hub = forge.hub()
    for given, environment in (
        (record, "production/Svc"),
        ({"x": 1}, CHAIN),
        ("[[[", CHAIN),
        (record | {"plan": "!"}, CHAIN),
    ):
        wanted: dict[str, object] = {
            "ref": forge.repository.sha(), "task": "deploygate:Svc", "payload": given, "environment": environment,
            "auto_merge": False, "required_contexts": [],
        }  # fmt: skip
        hub.repo.requester.requestJsonAndCheck("POST", DEPLOYMENTS, input=wanted)
    assert [one.run for one in forge.records().past(SVC)] == ["r1"]


def ended(forge: Forge, called: str, ending: Ending) -> None:
    records = forge.records()
    records.open(WHOLE, RunId(called), BY)
    records.close(RunId(called), Course(WHOLE), ending, (), description(ending))


def test_a_deploy_costs_a_few_calls_for_each_environment_and_none_for_an_instance(forge: Forge) -> None:
    for number in range(RUNS + 2):
        ended(forge, f"r{number:02}", Ending.DEPLOYED)
    begun = len(forge.github.requests)
    memory, _, errands = forge.memory("r99")
    planned = carried_out(SmallWorld(service()), memory)
    assert errands.finish(FUSE)
    assert len(planned.plan.moves) == 4
    statuses = f"{DEPLOYMENTS}/N/statuses"
    assert forge.asked(begun) == [
        f"GET {DEPLOYMENTS}",
        *[f"GET {statuses}"] * RUNS,  # the environment that comes last tells for the others
        *[f"POST {DEPLOYMENTS}"] * 2,
        *[f"POST {statuses}"] * 5,  # two in progress, two ended, and what production served before
    ]


def test_reading_the_past_is_bounded_however_runs_have_ended(forge: Forge) -> None:
    going = forge.repository.run(forge.repository.workflow("deploy.yml"))
    for number in range(RUNS + 5):
        cut_off(forge, f"r{number:02}", going.number)
    records = forge.records(run_id=going.number + 1)
    begun = len(forge.github.requests)
    found = records.past(SVC)
    asked = forge.asked(begun)
    assert [one.run for one in found] == [f"r{number:02}" for number in range(5, 15)]
    assert asked.count("GET /repos/acme/shop/actions/runs/N") == ALIVE
    assert len(asked) <= 1 + STATUSES + ALIVE
    assert EARLIER < RUNS


NOT_ALLOWED = {"deployments": "none", "contents": "read"}


def test_without_permission_the_run_goes_on_and_each_trouble_is_said_once(forge: Forge) -> None:
    forge.permissions = NOT_ALLOWED
    memory, records, errands = forge.memory("r1")
    assert carried_out(SmallWorld(service()), memory).ending is Ending.DEPLOYED
    assert memory.past(SVC) == ()
    assert errands.finish(FUSE)
    assert records.opened == {}
    assert [note.split(":")[0] for note in forge.notes] == [
        "earlier runs can't be read from GitHub, so what they left is not known here",
        "this run is not on record",
    ]


def test_a_record_that_could_not_be_marked_is_closed_all_the_same(forge: Forge) -> None:
    forge.github.fault("POST", f"{DEPLOYMENTS}/*/statuses", status=500, times=1)
    memory, _, errands = forge.memory("r1")
    assert carried_out(SmallWorld(service()), memory).ending is Ending.DEPLOYED
    assert errands.finish(FUSE)
    assert forge.shown() == [(CHAIN, ["success: deployed"]), (PROD, ["success: deployed"])]
    assert len(forge.notes) == 1
    assert forge.notes[0].startswith("the record does not say that parallel-chain is being changed: ")


def test_a_github_that_does_not_answer_holds_up_a_run_for_a_bounded_time(
    forge: Forge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memories, "OPENING", 0.05)
    forge.github.fault("POST", DEPLOYMENTS, delay=1.0, times=1)
    memory, _, errands = forge.memory("r1")
    memory.begin(WHOLE, ())
    memory.after(LockTaken(1.0))
    assert forge.notes == ["GitHub did not open records within 50 ms; the run does not wait for them"]
    memory.end(Ending.REFUSED, "", bad=False, debts=())
    assert errands.finish(FUSE)  # what was begun is brought to its end
    assert [said for _, said in forge.shown()] == [["inactive: refused"]] * 2


def test_a_halted_deploy_is_a_success_where_all_went_well_and_a_failure_where_not() -> None:
    course = Course(WHOLE)
    for one in ("p1", "i1"):
        course.before(Switch((Change(name(one), OLD, NEW),)))
    course.before(Switch((Change(name("i1"), NEW, OLD),)))
    assert course.state(PARALLEL_CHAIN, Ending.MIXED, ()) == "success"
    assert course.state(PARALLEL_CHAIN, Ending.MIXED, (name("p1"),)) == "failure"
    assert course.state(PRODUCTION, Ending.MIXED, ()) == "failure"
    assert course.state(PRODUCTION, Ending.INTERRUPTED, ()) == "error"


def test_each_status_leads_to_the_run_of_the_workflow(forge: Forge) -> None:
    cut_off(forge, "r1", 4711)
    said = next(iter(forge.repository.deployments.values())).statuses
    assert [one.log_url for one in said] == ["https://github.example/acme/shop/actions/runs/4711/attempts/1"]
