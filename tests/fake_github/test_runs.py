"""Workflows and runs: dispatched with what the file allows, driven by tests, found, cancelled, begun again."""

from threading import Event

import pytest

from deploygate.fake_github import Dispatch, FakeGitHub, Input, Repository, Run
from deploygate.fake_github.endpoints.runs import within
from fake_github.caller import Caller

DISPATCH = "/actions/workflows/rollback.yml/dispatches"
INPUTS = ("service", Input("environment", default="production"), Input("how", options=("slow", "fast"), default="slow"))


def only(repo: Repository) -> Run:
    (run,) = repo.runs.values()
    return run


def test_a_dispatch_that_asks_for_details_is_told_its_run(repo: Repository, ask: Caller) -> None:
    repo.workflow("rollback.yml", inputs=INPUTS)
    body = {"ref": "main", "inputs": {"service": "cart"}, "return_run_details": True}
    made = ask.made("POST", DISPATCH, body)
    run = only(repo)
    assert made == {
        "workflow_run_id": run.number,
        "run_url": f"{ask.hub.url}/repos/acme/shop/actions/runs/{run.number}",
        "html_url": f"{ask.hub.web}/acme/shop/actions/runs/{run.number}",
    }
    assert run.inputs == {"service": "cart", "environment": "production", "how": "slow"}
    found = ask("GET", made["run_url"]).json()
    assert (found["status"], found["conclusion"], found["event"]) == ("queued", None, "workflow_dispatch")
    assert (found["head_sha"], found["head_branch"], found["run_attempt"]) == (repo.sha(), "main", 1)


def test_a_dispatch_that_does_not_ask_is_told_nothing(repo: Repository, ask: Caller) -> None:
    repo.workflow("rollback.yml", inputs=INPUTS)
    answer = ask("POST", DISPATCH, {"ref": "main"})
    assert (answer.status_code, answer.content, len(repo.runs)) == (204, b"", 1)


def test_an_older_server_refuses_the_field_for_details_and_takes_the_rest() -> None:
    with FakeGitHub(server="ghes-3.20") as hub:
        repo = hub.repository("acme/shop")
        repo.workflow("rollback.yml")
        ask = Caller(hub, hub.token())
        assert hub.url.endswith("/api/v3")
        assert ask("POST", DISPATCH, {"ref": "main", "return_run_details": True}).status_code == 400
        assert repo.runs == {}
        assert ask("POST", DISPATCH, {"ref": "main"}).status_code == 204
        assert ask("GET", "", X_GitHub_Api_Version="2026-03-10").status_code == 400


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({"ref": "main", "inputs": {"sevice": "x"}}, 'Unexpected inputs provided: ["sevice"]'),
        (
            {"ref": "main", "inputs": {"how": "now"}},
            "Provided value 'now' for input 'how' not in the list of allowed values",
        ),
        ({"ref": "nowhere"}, "No ref found for: nowhere"),
        ({"ref": "main", "inputs": {"service": "x" * 65_536}}, "inputs are too large."),
    ],
)
def test_a_dispatch_that_the_file_does_not_allow_is_refused(
    repo: Repository, ask: Caller, body: object, says: str
) -> None:
    repo.workflow("rollback.yml", inputs=INPUTS)
    assert ask.refused("POST", DISPATCH, body) == (422, says)
    assert repo.runs == {}


def test_a_required_input_must_be_given(repo: Repository, ask: Caller) -> None:
    repo.workflow("rollback.yml", inputs=[Input("reason", required=True)])
    assert ask.refused("POST", DISPATCH, {"ref": "main"}) == (422, "Required input 'reason' not provided")


def test_more_than_25_inputs_are_refused_and_break_the_description(repo: Repository, ask: Caller) -> None:
    repo.workflow("rollback.yml", inputs=[f"input{number}" for number in range(30)])
    many = {f"input{number}": "" for number in range(26)}
    assert ask("POST", DISPATCH, {"ref": "main", "inputs": many}).status_code == 422
    assert len(ask.hub.violations) == 1
    ask.hub.violations.clear()


