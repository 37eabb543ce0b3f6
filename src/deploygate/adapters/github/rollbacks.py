"""A rollback is raised as a run of the rollback workflow, followed to its end, and believed by its record only."""

from dataclasses import dataclass

from deploygate.adapters.github.client import Hub
from deploygate.adapters.github.dispatching import Call, Dispatched, dispatch
from deploygate.adapters.github.following import ORDINARY, Followed, Following, Limits, Outcome, Pace, follow
from deploygate.adapters.github.records import Records
from deploygate.adapters.github.trouble import GitHubTrouble
from deploygate.endings import Ending
from deploygate.names import RunId, ServiceName
from deploygate.ports import Clock
from deploygate.wording import plain

BEGIN = 60.0  # seconds that a rollback may take to begin: as long as a plan counts for it


@dataclass(frozen=True, slots=True)
class Workflow:
    """The rollback workflow: its file, and the branch that it is taken from."""

    file: str
    ref: str


class Rollbacks:
    """Raises rollbacks; `raised` is the run of the last one, as soon as it is known."""

    def __init__(self, hub: Hub, records: Records, workflow: Workflow, clock: Clock, pace: Pace = ORDINARY) -> None:
        self.raised: Dispatched | None = None
        self._hub = hub
        self._records = records
        self._workflow = workflow
        self._clock = clock
        self._pace = pace

    def raise_rollback(
        self, service: ServiceName, of_run: RunId, budget: float, reason: str = ""
    ) -> tuple[RunId, Ending | None, str]:
        """Start the rollback of a run and follow it to its end; return its id, its ending if known, and a line.

        That its workflow has succeeded is not enough: without its record there is no ending, and the gate looks, and
        takes back, by itself.
        """
        inputs = {
            "service": str(service),
            "environment": "",
            "version": "previous",
            "reason": plain(reason or f"raised by run {of_run}", 300),
            "of_run": str(of_run),
            "raised": "true",
        }
        call = Call(self._workflow.file, self._workflow.ref, inputs, of_run)
        try:
            self.raised = dispatch(self._hub, call, self._clock)
        except GitHubTrouble as trouble:
            return RunId(""), None, f"no rollback was raised: {trouble.says}"
        limits = Limits(min(BEGIN, budget), budget)
        (followed,) = follow([Following(self._hub, self.raised, limits, self._clock)], self._clock, self._pace)
        return self._ended(service, of_run, self.raised, followed)

    def _ended(
        self, service: ServiceName, of_run: RunId, raised: Dispatched, followed: Followed
    ) -> tuple[RunId, Ending | None, str]:
        line = f"rollback {followed.says}"
        if followed.outcome is not Outcome.ENDED:
            return RunId(""), None, _with(line, followed.url)
        try:
            run = self._records.rollback_of(service, of_run, raised.run_id)
        except GitHubTrouble as trouble:
            return RunId(""), None, _with(f"{line}; what it did can't be read: {trouble.says}", followed.url)
        if run is None or run.ending is None:
            name = run.run if run else RunId("")
            return name, None, _with(f"{line}; it left no record of what it did", followed.url)
        return run.run, run.ending, f"{line}, {run.ending}"


def _with(line: str, url: str) -> str:
    return f"{line} ({url})" if url else line
