"""A workflow is dispatched, once and never twice, and the run that it has become is found."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated

import msgspec
from github.WorkflowRun import WorkflowRun

from deploygate.adapters.github.client import Hub
from deploygate.adapters.github.trouble import GitHubTrouble, Unsent
from deploygate.ports import Clock
from deploygate.wording import seconds

SHOWN = 30.0  # seconds that a run may take to be listed
PAUSE = 2.0  # seconds between two lists
_SKEW = timedelta(minutes=10)  # that this machine's clock may be before GitHub's
_ADDRESS = re.compile(r"https?://[A-Za-z0-9._~:/?#@%+=&-]+")


@dataclass(frozen=True, slots=True)
class Call:
    """Which workflow is dispatched, on which branch, with which inputs.

    `unique` is one of the inputs' values, which no other run has, and which the workflow's `run-name` shows: where
    the server does not say which run it has begun, that is how it is found.
    """

    workflow: str
    ref: str
    inputs: Mapping[str, str]
    unique: str


@dataclass(frozen=True, slots=True)
class Dispatched:
    """The run of a workflow, and its page."""

    run_id: int
    url: str = ""


class _Run(msgspec.Struct, frozen=True):
    id: int
    created_at: Annotated[datetime, msgspec.Meta(tz=True)]
    display_title: str = ""
    html_url: str = ""
    event: str = ""


class _Runs(msgspec.Struct, frozen=True):
    workflow_runs: tuple[_Run, ...] = ()


def dispatch(hub: Hub, call: Call, clock: Clock) -> Dispatched:
    """Begin a run of a workflow, and return which one it is.

    A second request is made only after a server that does not know how to tell the run has refused the first for
    that. Where it is not known whether the request arrived, the run is looked for, and none is begun again.

    Raises:
        GitHubTrouble: There is no run, or which it is can't be told; its words say whether there may be one.
    """
    try:
        told = _sent(hub, call, details=True)
    except Unsent as unsent:
        found = _found(hub, call, clock)
        if found is None:
            raise GitHubTrouble(
                f"{unsent.says}; no run named after {call.unique} was listed within {seconds(SHOWN)}",
                help=unsent.help,
            ) from unsent
        return found
    except GitHubTrouble as trouble:
        if trouble.status != 400:
            raise
        told = _sent(hub, call, details=False)  # a server before 3.21, which has refused and done nothing
    if told is not None:
        return told
    found = _found(hub, call, clock)
    if found is None:
        raise GitHubTrouble(
            f"{call.workflow} was dispatched, and no run named after {call.unique} was listed within {seconds(SHOWN)}",
            help=f"This server does not say which run it has begun. Let `run-name` of {call.workflow} show the input.",
        )
    return found


def _sent(hub: Hub, call: Call, *, details: bool) -> Dispatched | None:
    """Send the request; return nothing where the server does not say which run it has begun."""
    with hub.asking("actions: write", f"POST /repos/{hub.repository}/actions/workflows/{call.workflow}/dispatches"):
        workflow = hub.repo.get_workflow(call.workflow)
        if not details:
            workflow.create_dispatch(call.ref, dict(call.inputs), throw=True)
            return None
        told: object = workflow.create_dispatch(call.ref, dict(call.inputs), throw=True, return_run_details=True)
        if isinstance(told, WorkflowRun):  # from a server that does not tell, it is `True`, whatever its type says
            return Dispatched(told.id, address(told.html_url))
        return None


def _found(hub: Hub, call: Call, clock: Clock) -> Dispatched | None:
    """Look for the run that has the unique value in its name, for a while.

    Raises:
        GitHubTrouble: There are several, so that none can be gone by.
    """
    wanted = re.compile(rf"(?<![A-Za-z0-9._-]){re.escape(call.unique)}(?![A-Za-z0-9._-])")
    since = datetime.now(UTC) - _SKEW
    end = clock.now() + SHOWN
    while True:
        runs = (run for run in _listed(hub, call.workflow) if run.event == "workflow_dispatch")
        ours = [run for run in runs if run.created_at >= since and wanted.search(run.display_title)]
        if len(ours) > 1:
            raise GitHubTrouble(
                f"{len(ours)} runs of {call.workflow} are named after {call.unique}: which is ours can't be told",
                help="Look at them: each may be changing the fleet.",
            )
        if ours:
            return Dispatched(ours[0].id, address(ours[0].html_url))
        if clock.now() >= end or clock.stopped():
            return None
        clock.wait_until(clock.now() + PAUSE)


def _listed(hub: Hub, workflow: str) -> tuple[_Run, ...]:
    """Return the newest runs; where GitHub can't say, there is none yet, and it is asked again."""
    path = f"{hub.repo.url}/actions/workflows/{workflow}/runs"
    asked: dict[str, object] = {"event": "workflow_dispatch", "per_page": 100}
    try:
        with hub.asking("actions: read", f"GET /repos/{hub.repository}/actions/workflows/{workflow}/runs"):
            _, listed = hub.repo.requester.requestJsonAndCheck("GET", path, parameters=asked)
        return msgspec.convert(listed, type=_Runs).workflow_runs
    except (GitHubTrouble, msgspec.ValidationError):
        return ()


def address(url: object) -> str:
    """Return the address of a page as it may be shown, or nothing."""
    return url if isinstance(url, str) and len(url) <= 500 and _ADDRESS.fullmatch(url) else ""