def test_a_workflow_that_is_disabled_or_not_for_dispatch_does_not_run(repo: Repository, ask: Caller) -> None:
    disabled = repo.workflow("rollback.yml")
    repo.workflow("ci.yml", dispatchable=False)
    assert ask("PUT", "/actions/workflows/rollback.yml/disable").status_code == 204
    assert ask.made("GET", f"/actions/workflows/{disabled.number}")["state"] == "disabled_manually"
    says = "Cannot trigger a 'workflow_dispatch' on a disabled workflow"
    assert ask.refused("POST", DISPATCH, {"ref": "main"}) == (422, says)
    says = "Workflow does not have 'workflow_dispatch' trigger"
    assert ask.refused("POST", "/actions/workflows/ci.yml/dispatches", {"ref": "main"}) == (422, says)
    assert ask("PUT", "/actions/workflows/rollback.yml/enable").status_code == 204
    assert ask("POST", DISPATCH, {"ref": "main"}).status_code == 204
    assert [one["name"] for one in ask.made("GET", "/actions/workflows")["workflows"]] == ["rollback", "ci"]


def test_a_workflow_that_is_not_there_is_not_found(ask: Caller) -> None:
    assert ask("POST", DISPATCH, {"ref": "main"}).status_code == 404


def test_a_run_is_what_its_driver_says(hub: FakeGitHub, repo: Repository, ask: Caller) -> None:
    goes_on = Event()

    def roll_back(dispatch: Dispatch) -> None:
        dispatch.run.start()
        goes_on.wait(10)
        dispatch.run.complete("failure" if dispatch.inputs["service"] == "cart" else "success")

    repo.workflow("rollback.yml", inputs=INPUTS, on_dispatch=roll_back)
    body = {"ref": "main", "inputs": {"service": "cart"}, "return_run_details": True}
    url = ask.made("POST", DISPATCH, body)["run_url"]
    hub.until(lambda: only(repo).status == "in_progress")
    assert ask("GET", url).json()["status"] == "in_progress"
    goes_on.set()
    hub.until(lambda: only(repo).status == "completed")
    assert ask("GET", url).json()["conclusion"] == "failure"
    (job,) = ask("GET", f"{url}/jobs").json()["jobs"]
    assert (job["status"], job["conclusion"]) == ("completed", "failure")


def test_what_a_driver_raises_is_told_at_the_end() -> None:
    def broken(dispatch: Dispatch) -> None:
        raise RuntimeError(dispatch.inputs["service"])

    def used() -> None:
        with FakeGitHub() as hub:
            hub.repository("acme/shop").workflow("rollback.yml", inputs=INPUTS, on_dispatch=broken)
            assert Caller(hub, hub.token())("POST", DISPATCH, {"ref": "main", "inputs": {"service": "cart"}}).ok

    with pytest.raises(AssertionError, match="on_dispatch raised RuntimeError\\('cart'\\)"):
        used()


def test_a_run_of_its_own_is_cancelled_at_once_and_a_driven_one_by_its_driver(
    hub: FakeGitHub, repo: Repository, ask: Caller
) -> None:
    begun, cleaned = Event(), Event()

    def driven(dispatch: Dispatch) -> None:
        dispatch.run.start()
        begun.set()
        dispatch.run.cancelling.wait(10)
        cleaned.wait(10)
        dispatch.run.complete("cancelled")

    plain = repo.run(repo.workflow("ci.yml"))
    plain.start()
    assert ask("POST", f"/actions/runs/{plain.number}/cancel").status_code == 202
    assert plain.conclusion == "cancelled"
    repo.workflow("rollback.yml", on_dispatch=driven)
    number = ask.made("POST", DISPATCH, {"ref": "main", "return_run_details": True})["workflow_run_id"]
    assert begun.wait(10)
    assert ask("POST", f"/actions/runs/{number}/cancel").status_code == 202
    assert repo.runs[number].status == "in_progress"
    cleaned.set()
    hub.until(lambda: repo.runs[number].conclusion == "cancelled")
    says = "Cannot cancel a workflow run that is completed."
    assert ask.refused("POST", f"/actions/runs/{number}/cancel") == (409, says)


