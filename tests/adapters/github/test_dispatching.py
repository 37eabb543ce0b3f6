"""A workflow is dispatched once and never twice, its run is followed, and a rollback is believed by its record."""

from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial

import pytest
from made import OLD, move, plan
from msgspec.structs import replace
from remembering import FastClock, Forge

from deploygate.adapters.github.dispatching import SHOWN, Call, Dispatched, dispatch
from deploygate.adapters.github.following import Following, Limits, Outcome, Pace, follow
from deploygate.adapters.github.rollbacks import Rollbacks, Workflow
from deploygate.adapters.github.trouble import Denied, GitHubTrouble
from deploygate.closing import Course
from deploygate.endings import Ending, Goal
from deploygate.fake_github import Dispatch, FakeGitHub, Run
from deploygate.fake_github import Workflow as Shown
from deploygate.names import RunId, ServiceName
from deploygate.records import Authored, GitHubRun

FILE = "rollback.yml"
INPUTS = ("service", "environment", "version", "reason", "of_run", "raised")
SVC, OF = ServiceName("Svc"), RunId("20240101T120000-abc123")
POSTED = f"POST /repos/acme/shop/actions/workflows/{FILE}/dispatches"
CALL = Call(FILE, "main", {"service": "Svc", "of_run": OF}, OF)
DISPATCHES = f"/repos/acme/shop/actions/workflows/{FILE}/dispatches"
RUNS = "/repos/acme/shop/actions/runs/*"


@pytest.fixture
def clock() -> FastClock:
    return FastClock()


def forged(server: str) -> Iterator[Forge]:
    with FakeGitHub(server=server) as github, closing(Forge(github)) as forge:
        yield forge


@pytest.fixture
def forge() -> Iterator[Forge]:
    yield from forged("github.com")


@pytest.fixture
def older() -> Iterator[Forge]:
    """A server of one's own that does not know how to tell the run."""
    yield from forged("ghes-3.20")


def workflow(forge: Forge, on_dispatch: Callable[[Dispatch], None] | None = None, late: int = 0) -> Shown:
    return forge.repository.workflow(FILE, inputs=INPUTS, on_dispatch=on_dispatch, late=late)


def named(dispatched: Dispatch) -> None:
    """Do what `run-name: Rollback of ${{ inputs.service }} (${{ inputs.of_run }})` does."""
    dispatched.run.title = f"Rollback of {dispatched.inputs['service']} ({dispatched.inputs['of_run']})"


def only(forge: Forge) -> Run:
    (run,) = forge.repository.runs.values()
    return run


def test_trap_3_the_server_says_which_run_it_has_begun(forge: Forge, clock: FastClock) -> None:
    workflow(forge)
    found = dispatch(forge.hub(), CALL, clock)
    run = only(forge)
    assert found == Dispatched(run.number, f"{forge.github.web}/acme/shop/actions/runs/{run.number}")
    assert forge.asked() == [POSTED]
    assert forge.github.requests[0].body["return_run_details"] is True
    assert dict(run.inputs)["of_run"] == OF


def test_trap_3_a_server_that_refuses_the_field_is_asked_once_more_without_it(older: Forge, clock: FastClock) -> None:
    workflow(older, named, late=2)
    clock.meanwhile = lambda: older.github.until(lambda: OF in only(older).title)
    found = dispatch(older.hub(), CALL, clock)
    assert found.run_id == only(older).number
    posts = [one for one in older.github.requests if one.method == "POST"]
    assert [(one.status, "return_run_details" in one.body) for one in posts] == [(400, True), (204, False)]
    older.github.violations.clear()  # the field is not in that server's description


