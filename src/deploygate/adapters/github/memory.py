"""The journal of a runner that is gone tomorrow: what is on its disk, and the records that GitHub keeps."""

import threading
from collections.abc import Callable
from functools import partial

from msgspec.structs import replace

from deploygate.adapters.github.errands import Errands
from deploygate.adapters.github.records import Records
from deploygate.adapters.github.trouble import GitHubTrouble
from deploygate.closing import Course, description
from deploygate.endings import Ending, Goal
from deploygate.events import Action, Event, LockTaken
from deploygate.names import Environment, InstanceName, RunId, ServiceName
from deploygate.past import Run
from deploygate.plan import Plan
from deploygate.ports import Journal
from deploygate.probe import Sighting
from deploygate.records import Authored
from deploygate.wording import seconds

OPENING = 20.0  # seconds that a run waits for its records to be there, before it goes on all the same
READING = 60.0  # seconds that a run waits for the records of earlier ones


class Memory:
    """A `Journal` that writes into an inner one and keeps records as well; what GitHub refuses is noted, each once.

    A run that does not get the lock leaves no record, and neither does a restore: it changes no process.
    """

    def __init__(
        self,
        inner: Journal,
        records: Records,
        errands: Errands,
        run: RunId,
        by: Authored,
        note: Callable[[str], None],
    ) -> None:
        self._inner = inner
        self._records = records
        self._errands = errands
        self._run = run
        self._by = by
        self._note = note
        self._noted: set[str] = set()
        self._course: Course | None = None
        self._asked = False  # for records, which is done once
        self._mute = False  # nothing is said to be in progress any more

    def begin(self, plan: Plan, baseline: tuple[Sighting, ...]) -> None:
        """Write down what is going to be done."""
        self._inner.begin(plan, baseline)
        self._course = Course(plan)

    def before(self, action: Action) -> None:
        """Write down an action; that an environment is being changed is said to GitHub meanwhile."""
        self._inner.before(action)
        for environment in self._course.before(action) if self._course else ():
            self._errands.submit(partial(self._in_progress, environment))

    def after(self, event: Event) -> None:
        """Write down what came of it; with the lock, and before the first change, the records are opened."""
        self._inner.after(event)
        if self._course is None:
            return
        self._course.after(event)
        if isinstance(event, LockTaken) and not self._asked and self._course.plan.goal is not Goal.RESTORE:
            self._asked = True
            there = threading.Event()
            self._errands.submit(partial(self._open, self._course.plan, there))
            if not there.wait(OPENING):
                self._say(f"GitHub did not open records within {seconds(OPENING)}; the run does not wait for them")

    def end(self, ending: Ending, cause: str, *, bad: bool, debts: tuple[InstanceName, ...]) -> None:
        """Write down how the run ended, and close its records."""
        try:
            self._inner.end(ending, cause, bad=bad, debts=debts)
        finally:
            if self._course is not None and self._asked:
                line = description(ending, cause, bad=bad, debts=debts, out=tuple(self._course.out))
                self._errands.submit(partial(self._close, self._course, ending, debts, line))

    def past(self, service: ServiceName) -> tuple[Run, ...]:
        """Return the earlier runs of a service, oldest first: what is on disk, and what is on record besides."""
        runs = {run.run: run for run in self._inner.past(service)}
        try:
            recorded = self._errands.ask(lambda: self._records.past(service), READING)
        except GitHubTrouble as trouble:
            self._say(f"earlier runs can't be read from GitHub, so what they left is not known here: {trouble.says}")
            recorded = ()
        for run in recorded:
            if run.run in runs:  # the journal knows more
                runs[run.run] = replace(runs[run.run], github_run=run.github_run)
            elif run.run != self._run:
                runs[run.run] = run
        return tuple(sorted(runs.values(), key=lambda run: (run.at, run.run)))

    def _open(self, plan: Plan, there: threading.Event) -> None:
        try:
            self._records.open(plan, self._run, self._by)
        except GitHubTrouble as trouble:
            self._say(f"this run is not on record: {trouble.says}")
        finally:
            there.set()

    def _in_progress(self, environment: Environment) -> None:
        if self._mute:
            return
        try:
            self._records.in_progress(environment)
        except GitHubTrouble as trouble:
            self._mute = True
            self._say(f"the record does not say that {environment} is being changed: {trouble.says}")

    def _close(self, course: Course, ending: Ending, debts: tuple[InstanceName, ...], line: str) -> None:
        try:
            self._records.close(self._run, course, ending, debts, line)
        except GitHubTrouble as trouble:
            self._say(f"the record does not say how the run ended: {trouble.says}")

    def _say(self, says: str) -> None:
        if says not in self._noted:
            self._noted.add(says)
            self._note(says)