def test_a_forced_cancel_asks_nobody(repo: Repository, ask: Caller) -> None:
    run = repo.run(repo.workflow("rollback.yml", on_dispatch=lambda _: None))
    run.start()
    assert ask("POST", f"/actions/runs/{run.number}/force-cancel").status_code == 202
    assert run.conclusion == "cancelled"


def test_a_run_again_is_a_new_attempt(repo: Repository, ask: Caller) -> None:
    run = repo.run(repo.workflow("ci.yml"))
    assert ask("POST", f"/actions/runs/{run.number}/rerun").status_code == 403
    run.complete("failure")
    assert ask("POST", f"/actions/runs/{run.number}/rerun").status_code == 201
    first = ask.made("GET", f"/actions/runs/{run.number}/attempts/1")
    second = ask.made("GET", f"/actions/runs/{run.number}")
    assert [(one["run_attempt"], one["conclusion"]) for one in (first, second)] == [(1, "failure"), (2, None)]
    assert ask("GET", f"/actions/runs/{run.number}/attempts/3").status_code == 404
    assert len(ask.made("GET", f"/actions/runs/{run.number}/jobs?filter=all")["jobs"]) == 2
    assert len(ask.made("GET", f"/actions/runs/{run.number}/attempts/1/jobs")["jobs"]) == 1


def test_runs_are_listed_from_the_newest_and_by_what_is_asked(repo: Repository, ask: Caller) -> None:
    workflow = repo.workflow("rollback.yml")
    pushed = repo.run(workflow, by="mona")
    pushed.complete("success")
    ask("POST", DISPATCH, {"ref": "main"})
    repo.run(repo.workflow("ci.yml"))

    def listed(query: str) -> list[str]:
        found = ask.made("GET", f"/actions/workflows/rollback.yml/runs?{query}")
        assert found["total_count"] == len(found["workflow_runs"])
        return [one["event"] for one in found["workflow_runs"]]

    assert listed("") == ["workflow_dispatch", "push"]
    assert listed("event=workflow_dispatch") == ["workflow_dispatch"]
    assert listed("status=queued") == ["workflow_dispatch"]
    assert listed("status=success") == ["push"]
    assert listed("actor=mona") == ["push"]
    assert listed("created=>=2020-01-01") == ["workflow_dispatch", "push"]
    assert listed("created=<2020-01-01T00:00:00Z") == []
    assert ask.made("GET", "/actions/runs")["total_count"] == 3


def test_a_new_run_may_be_missing_in_the_first_listings(repo: Repository, ask: Caller) -> None:
    repo.workflow("rollback.yml", late=2)
    ask("POST", DISPATCH, {"ref": "main"})
    assert [ask.made("GET", "/actions/workflows/rollback.yml/runs")["total_count"] for _ in range(3)] == [0, 0, 1]


@pytest.mark.parametrize(
    ("wanted", "holds"),
    [
        ("*", True),
        ("2026-05-01", True),
        ("2026-05-02", False),
        (">=2026-05-01T10:00:00Z", True),
        (">2026-05-01T10:00:00Z", False),
        ("<=2026-05-01T10:00:00+00:00", True),
        ("<2026-05-01", False),
        ("2026-04-01..2026-05-01", True),
        ("*..2026-04-30", False),
        ("2026-05-01T10:00:00Z..*", True),
    ],
)
def test_when_a_run_was_made_is_asked_as_github_s_search_writes_it(wanted: str, *, holds: bool) -> None:
    assert within("2026-05-01T10:00:00Z", wanted) is holds
