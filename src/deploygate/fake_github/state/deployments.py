"""Commit statuses, deployments and their statuses, and the environments that they have made."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from deploygate.fake_github.state.people import User


@dataclass(frozen=True, slots=True)
class Status:
    """What somebody says of a commit."""

    number: int
    sha: str
    state: str
    context: str
    description: str | None
    target: str | None
    user: User
    when: datetime


@dataclass(frozen=True, slots=True)
class DeploymentStatus:
    """What somebody says of a deployment."""

    number: int
    state: str
    description: str
    environment: str
    environment_url: str
    log_url: str
    user: User
    when: datetime


@dataclass(slots=True)
class Deployment:
    """A wish to have a commit in an environment; its statuses are the oldest first."""

    number: int
    sha: str
    ref: str
    task: str
    payload: Any
    environment: str
    original_environment: str
    description: str | None
    transient: bool
    production: bool
    user: User
    created: datetime
    updated: datetime
    statuses: list[DeploymentStatus] = field(default_factory=list)

    @property
    def state(self) -> str:
        """What was said of it last; a new one is pending."""
        return self.statuses[-1].state if self.statuses else "pending"


@dataclass(frozen=True, slots=True)
class Environment:
    """A place that deployments have named."""

    number: int
    name: str
    when: datetime


def combined(statuses: list[Status]) -> str:
    """Return the state of all: failure, pending (where there is none, too) or success."""
    states = {one.state for one in statuses}
    if states & {"error", "failure"}:
        return "failure"
    return "success" if states == {"success"} else "pending"
