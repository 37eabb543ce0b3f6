"""A workflow of the user's changes one instance: dispatched once for each change, followed, and judged by its end."""

import re
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
import yaml
from made import NEW, OLD, PLACES, name, service
from remembering import FastClock, Forge

from deploygate.adapters.github.following import Pace
from deploygate.adapters.github.workflow_driver import WorkflowDriver, workflow_driver
from deploygate.events import Change, Start, Trouble
from deploygate.fake_github import Dispatch, FakeGitHub
from deploygate.names import RunId, Version
from deploygate.ports import Process
from deploygate.ways import GIVEN, Workflow

FILE = "deploy-instance.yml"
RUN = RunId("20240101T120000-abc123")
SVC = service(deploy=Workflow(FILE, "main", {"region": "eu"}, timeout=300.0, begin=60.0))
ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "workflow-driver.md"
EXAMPLE = ROOT / "examples" / "workflows" / "own-workflow" / "deploy-instance.yml"
STARTS = [Start(name(one), NEW) for one in PLACES]


def shown() -> str:
    """Return the workflow of the set-up, which the page shows, with one input more."""
    return EXAMPLE.read_text().replace("      keep:\n", "      region:\n        type: string\n      keep:\n")


@pytest.fixture
def clock() -> FastClock:
    return FastClock()


@pytest.fixture
def forge() -> Iterator[Forge]:
    with FakeGitHub() as github, closing(Forge(github)) as forge:
        forge.repository.commit({f".github/workflows/{FILE}": shown()}, "Deploy one")
        yield forge


def driver(forge: Forge, clock: FastClock) -> WorkflowDriver:
    return WorkflowDriver(forge.hub, RUN, clock, Pace(2.0, 10.0))


def conclude(conclusion: str = "success") -> Callable[[Dispatch], None]:
    def runs(dispatched: Dispatch) -> None:
        dispatched.run.start()
        dispatched.run.complete(conclusion)

    return runs


def registered(forge: Forge, clock: FastClock, on_dispatch: Callable[[Dispatch], None] | None = None) -> None:
    """Register the page's workflow; where it is driven, the gate's pauses last until it has ended."""
    inputs = yaml.safe_load(shown())[True]["workflow_dispatch"]["inputs"]
    forge.repository.workflow(FILE, inputs=inputs, on_dispatch=on_dispatch)
    if on_dispatch is not None:
        runs = forge.repository.runs
        clock.meanwhile = lambda: forge.github.until(lambda: all(one.status == "completed" for one in runs.values()))


def posts(forge: Forge) -> int:
    return sum(1 for one in forge.asked() if one.endswith("/dispatches"))


def test_the_workflow_of_the_set_up_takes_what_the_gate_gives_and_shows_what_it_is_found_by() -> None:
    found = yaml.safe_load(shown())
    assert {*GIVEN, "region"} == set(found[True]["workflow_dispatch"]["inputs"])
    assert EXAMPLE.read_text() in PAGE.read_text()
    assert "${{ inputs.run }}" in found["run-name"]
    given = set(re.findall(r"^\| `(\w+)` \| ", PAGE.read_text(), re.MULTILINE))
    assert given >= set(GIVEN)


def test_a_change_is_one_run_with_the_instance_as_input(forge: Forge, clock: FastClock) -> None:
    registered(forge, clock, conclude())
    assert driver(forge, clock).switch(SVC, [Change(name("i1"), OLD, NEW)], RUN) == ()
    (run,) = forge.repository.runs.values()
    assert dict(run.inputs) == {
        "service": "Svc", "environment": "production", "instance": "i1", "version": NEW, "from_version": OLD,
        "keep": "false", "run": f"{RUN}.i1.1", "region": "eu",
    }  # fmt: skip
    assert (run.branch, run.event, posts(forge)) == ("main", "workflow_dispatch", 1)


def test_trap_17_a_dispatch_needs_no_more_than_the_token_of_the_job(forge: Forge, clock: FastClock) -> None:
    registered(forge, clock, conclude())
    forge.permissions = {"actions": "write", "contents": "read"}
    made = driver(forge, clock)
    assert made.prove(SVC, STARTS, unchanged=True) == ()
    assert made.switch(SVC, [Change(name("i1"), OLD, NEW)], RUN) == ()


def test_stopping_for_good_and_keeping_are_said(forge: Forge, clock: FastClock) -> None:
    registered(forge, clock, conclude())
    changes = [Change(name("i1"), None, None), Change(name("i2"), NEW, OLD, keep=True)]
    assert driver(forge, clock).switch(SVC, changes, RUN) == ()
    keys = ("instance", "version", "from_version", "keep")
    assert [tuple(run.inputs[key] for key in keys) for run in forge.repository.runs.values()] == [
        ("i1", "", "", "false"),
        ("i2", OLD, NEW, "true"),
    ]


@pytest.mark.parametrize("conclusion", ["failure", "cancelled", "timed_out", "skipped", "neutral", "action_required"])
def test_trap_8_whatever_is_not_a_success_is_a_trouble_with_its_page(
    forge: Forge, clock: FastClock, conclusion: str
) -> None:
    registered(forge, clock, conclude(conclusion))
    (trouble,) = driver(forge, clock).switch(SVC, [Change(name("i1"), OLD, NEW)], RUN)
    (run,) = forge.repository.runs.values()
    page = f"{forge.github.web}/acme/shop/actions/runs/{run.number}"
    assert trouble == Trouble(name("i1"), f"the workflow {FILE}: run {run.number} ended: {conclusion} ({page})")


