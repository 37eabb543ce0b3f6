"""What is remembered of runs, as deployments of GitHub: one for each run and environment, told only of turns."""

from collections.abc import Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from deploygate.adapters.github.client import Hub
from deploygate.adapters.github.deployments import Deployments, Found, goes_on, task
from deploygate.adapters.github.trouble import GitHubTrouble, Unsent
from deploygate.closing import Course, Said
from deploygate.endings import Ending, Goal
from deploygate.names import PRODUCTION, Environment, InstanceName, RunId, ServiceName
from deploygate.occasion import Occasion
from deploygate.past import Run
from deploygate.plan import Plan
from deploygate.records import Authored, GitHubRun, Kept, Record, recall, records

RUNS = 10  # that are remembered; what is older is forgotten
STATUSES = 20  # calls for the statuses of records, for all runs together
ALIVE = 2  # calls to find out whether a run without an ending still goes on
EARLIER = 5  # records of production that are looked at for the one that was served before


@dataclass(frozen=True, slots=True)
class Unclosed:
    """A record that no status has closed; `begun` if its environment may have been changed."""

    id: int
    record: Record
    begun: bool


class Records:
    """The records of a repository, and those of this run of the gate: `opened`, by environment.

    Whatever fails raises `GitHubTrouble`. A run of E environments costs E calls to open, E at the most to be said to
    be in progress, and E to close; where production was deployed well, EARLIER to find what was there before, and
    one to say that it is no more. To read the past costs one call, STATUSES and ALIVE at the most.
    """

    def __init__(self, hub: Hub, occasion: Occasion) -> None:
        self.opened: dict[Environment, int] = {}
        self._open: set[int] = set()
        self._unsure = False
        self._hub = hub
        self._occasion = occasion
        self._deployments = Deployments(hub, occasion)
        self._listed: dict[ServiceName, tuple[Found, ...]] = {}
        self._told: dict[int, tuple[Said, ...]] = {}

    @property
    def settled(self) -> bool:
        """Whether every record that was opened here is known to be closed; to be asked once all is written."""
        return not self._open and not self._unsure

    def open(self, plan: Plan, run: RunId, by: Authored) -> None:
        """Make a record for each environment that a run concerns; where one fails, those before it are there."""
        for record in records(run, plan, by):
            try:
                self.opened[record.environment] = self._deployments.create(record)
            except Unsent:
                self._unsure = True
                raise
            self._open.add(self.opened[record.environment])

    def in_progress(self, environment: Environment) -> None:
        """Say that an environment is being changed."""
        if environment in self.opened:
            self._deployments.mark(self.opened[environment], "in_progress", "under way")

    def close(self, run: RunId, course: Course, ending: Ending, debts: Sequence[InstanceName], line: str) -> None:
        """Say how the run ended, of every environment; what fails for one is raised after all were told."""
        failed: GitHubTrouble | None = None
        for environment, deployment in self.opened.items():
            state = course.state(environment, ending, debts)
            try:
                self.mark(deployment, state, line)
                self._open.discard(deployment)
                if state == "success" and environment == PRODUCTION:  # GitHub does this by itself for the others
                    self._supersede(course.plan.service, run)
            except GitHubTrouble as trouble:
                failed = failed or trouble
        if failed:
            raise failed

    def mark(self, deployment: int, state: str, line: str) -> None:
        """Give a record a status; a line that `closing.description` has made closes it."""
        self._deployments.mark(deployment, state, line)

    def past(self, service: ServiceName) -> tuple[Run, ...]:
        """Return the last runs of a service, oldest first; asked once more, what may have changed is read anew."""
        self._listed.pop(service, None)
        by_run: dict[RunId, list[Found]] = {}
        for one in self._all(service):
            by_run.setdefault(one.record.run, []).append(one)
        runs: list[Run] = []
        for found in by_run.values():
            self._forget_open(found)
        asks = ALIVE
        most = len(self._told) + STATUSES
        for found in list(by_run.values())[:RUNS]:
            if len(self._told) + len(found) > most:
                break
            run = recall(self._kept(found))
            if run and run.ending is None and asks:
                asks -= 1
                run = replace(run, alive=self._goes_on(found[0].record))
            runs += [run] if run else []
        return tuple(sorted(runs, key=lambda one: (one.at, one.run)))

    def rollback_of(self, service: ServiceName, of_run: RunId, github_run: int) -> Run | None:
        """Return the rollback of a run that a run of a workflow has made; two calls, or one an environment."""
        found = [
            one
            for one in self._deployments.listed({"task": task(service)})
            if (one.record.service, one.record.goal, one.record.of_run) == (service, Goal.ROLLBACK, of_run)
            and one.record.github is not None
            and one.record.github.run_id == github_run
        ]
        last = [one for one in found if one.record.run == found[0].record.run]
        for one in last:
            self._told.pop(one.id, None)
        return recall(self._kept(last)) if last else None

    def commit_of(self, service: ServiceName, run: RunId) -> str:
        """Return the commit of a run, or nothing where it has no record."""
        return next((one.sha for one in self._all(service) if one.record.run == run), "")

    def unclosed(self, run_id: int, attempt: int, sha: str) -> tuple[Unclosed, ...]:
        """Return the records of a run of a workflow that nothing has closed; one call, and one for each of its own."""
        listed = self._deployments.listed({"sha": sha})
        ours = [one for one in listed if one.record.github == GitHubRun(run_id, attempt)]
        told = [(one, _kept(one, self._deployments.statuses(one.id))) for one in ours[:STATUSES]]
        return tuple(Unclosed(one.id, one.record, kept.begun) for one, kept in told if kept.ended is None)

    def _supersede(self, service: ServiceName, run: RunId) -> None:
        """Mark the record of what production served before as inactive: GitHub leaves those of production alone."""
        earlier = [one for one in self._all(service) if one.record.environment == PRODUCTION and one.record.run != run]
        for one in earlier[:EARLIER]:
            statuses = self._statuses(one.id)
            if statuses and statuses[0].state == "success":
                self.mark(one.id, "inactive", f"superseded by run {run}")
                return

    def _kept(self, found: Sequence[Found]) -> list[Kept]:
        """Return the records of a run. That of the environment that comes last is asked, and tells for the others.

        Where it was not reached, or not closed, the others are asked too.
        """
        forward = found[0].record.goal is not Goal.ROLLBACK
        order = sorted(found, key=lambda one: one.id, reverse=forward)
        last = _kept(order[0], self._statuses(order[0].id))
        over = last.ended
        told = over is not None and (last.begun or over.ending in {Ending.REFUSED, Ending.LOCKED})
        return [last, *(_kept(one, last.statuses if told else self._statuses(one.id)) for one in order[1:])]

    def _forget_open(self, found: Sequence[Found]) -> None:
        """Forget what was said of a run that no status had closed."""
        told = [_kept(one, self._told[one.id]).ended for one in found if one.id in self._told]
        if None in told:
            for one in found:
                self._told.pop(one.id, None)

    def _all(self, service: ServiceName) -> tuple[Found, ...]:
        if service not in self._listed:
            listed = self._deployments.listed({"task": task(service)})
            self._listed[service] = tuple(one for one in listed if one.record.service == service)
        return self._listed[service]

    def _statuses(self, deployment: int) -> tuple[Said, ...]:
        if deployment not in self._told:
            self._told[deployment] = self._deployments.statuses(deployment)
        return self._told[deployment]

    def _goes_on(self, record: Record) -> bool:
        """Tell whether the run of the workflow that has a record goes on; what can't be told, or is our own, does not.

        Another job of our own run is not told from one that was killed: the leases on the hosts decide there.
        """
        if record.github is None or str(record.github.run_id) == self._occasion.run_id:
            return False
        return goes_on(self._hub, record.github.run_id, record.github.attempt) is True


def _kept(found: Found, statuses: tuple[Said, ...]) -> Kept:
    return Kept(found.record, statuses, found.made.isoformat(timespec="milliseconds"), found.made.timestamp())