def test_trap_4_an_answer_without_details_is_no_run_until_it_is_found_by_its_name(
    forge: Forge, clock: FastClock
) -> None:
    workflow(forge, named)
    other = forge.repository.run(forge.repository.workflow("other.yml"), event="workflow_dispatch")
    other.title = OF
    clock.meanwhile = lambda: forge.github.until(lambda: all(OF in run.title for run in forge.repository.runs.values()))
    forge.github.fault("POST", DISPATCHES, status=204, after_handling=True)
    found = dispatch(forge.hub(), CALL, clock)
    assert found.run_id == next(one.number for one in forge.repository.runs.values() if one is not other)
    assert forge.asked().count(POSTED) == 1
    forge.github.violations.clear()  # the injected answer has a body


def test_trap_4_a_run_whose_name_only_begins_alike_or_that_nobody_dispatched_is_not_ours(
    older: Forge, clock: FastClock
) -> None:
    shown = workflow(older)
    for title, event in ((f"{OF}4", "workflow_dispatch"), (f"x-{OF}", "workflow_dispatch"), (OF, "push")):
        older.repository.run(shown, event=event).title = title
    with pytest.raises(GitHubTrouble, match="no run named after"):
        dispatch(older.hub(), CALL, clock)
    assert clock.now() >= 1_000 + SHOWN
    older.github.violations.clear()


def test_trap_4_two_runs_of_one_name_fail_closed(older: Forge, clock: FastClock) -> None:
    shown = workflow(older, named)
    older.repository.run(shown, event="workflow_dispatch").title = f"Rollback of Svc ({OF})"
    clock.meanwhile = lambda: older.github.until(lambda: all(OF in run.title for run in older.repository.runs.values()))
    with pytest.raises(GitHubTrouble, match=r"2 runs of rollback\.yml are named after"):
        dispatch(older.hub(), CALL, clock)
    older.github.violations.clear()


def test_trap_5_f7_a_dispatch_that_may_have_arrived_is_looked_for_and_never_sent_again(
    forge: Forge, clock: FastClock
) -> None:
    workflow(forge, named, late=2)
    clock.meanwhile = lambda: forge.github.until(lambda: OF in only(forge).title)
    forge.github.fault("POST", DISPATCHES, cut=True, after_handling=True)
    assert dispatch(forge.hub(), CALL, clock).run_id == only(forge).number
    assert forge.asked().count(POSTED) == 1


def test_trap_5_f7_one_that_never_arrived_is_given_up_in_time_and_never_sent_again(
    forge: Forge, clock: FastClock
) -> None:
    workflow(forge, named)
    forge.github.fault("POST", DISPATCHES, status=502)
    with pytest.raises(GitHubTrouble, match=r"not known whether GitHub did POST .*; no run named after"):
        dispatch(forge.hub(), CALL, clock)
    assert forge.asked().count(POSTED) == 1
    assert (dict(forge.repository.runs), clock.now()) == ({}, 1_000 + SHOWN)


def test_what_github_refuses_is_no_run_and_is_said(forge: Forge, clock: FastClock) -> None:
    with pytest.raises(GitHubTrouble, match="finds nothing"):
        dispatch(forge.hub(), CALL, clock)
    workflow(forge).state = "disabled_manually"
    with pytest.raises(GitHubTrouble, match="disabled workflow"):
        dispatch(forge.hub(), CALL, clock)
    forge.permissions = {"actions": "read"}
    with pytest.raises(Denied) as caught:
        dispatch(forge.hub(), CALL, clock)
    assert caught.value.permission == "actions: write"


LIMITS = Limits(60.0, 600.0)
PACE = Pace(2.0, 10.0)


def begun(forge: Forge) -> Run:
    return forge.repository.run(workflow(forge), event="workflow_dispatch")


def followed(forge: Forge, run: Run, clock: FastClock, limits: Limits = LIMITS) -> tuple[Outcome, str, str]:
    (found,) = follow([Following(forge.hub(), Dispatched(run.number), limits, clock)], clock, PACE)
    assert found.url.endswith(f"/acme/shop/actions/runs/{run.number}")
    return found.outcome, found.conclusion, found.says.removeprefix(f"run {run.number} ")


