"""A job of a workflow, what came of it, and what a runner of jobs is."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from deploygate.fake_github import FakeGitHub, Run

from .commands import Command

FUSE = 240.0  # seconds after which a job fails the test rather than hangs it
PATIENCE = (7.5, 2.5)  # seconds from SIGINT to SIGTERM, and from there to SIGKILL: GitHub's own runner's


@dataclass(frozen=True, slots=True)
class Job:
    """A run of one workflow of the shop's: its event, the commit and ref that it is about, what its token may do."""

    run: Run
    event: str
    payload: Mapping[str, Any]
    sha: str
    ref: str
    permissions: Mapping[str, str]
    inputs: Mapping[str, str] = field(default_factory=dict)
    attempt: int = 1

    @property
    def workflow(self) -> str:
        """The file of the workflow."""
        return self.run.workflow.file


@dataclass(frozen=True, slots=True)
class Given:
    """What a runner is given: where GitHub is, and the repository's secrets and variables."""

    hub: FakeGitHub
    secrets: Mapping[str, str]
    variables: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Ran:
    """What came of a job, as its runner knows it."""

    green: bool
    outputs: Mapping[str, str]
    annotations: tuple[Command, ...]
    summary: str
    last_word: str
    log: str

    def annotated(self, level: str = "error") -> Iterable[tuple[str, str, str]]:
        """Return file, line and message of each annotation of a level."""
        return [
            (one.about.get("file", ""), one.about.get("line", ""), one.says)
            for one in self.annotations
            if one.name == level
        ]


class Running(Protocol):
    """A job that runs."""

    def cancel(self, patience: tuple[float, float] = PATIENCE) -> None:
        """Ask its main step to end as the runner does, twice, and kill it then; the post step is left to run."""
        ...

    def terminate(self) -> None:
        """Ask its main step to end as a machine does that is going down, and wait."""
        ...

    def kill(self) -> None:
        """End its main step with no warning at all; the post step is left to run."""
        ...

    def goes(self) -> bool:
        """Tell whether its main step still runs."""
        ...

    def ran(self) -> Ran:
        """Wait until it is over, but not for ever."""
        ...


class Runner(Protocol):
    """Whoever runs the jobs of the shop's workflows."""

    def begin(self, job: Job) -> Running:
        """Start a job and leave it running."""
        ...

    def close(self) -> None:
        """End whatever of it is still there."""
        ...
