"""A repository on the fake GitHub, and the parts that remember in it, for one run of a workflow after the other."""

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field

from deploygate.adapters.github.client import Hub
from deploygate.adapters.github.errands import Errands
from deploygate.adapters.github.line import Patience
from deploygate.adapters.github.memory import Memory
from deploygate.adapters.github.records import Records
from deploygate.endings import Ending
from deploygate.events import Action, Event
from deploygate.fake_github import FakeGitHub
from deploygate.names import InstanceName, RunId, Secret, ServiceName
from deploygate.occasion import Occasion
from deploygate.past import Run
from deploygate.plan import Plan
from deploygate.probe import Sighting
from deploygate.records import Authored, GitHubRun

FUSE = 20.0  # seconds after which a wait fails rather than hangs
BRIEF = Patience(timeout=5.0, whole=5.0, tries=2, budget=5.0)


def occasion(sha: str, run_id: int = 4711, attempt: int = 1) -> Occasion:
    """Return a push to main."""
    return Occasion(
        event="push", repository="acme/shop", sha=sha, ref="refs/heads/main", default_branch="main", before="",
        pull=None, fork=False, run_id=str(run_id), attempt=attempt, workflow="deploy", job="deploy", actor="nathan",
        server_url="https://github.example", api_url="https://github.example/api/v3",
    )  # fmt: skip


class FastClock:
    """A clock that goes on only when somebody waits, and does then what a test has planned; with a fuse."""

    def __init__(self) -> None:
        self.time = 1_000.0
        self.stop = ""
        self.plans: list[tuple[float, Callable[[], None]]] = []
        self.waits = 0
        self.meanwhile: Callable[[], object] = lambda: None

    def now(self) -> float:
        return self.time

    def wait_until(self, when: float) -> None:
        self.waits += 1
        assert self.waits < 5_000, "somebody waits for ever"
        self.time = max(self.time, when)
        self.meanwhile()
        for due in [one for one in self.plans if one[0] <= self.time - 1_000.0]:
            self.plans.remove(due)
            due[1]()

    def stopped(self) -> str:
        return self.stop

    def at(self, second: float, do: Callable[[], None]) -> None:
        self.plans.append((second, do))


class NoJournal:
    """A `Journal` on a disk that is thrown away: it remembers what it is given, and writes down the rest."""

    def __init__(self, *runs: Run) -> None:
        self.runs = runs
        self.lines: list[str] = []

    def begin(self, plan: Plan, baseline: tuple[Sighting, ...]) -> None:
        self.lines.append(f"begin {plan.version}, {len(baseline)} seen")

    def before(self, action: Action) -> None:
        self.lines.append(f"before {type(action).__name__}")

    def after(self, event: Event) -> None:
        self.lines.append(f"after {type(event).__name__}")

    def end(self, ending: Ending, cause: str, *, bad: bool, debts: tuple[InstanceName, ...]) -> None:
        self.lines.append(f"end {ending} {cause} {bad} {debts}")

    def past(self, service: ServiceName) -> tuple[Run, ...]:
        return tuple(run for run in self.runs if run.plan.service == service)


@dataclass
class Forge:
    """The fake GitHub with one repository, and what is opened on it; `notes` is what people are told of trouble."""

    github: FakeGitHub
    permissions: dict[str, str] | None = None
    notes: list[str] = field(default_factory=list)
    hubs: list[Hub] = field(default_factory=list)
    errands: list[Errands] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.repository = self.github.repository("acme/shop")

    def hub(self, stopped: Callable[[], str] = lambda: "") -> Hub:
        token = Secret(self.github.token(self.permissions))
        self.hubs.append(Hub(self.github.url, token, "acme/shop", patience=BRIEF, stopped=stopped))
        return self.hubs[-1]

    def records(self, run_id: int = 4711, attempt: int = 1) -> Records:
        return Records(self.hub(), occasion(self.repository.sha(), run_id, attempt))

    def memory(self, run: str, *runs: Run, run_id: int = 4711, attempt: int = 1) -> tuple[Memory, Records, Errands]:
        records, errands = self.records(run_id, attempt), Errands(self.notes.append)
        self.errands.append(errands)
        by = Authored("nathan", "2024-01-01T12:00:00.000+00:00", "", GitHubRun(run_id, attempt))
        memory = Memory(NoJournal(*runs), records, errands, RunId(run), by, self.notes.append)
        return memory, records, errands

    def shown(self) -> list[tuple[str, list[str]]]:
        """Return each deployment's environment, and the states and lines of its statuses, the oldest first."""
        return [
            (one.environment, [f"{said.state}: {said.description}" for said in one.statuses])
            for one in self.repository.deployments.values()
        ]

    def asked(self, since: int = 0) -> list[str]:
        """Return what was requested, without the numbers in it."""
        paths = (f"{one.method} {one.path}" for one in self.github.requests[since:])
        return ["/".join("N" if part.isdigit() else part for part in path.split("?")[0].split("/")) for path in paths]

    def close(self) -> None:
        for one in self.errands:
            assert one.finish(FUSE)
        for hub in self.hubs:
            with closing(hub):
                pass
