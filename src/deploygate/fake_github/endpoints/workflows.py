"""Workflows, and the dispatch of one with inputs that its file allows."""

import json
from collections.abc import Mapping

from deploygate.fake_github.answers import Answer, RefusedError, absent
from deploygate.fake_github.call import Call
from deploygate.fake_github.shown import runs as shown
from deploygate.fake_github.state.repository import BRANCH
from deploygate.fake_github.state.workflows import Dispatch, Workflow

MOST = 65_535  # characters of all inputs together
FORMER = "ghes-"  # servers that don't know return_run_details


def listed(call: Call) -> Answer:
    """List the workflows."""
    return call.page(list(call.repo.workflows.values()), shown.workflow, under="workflows")


def get(call: Call) -> Answer:
    """Return a workflow."""
    return Answer(200, shown.workflow(workflow_of(call)))


def enable(call: Call) -> Answer:
    """Let a workflow run again."""
    workflow_of(call).state = "active"
    return Answer(204)


def disable(call: Call) -> Answer:
    """Let a workflow run no more."""
    workflow_of(call).state = "disabled_manually"
    return Answer(204)


def dispatch(call: Call) -> Answer:
    """Begin a run."""
    one, ref = workflow_of(call), call.body["ref"]
    details = call.body.get("return_run_details")
    if call.server.startswith(FORMER) and details is not None:
        raise RefusedError(400, 'Invalid request.\n\n"return_run_details" is not a permitted key.')
    if not any(name in call.repo.refs for name in (ref, BRANCH + ref, f"refs/tags/{ref}")):
        raise RefusedError(422, f"No ref found for: {ref}")
    if one.state != "active":
        raise RefusedError(422, "Cannot trigger a 'workflow_dispatch' on a disabled workflow")
    if not one.dispatchable:
        raise RefusedError(422, "Workflow does not have 'workflow_dispatch' trigger")
    inputs = _inputs(one, call.body.get("inputs", {}))
    run = call.repo.begin(one, "workflow_dispatch", ref, call.user, inputs)
    if one.on_dispatch is not None:
        call.repo.site.set_going(one.on_dispatch, Dispatch(run, inputs))
    if not details:
        return Answer(204)
    api, web = shown.links(run)
    return Answer(200, {"workflow_run_id": run.number, "run_url": api, "html_url": web})


def workflow_of(call: Call) -> Workflow:
    """Return the workflow of the path, by its number or by the name of its file."""
    wanted = call.values["workflow_id"]
    for one in call.repo.workflows.values():
        if wanted in {str(one.number), one.file}:
            return one
    raise absent()


def _inputs(one: Workflow, given: Mapping[str, object]) -> dict[str, str]:
    """Return the inputs of a run, as text, with the defaults of those that are not given."""
    known = {each.name: each for each in one.inputs}
    unknown = [name for name in given if name not in known]
    if unknown:
        raise RefusedError(422, f"Unexpected inputs provided: {json.dumps(unknown)}")
    if len(json.dumps(given)) > MOST:
        raise RefusedError(422, "inputs are too large.")
    made = {}
    for name, about in known.items():
        value = str(given.get(name, about.default))
        if about.required and not value:
            raise RefusedError(422, f"Required input '{name}' not provided")
        if about.options and value not in about.options:
            raise RefusedError(422, f"Provided value '{value}' for input '{name}' not in the list of allowed values")
        made[name] = value
    return made


OPERATIONS = {
    "actions/create-workflow-dispatch": dispatch,
    "actions/disable-workflow": disable,
    "actions/enable-workflow": enable,
    "actions/get-workflow": get,
    "actions/list-repo-workflows": listed,
}