@pytest.mark.parametrize("conclusion", ["success", "failure", "cancelled", "timed_out"])
def test_a_run_is_followed_to_its_end_with_growing_pauses(forge: Forge, clock: FastClock, conclusion: str) -> None:
    run = begun(forge)
    clock.at(20, run.start)
    clock.at(200, lambda: run.complete(conclusion))
    assert followed(forge, run, clock) == (Outcome.ENDED, conclusion, f"ended: {conclusion}")
    assert len(forge.asked()) < 30


def test_a_run_that_never_begins_is_cancelled_in_time(forge: Forge, clock: FastClock) -> None:
    run = begun(forge)
    assert followed(forge, run, clock) == (
        Outcome.NEVER_BEGUN,
        "cancelled",
        "did not begin within 60 s (it is queued), and was cancelled",
    )
    assert 1_060 <= clock.now() < 1_100
    assert run.conclusion == "cancelled"


def test_trap_14_a_run_that_waits_for_an_approval_is_said_to(forge: Forge, clock: FastClock) -> None:
    run = begun(forge)
    run.move("waiting")
    assert "(it waits for an approval), and was cancelled" in followed(forge, run, clock)[2]


def test_a_run_that_takes_too_long_is_cancelled_and_waited_for(forge: Forge, clock: FastClock) -> None:
    run = forge.repository.run(workflow(forge, lambda _: None), event="workflow_dispatch")
    run.start()
    clock.at(611, run.complete)  # it had ended just then, whatever was asked of it
    assert followed(forge, run, clock) == (Outcome.ENDED, "success", "ended: success")
    assert run.cancelling.is_set()
    other = forge.repository.run(workflow(forge, lambda _: None), event="workflow_dispatch")
    other.start()
    outcome, _, says = followed(forge, other, clock)
    assert (outcome, says) == (Outcome.TOO_LONG, "did not end within 10 min, and goes on though it was cancelled")


def test_a_run_that_can_not_be_cancelled_is_said_to(forge: Forge, clock: FastClock) -> None:
    run = begun(forge)
    forge.github.fault("POST", f"{RUNS}/cancel", status=500)
    outcome, _, says = followed(forge, run, clock)
    assert outcome is Outcome.NEVER_BEGUN
    assert "could not be cancelled: it is not known" in says


def test_trouble_in_between_is_borne_within_the_budget(forge: Forge, clock: FastClock) -> None:
    run = begun(forge)
    run.start()
    forge.github.fault("GET", RUNS, status=400, times=5)
    clock.at(100, run.complete)
    assert followed(forge, run, clock)[0] is Outcome.ENDED


def test_a_run_that_can_not_be_asked_for_is_untold_and_not_taken_for_ended(forge: Forge, clock: FastClock) -> None:
    run = begun(forge)
    forge.github.fault("GET", RUNS, status=400, times=None)
    (found,) = follow([Following(forge.hub(), Dispatched(run.number), LIMITS, clock)], clock, PACE)
    assert (found.outcome, clock.now() >= 1_600) == (Outcome.UNTOLD, True)
    forge.permissions = {"contents": "read"}
    forge.github.fault("GET", "x", status=400)
    (denied,) = follow(
        [Following(Forge(forge.github, {"contents": "read"}).hub(), Dispatched(1), LIMITS, clock)], clock
    )
    assert denied.outcome is Outcome.UNTOLD


def test_a_gate_that_is_stopped_leaves_the_run_going(forge: Forge, clock: FastClock) -> None:
    run = begun(forge)
    run.start()
    clock.stop = "SIGTERM"
    assert followed(forge, run, clock) == (Outcome.LEFT, "", "goes on by itself")
    assert not run.cancelling.is_set()


def test_several_runs_are_followed_at_once(forge: Forge, clock: FastClock) -> None:
    one, two = begun(forge), begun(forge)
    clock.at(10, one.complete)
    clock.at(50, lambda: two.complete("failure"))
    hub = forge.hub()
    found = follow([Following(hub, Dispatched(each.number), LIMITS, clock) for each in (one, two)], clock, PACE)
    assert [each.conclusion for each in found] == ["success", "failure"]