def test_what_goes_wrong_with_one_instance_stays_there(forge: Forge, clock: FastClock) -> None:
    def some(dispatched: Dispatch) -> None:
        conclude("failure" if dispatched.inputs["instance"] == "i2" else "success")(dispatched)

    registered(forge, clock, some)
    changes = [Change(name(one), OLD, NEW) for one in ("i1", "i2", "i3")]
    troubles = driver(forge, clock).switch(SVC, [*changes, Change(name("stranger"), OLD, NEW)], RUN)
    assert [one.instance for one in troubles] == ["i2", "stranger"]
    assert posts(forge) == 3


def test_a_run_that_nobody_takes_up_is_cancelled_and_a_trouble(forge: Forge, clock: FastClock) -> None:
    registered(forge, clock)
    (trouble,) = driver(forge, clock).switch(SVC, [Change(name("i1"), OLD, NEW)], RUN)
    assert "did not begin within 60 s (it is queued), and was cancelled" in trouble.says
    assert [run.conclusion for run in forge.repository.runs.values()] == ["cancelled"]


def test_a_dispatch_that_github_refuses_is_a_trouble(forge: Forge, clock: FastClock) -> None:
    (trouble,) = driver(forge, clock).switch(SVC, [Change(name("i1"), OLD, NEW)], RUN)
    assert trouble.says.startswith("GitHub finds nothing at POST")


def doubts(forge: Forge, clock: FastClock, way: Workflow | None = None) -> str:
    """Return what is wrong with all of the instances, which is the same."""
    found = driver(forge, clock).prove(service(deploy=way) if way else SVC, STARTS, unchanged=True)
    assert [one.instance for one in found] in ([], list(PLACES))
    return next((one.says for one in found), "")


def test_a_workflow_that_can_be_dispatched_is_proven_by_two_calls(forge: Forge, clock: FastClock) -> None:
    registered(forge, clock)
    assert doubts(forge, clock) == ""
    assert forge.asked() == [
        f"GET /repos/acme/shop/actions/workflows/{FILE}",
        f"GET /repos/acme/shop/contents/.github/workflows/{FILE}",
    ]


def test_one_that_is_not_there_or_was_disabled_is_found_out_before_anything_is_changed(
    forge: Forge, clock: FastClock
) -> None:
    assert f"the workflow {FILE} can't be dispatched: GitHub finds nothing" in doubts(forge, clock)
    registered(forge, clock)
    next(iter(forge.repository.workflows.values())).state = "disabled_manually"
    assert doubts(forge, clock) == f'the workflow {FILE} is not active: "disabled_manually"'


def test_one_that_lacks_its_trigger_an_input_or_the_branch_is_found_out(forge: Forge, clock: FastClock) -> None:
    registered(forge, clock)
    assert doubts(forge, clock, Workflow(FILE, "main", {"zone": "1"})).endswith("on main: zone")
    assert f"there is no .github/workflows/{FILE} on elsewhere" in doubts(forge, clock, Workflow(FILE, "elsewhere"))
    without = shown().replace("workflow_dispatch:", "workflow_call:").replace("keep", "let")
    forge.repository.commit({f".github/workflows/{FILE}": without}, "No more", branch="other")
    assert "has no workflow_dispatch on other" in doubts(forge, clock, Workflow(FILE, "other"))


def test_what_this_token_may_not_read_is_not_held_against_it(forge: Forge, clock: FastClock) -> None:
    registered(forge, clock)
    forge.permissions = {"actions": "write"}
    forge.github.fault("GET", f"/repos/acme/shop/contents/.github/workflows/{FILE}", status=403, times=None)
    assert doubts(forge, clock) == ""


def test_without_a_token_it_can_be_looked_and_nothing_be_deployed(clock: FastClock) -> None:
    made = workflow_driver({"GITHUB_REPOSITORY": "acme/shop"}, RUN, clock)
    assert made.process(SVC, SVC.instances[0], answered=False) == Process()
    assert (made.claim(), made.lost(), made.stage(SVC, STARTS), made.prune(SVC, (), ())) == ((), "", (), ())
    says = "a workflow deploys this service, and GITHUB_TOKEN or GITHUB_REPOSITORY is not set"
    assert made.prove(SVC, STARTS[:1], unchanged=False) == (Trouble(STARTS[0].instance, says),)
    assert made.switch(SVC, [Change(name("i1"), OLD, Version("3.0"))], RUN) == (Trouble(name("i1"), says),)
    made.close()


def test_the_environment_names_the_server_and_the_repository(forge: Forge, clock: FastClock) -> None:
    registered(forge, clock, conclude())
    environ = {
        "GITHUB_TOKEN": forge.github.token(),
        "GITHUB_REPOSITORY": "acme/shop",
        "GITHUB_API_URL": f"{forge.github.url}/",
    }
    with closing(workflow_driver(environ, RUN, clock)) as made:
        assert made.switch(SVC, [Change(name("i1"), OLD, NEW)], RUN) == ()
    wrong = workflow_driver(environ | {"GITHUB_REPOSITORY": "shop"}, RUN, clock)
    assert wrong.prove(SVC, STARTS[:1], unchanged=True)[0].says == '"shop" is not the name of a repository'
