"""The gates of a step: the same as on the command line, with GitHub as memory, as lock and as the way to raise."""

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from deploygate.adapters.clock import SystemClock
from deploygate.adapters.github.client import ORDINARY, Hub
from deploygate.adapters.github.deployments import goes_on
from deploygate.adapters.github.leases import GitHubLocks
from deploygate.adapters.github.memory import Memory
from deploygate.adapters.github.records import Records, Unclosed
from deploygate.adapters.github.rollbacks import Rollbacks, Workflow
from deploygate.adapters.github.statuses import State
from deploygate.adapters.github.trouble import GitHubTrouble
from deploygate.adapters.github.workflow_driver import WorkflowDriver
from deploygate.cli.acting.desk import Desk
from deploygate.cli.wiring import Beyond, Gate, Places, open_gate
from deploygate.closing import description
from deploygate.endings import Ending, succeeded
from deploygate.inventory import Service
from deploygate.names import RunId, ServiceName
from deploygate.past import Past, Run
from deploygate.ports import Forge, Hosts, Journal, Locks
from deploygate.records import Authored, GitHubRun

_BUDGET = 60.0  # seconds for reading what earlier runs left
CUT_OFF = {Ending.INTERRUPTED, Ending.INTERNAL_ERROR}  # of what follows nobody knows but who looks
_STATES: Mapping[str, State] = {"pending": "pending", "success": "success", "error": "error"}


class DeskForge:
    """A `Forge` for one run of a step: statuses go to the desk, which tells the rest when all runs are over.

    `going` is the comment while it is under way. Without it no status is set: a rollback, and what puts traffic right,
    is no verdict on the commit that it runs at.
    """

    def __init__(self, desk: Desk, rollbacks: Rollbacks | None, going: str) -> None:
        self._desk = desk
        self._rollbacks = rollbacks
        self._going = going
        self._begun = False

    def status(self, context: str, state: str, says: str) -> None:
        """Set the commit status of a deploy."""
        if self._going:
            if state == "pending" and not self._begun:  # with the lock: till then the run that holds it is shown
                self._begun = True
                self._desk.comment(self._going, going=True)
            self._desk.status(context, _STATES.get(state, "failure"), says)

    def comment(self, key: str, markdown: str) -> None:
        """Do nothing: the step tells of all its runs in one comment."""

    def summary(self, markdown: str) -> None:
        """Do nothing: the step has one summary."""

    def raise_rollback(self, service: ServiceName, of_run: RunId, budget: float) -> tuple[RunId, Ending | None, str]:
        """Start the rollback workflow and follow it, where there is one."""
        if self._rollbacks is None:
            return RunId(""), None, "no rollback workflow is to be raised, so it is done in this job"
        return self._rollbacks.raise_rollback(service, of_run, budget)