BACK = plan(move("i1"), goal=Goal.ROLLBACK, version=OLD, of_run=OF)


def rolled(
    forge: Forge, ending: Ending | None, *, of_run: str = OF, then: Callable[[], object] = lambda: None
) -> Callable[[Dispatch], None]:
    """Return what a rollback workflow does: the gate in it leaves a record, where it ends with one."""

    def runs(dispatched: Dispatch) -> None:
        dispatched.run.start()
        number = dispatched.run.number
        if ending is not None:
            records = forge.records(number)
            planned = replace(BACK, of_run=of_run)
            records.open(planned, RunId("r2"), Authored("bot", "then", "", GitHubRun(number)))
            records.close(RunId("r2"), Course(planned), ending, (), str(ending))
        well = ending in {None, Ending.ROLLED_BACK, Ending.ALREADY_THERE}
        then()
        dispatched.run.complete("success" if well else "failure")

    return runs


def rollbacks(forge: Forge, clock: FastClock, *, ends: bool = True) -> Rollbacks:
    if ends:
        runs = forge.repository.runs
        clock.meanwhile = lambda: forge.github.until(lambda: all(one.status == "completed" for one in runs.values()))
    return Rollbacks(forge.hub(), forge.records(), Workflow(FILE, "main"), clock, PACE)


@pytest.mark.parametrize("ending", [Ending.ROLLED_BACK, Ending.ALREADY_THERE, Ending.ROLLBACK_FAILED])
def test_a_raised_rollback_is_believed_by_its_record(forge: Forge, clock: FastClock, ending: Ending) -> None:
    workflow(forge, rolled(forge, ending))
    raising = rollbacks(forge, clock)
    run, ended, says = raising.raise_rollback(SVC, OF, 600.0, "i1: answered 503")
    assert (run, ended) == ("r2", ending)
    number = only(forge).number
    assert raising.raised is not None
    assert (raising.raised.run_id, raising.raised.url.endswith(f"/runs/{number}")) == (number, True)
    assert says.startswith(f"rollback run {number} ended: ")
    assert dict(only(forge).inputs) == {
        "service": "Svc", "environment": "", "version": "previous", "reason": "i1: answered 503", "of_run": OF,
        "raised": "true",
    }  # fmt: skip


def test_trap_8_a_success_without_a_record_is_no_rollback(forge: Forge, clock: FastClock) -> None:
    workflow(forge, rolled(forge, None))
    run, ended, says = rollbacks(forge, clock).raise_rollback(SVC, OF, 600.0)
    assert (run, ended) == ("", None)
    assert "it left no record of what it did" in says


def test_trap_27_the_record_of_another_rollback_is_not_believed(forge: Forge, clock: FastClock) -> None:
    workflow(forge, rolled(forge, Ending.ROLLED_BACK, of_run="r0"))
    assert rollbacks(forge, clock).raise_rollback(SVC, OF, 600.0)[1] is None


def test_records_that_can_not_be_read_are_not_guessed(forge: Forge, clock: FastClock) -> None:
    unread = partial(forge.github.fault, "GET", "/repos/acme/shop/deployments", status=400, times=None)
    workflow(forge, rolled(forge, Ending.ROLLED_BACK, then=unread))
    run, ended, says = rollbacks(forge, clock).raise_rollback(SVC, OF, 600.0)
    assert (run, ended) == ("", None)
    assert "what it did can't be read" in says


def test_a_rollback_that_can_not_be_raised_or_does_not_begin_is_left_to_the_gate(
    forge: Forge, clock: FastClock
) -> None:
    _, ended, says = rollbacks(forge, clock, ends=False).raise_rollback(SVC, OF, 600.0)
    assert (ended, says.startswith("no rollback was raised: GitHub finds nothing")) == (None, True)
    workflow(forge)
    _, ended, says = rollbacks(forge, clock, ends=False).raise_rollback(SVC, OF, 600.0)
    assert ended is None
    assert "did not begin within 60 s (it is queued), and was cancelled" in says
