"""Runs of workflows: found, watched, cancelled and begun again."""

from deploygate.fake_github.answers import Answer, RefusedError, absent
from deploygate.fake_github.call import Call, found
from deploygate.fake_github.endpoints.workflows import workflow_of
from deploygate.fake_github.shown import runs as shown
from deploygate.fake_github.shown.people import moment
from deploygate.fake_github.state.workflows import Attempt, Run


def get(call: Call) -> Answer:
    """Return a run as it is now."""
    run = _one(call)
    return Answer(200, shown.run(run, run.latest))


def get_attempt(call: Call) -> Answer:
    """Return one attempt of a run."""
    run = _one(call)
    return Answer(200, shown.run(run, _attempt(call, run)))


def listed(call: Call) -> Answer:
    """List the runs of a repository, the newest first."""
    return _page(call, list(call.repo.runs.values()))


def listed_of_workflow(call: Call) -> Answer:
    """List the runs of a workflow, the newest first."""
    workflow = workflow_of(call)
    return _page(call, [one for one in call.repo.runs.values() if one.workflow is workflow])


def cancel(call: Call) -> Answer:
    """Ask for the end of a run."""
    return _cancelled(call, force=False)


def force_cancel(call: Call) -> Answer:
    """End a run at once."""
    return _cancelled(call, force=True)


def rerun(call: Call) -> Answer:
    """Begin a run again, as a new attempt."""
    run = _one(call)
    if run.status != "completed":
        raise RefusedError(403, "This workflow is already running")
    run.attempt()
    return Answer(201, {})


def jobs(call: Call) -> Answer:
    """List the jobs of a run: of its newest attempt, or of all."""
    run = _one(call)
    attempts = run.attempts if call.query.get("filter") == "all" else [run.latest]
    return call.page(attempts, lambda one: shown.job(run, one), under="jobs")


def jobs_of_attempt(call: Call) -> Answer:
    """List the jobs of one attempt."""
    run = _one(call)
    return call.page([_attempt(call, run)], lambda one: shown.job(run, one), under="jobs")


def _cancelled(call: Call, *, force: bool) -> Answer:
    run = _one(call)
    if run.status == "completed":
        raise RefusedError(409, "Cannot cancel a workflow run that is completed.")
    run.cancel(force=force)
    return Answer(202, {})


def _one(call: Call) -> Run:
    return found(call.repo.runs, call.values["run_id"])


def _attempt(call: Call, run: Run) -> Attempt:
    for one in run.attempts:
        if str(one.number) == call.values["attempt_number"]:
            return one
    raise absent()


def _page(call: Call, runs: list[Run]) -> Answer:
    """Answer with those that the query asks for; a new one is not listed at once where its workflow says so."""
    shy = [one for one in runs if one.hidden]
    for one in shy:
        one.hidden -= 1
    asked = [one for one in reversed(runs) if one not in shy and _asked(call, one)]
    return call.page(asked, lambda one: shown.run(one, one.latest), under="workflow_runs")


def _asked(call: Call, run: Run) -> bool:
    query = call.query
    return (
        query.get("event", run.event) == run.event
        and query.get("branch", run.branch) == run.branch
        and query.get("actor", run.actor.login) == run.actor.login
        and query.get("head_sha", run.sha) == run.sha
        and query.get("status", run.status) in {run.status, run.conclusion}
        and within(moment(run.created), query.get("created", "*"))
    )


def within(when: str, wanted: str) -> bool:
    """Whether a time is in a range as GitHub's search writes it: `>=...`, `<...`, `one..other`, a day or a moment."""
    if ".." in wanted:
        first, _, last = wanted.partition("..")
        return (first in {"", "*"} or within(when, f">={first}")) and (last in {"", "*"} or within(when, f"<={last}"))
    sign = wanted[: len(wanted) - len(wanted.lstrip("<>="))]
    limit = wanted.removeprefix(sign).replace("+00:00", "Z")
    part = when[: len(limit)]
    match sign:
        case ">=":
            return part >= limit
        case ">":
            return part > limit
        case "<=":
            return part <= limit
        case "<":
            return part < limit
    return limit in {"*", part}


OPERATIONS = {
    "actions/cancel-workflow-run": cancel,
    "actions/force-cancel-workflow-run": force_cancel,
    "actions/get-workflow-run": get,
    "actions/get-workflow-run-attempt": get_attempt,
    "actions/list-jobs-for-workflow-run": jobs,
    "actions/list-jobs-for-workflow-run-attempt": jobs_of_attempt,
    "actions/list-workflow-runs": listed_of_workflow,
    "actions/list-workflow-runs-for-repo": listed,
    "actions/re-run-workflow": rerun,
}