class Gates:
    """Opens gates for one step after the other, and knows what GitHub remembers of their runs."""

    def __init__(self, desk: Desk, environ: Mapping[str, str]) -> None:
        self._desk = desk
        self._environ = environ
        self._records: Records | None = None
        self._kept: list[Records] = []
        self._clock = SystemClock()  # one for all: a stop is meant for the step, not for one of its runs
        self._rollbacks: Rollbacks | None = None

    def open(self, take_over: str = "", *, recording: bool = True, going: str = "") -> Gate:
        """Return a gate on the inventory of the workspace; `going` is the comment while a run of it is under way.

        Raises:
            InventoryError: The inventory has errors.
        """
        inputs = self._desk.inputs
        places = Places(inputs.inventory, self._state(), inputs.ssh.within(self._environ.get("RUNNER_TEMP", "")))
        return open_gate(places, take_over or inputs.take_over or None, self._beyond(going, recording=recording))

    def past(self, service: ServiceName) -> Past:
        """Return what earlier runs of a service left, as far as it is on record."""
        with closing(self.open()) as gate:
            return Past(gate.journal.past(service))

    def here(self, service: ServiceName) -> tuple[Run, ...]:
        """Return the runs of a service of which this job has a journal, oldest first."""
        with closing(self.open(recording=False)) as gate:
            return gate.journal.past(service)

    def commit_of(self, service: ServiceName, run: RunId) -> str:
        """Return the commit that a run deployed, or nothing where that is not on record."""
        if not self._desk.online:
            return ""
        try:
            return self._desk.ask(lambda hub: Records(hub, self._desk.occasion).commit_of(service, run), _BUDGET)
        except GitHubTrouble as trouble:
            self._desk.note(f"which commit run {run} was of can't be read: {trouble.says}")
            return ""

    def is_over(self, run: Run | None) -> bool:
        """Tell whether the workflow of a run is known to be over, so that it tells nothing any more."""
        number = run.github_run if run else None
        if number is None or not self._desk.online:
            return False
        try:
            return self._desk.ask(lambda hub: goes_on(hub, number), _BUDGET) is False
        except GitHubTrouble:
            return False

    def secrets(self, service: Service) -> list[str]:
        """Return the values of the secrets that a service is deployed with."""
        return [self._environ.get(name, "") for name in service.secrets]

    def _state(self) -> Path | None:
        """Return where journals are kept: beside the workspace, where files of ours would be in the way of others."""
        if self._desk.inputs.state:
            return Path(self._desk.inputs.state)
        temporary = self._environ.get("RUNNER_TEMP", "")
        return Path(temporary) / "deploygate" if temporary and Path(temporary).is_dir() else None

    def unclosed(self) -> tuple[Unclosed, ...]:
        """Return the records of this run of a workflow that nothing has closed."""
        at = self._desk.occasion
        if not (self._desk.online and at.run_id.isdecimal() and at.sha):
            return ()
        try:
            return self._desk.ask(lambda hub: Records(hub, at).unclosed(int(at.run_id), at.attempt, at.sha), _BUDGET)
        except GitHubTrouble as trouble:
            self._desk.note(f"the records of this run can't be read: {trouble.says}")
            return ()

    @property
    def settled(self) -> bool:
        """Whether every record that this step has opened is known to be closed."""
        return all(one.settled for one in self._kept)

    def close(self, records: Sequence[Unclosed], ending: Ending, says: str) -> None:
        """Close records that a step has left open."""
        line = description(ending, says, out=None)  # who is left out of a balancer, only the killed step knew
        for one in records:
            if succeeded(ending, one.record.goal):
                state = "success"
            else:
                state = "inactive" if not one.begun else "error" if ending in CUT_OFF else "failure"
            self._desk.write("deployments", partial(self._mark, one.id, state, line))

    def _mark(self, deployment: int, state: str, line: str, hub: Hub) -> None:
        Records(hub, self._desk.occasion).mark(deployment, state, line)

    def outputs(self) -> dict[str, str]:
        """Return what the outputs say of records and of a rollback that was raised."""
        raised = self._rollbacks.raised if self._rollbacks else None
        opened = dict(self._records.opened) if self._records else {}
        deployment = str(list(opened.values())[-1]) if opened else ""
        at = self._desk.occasion
        return {
            "deployment_id": deployment,
            "deployment_url": f"{at.server_url}/{at.repository}/deployments" if deployment else "",
            "rollback_run_id": str(raised.run_id) if raised else "",
            "rollback_run_url": self._page(raised.run_id) if raised else "",
        }

    def _beyond(self, going: str, *, recording: bool) -> Beyond:
        desk = self._desk
        number = int(desk.occasion.run_id) if desk.occasion.run_id.isdecimal() else None

        def journal(inner: Journal, run: RunId) -> Journal:
            if not (recording and desk.online and desk.inputs.deployments):
                return inner
            self._records = Records(desk.line, desk.occasion)
            self._kept.append(self._records)
            return Memory(inner, self._records, desk.errands, run, self._by(number), desk.note)

        def forge(clock: SystemClock, _run: RunId) -> Forge:
            desk.clock = clock
            self._rollbacks = self._raising(clock)
            return DeskForge(desk, self._rollbacks, going)

        def locks(inner: Locks) -> Locks:
            if not desk.online:
                return inner
            return GitHubLocks(inner, desk.line, desk.errands, desk.occasion, alone=not recording)

        def workflows(clock: SystemClock, run: RunId) -> Hosts:
            return WorkflowDriver(partial(desk.new_hub, ORDINARY), run, clock)

        beyond = Beyond(journal, locks, forge, lambda: self._clock, number)
        return replace(beyond, workflows=workflows) if desk.online else beyond

    def _raising(self, clock: SystemClock) -> Rollbacks | None:
        """Return what raises rollbacks, on a line of its own to GitHub: it is followed by the thread of the run."""
        inputs, at = self._desk.inputs, self._desk.occasion
        if not self._desk.online or inputs.verb != "deploy" or inputs.rollback_workflow == "none":
            return None
        ref = inputs.rollback_ref or at.default_branch or at.ref.removeprefix("refs/heads/")
        hub = self._desk.line_of_runs
        return Rollbacks(hub, Records(hub, at), Workflow(inputs.rollback_workflow, ref), clock)

    def raised(self) -> list[str]:
        """Return a line of Markdown that links to the rollback that was raised, or nothing."""
        raised = self._rollbacks.raised if self._rollbacks else None
        return [f"- **rollback**: [run {raised.run_id}]({self._page(raised.run_id)})"] if raised else []

    def _page(self, run: int) -> str:
        at = self._desk.occasion
        return f"{at.server_url}/{at.repository}/actions/runs/{run}"

    def _by(self, number: int | None) -> Authored:
        at = self._desk.occasion
        github = GitHubRun(number, at.attempt) if number is not None else None
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        return Authored(at.actor, now, self._desk.inputs.reason, github)
