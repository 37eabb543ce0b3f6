"""Workflows that can be dispatched, and their runs, which a test or a program of its own drives."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from threading import Event
from typing import TYPE_CHECKING

from deploygate.fake_github.state.people import User

if TYPE_CHECKING:
    from deploygate.fake_github.state.repository import Repository


@dataclass(frozen=True, slots=True)
class Input:
    """An input of a workflow, as its file says it; without options any value will do."""

    name: str
    required: bool = False
    default: str = ""
    options: tuple[str, ...] = ()


@dataclass(slots=True)
class Workflow:
    """A workflow's file.

    `on_dispatch` is called in a thread of its own for each run; None leaves the runs to the test. `late` is how many
    listings do not show a new run yet. `run_name` makes a run's title of its inputs; without it, it is the workflow's.
    """

    number: int
    repo: "Repository"
    file: str
    name: str
    inputs: tuple[Input, ...]
    dispatchable: bool
    on_dispatch: "Callable[[Dispatch], None] | None"
    late: int
    created: datetime
    run_name: Callable[[Mapping[str, str]], str] | None = None
    state: str = "active"

    @property
    def path(self) -> str:
        """Where it is in the repository."""
        return f".github/workflows/{self.file}"


@dataclass(slots=True)
class Attempt:
    """One attempt of a run: what GitHub says of it."""

    number: int
    started: datetime
    updated: datetime
    status: str = "queued"
    conclusion: str | None = None


@dataclass(slots=True)
class Run:
    """A run of a workflow; `start`, `wait` and `complete` are what a runner would tell GitHub.

    `cancelling` is set as soon as somebody asks for its end.
    """

    number: int
    ordinal: int
    workflow: Workflow
    event: str
    branch: str
    sha: str
    actor: User
    inputs: Mapping[str, str]
    created: datetime
    title: str
    hidden: int = 0
    attempts: list[Attempt] = field(default_factory=list)
    cancelling: Event = field(default_factory=Event)

    @property
    def latest(self) -> Attempt:
        """The newest attempt."""
        return self.attempts[-1]

    @property
    def status(self) -> str:
        """Where it is now."""
        return self.latest.status

    @property
    def conclusion(self) -> str | None:
        """How it has ended."""
        return self.latest.conclusion

    def start(self) -> None:
        """Say that a runner has begun."""
        self.move("in_progress")

    def complete(self, conclusion: str = "success") -> None:
        """Say that it is over; a run that is over stays as it is."""
        if self.status != "completed":
            self.move("completed", conclusion)

    def move(self, status: str, conclusion: str | None = None) -> None:
        """Say where it is now: queued, waiting, pending, requested, in_progress or completed."""
        site = self.workflow.repo.site
        with site.changed:
            self.latest.status, self.latest.conclusion = status, conclusion
            self.latest.updated = site.now()
            site.changed.notify_all()

    def cancel(self, *, force: bool = False) -> None:
        """Ask for its end; what nobody drives, or has not begun, ends at once."""
        self.cancelling.set()
        if force or self.workflow.on_dispatch is None or self.status != "in_progress":
            self.complete("cancelled")

    def attempt(self) -> None:
        """Begin a new attempt."""
        now = self.workflow.repo.site.now()
        self.attempts.append(Attempt(len(self.attempts) + 1, now, now))


@dataclass(frozen=True, slots=True)
class Dispatch:
    """What a workflow is called with."""

    run: Run
    inputs: Mapping[str, str]
