"""What came of a step: its verdict, and everything that its outputs say."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from deploygate.account import Row

# What action.yml calls outputs, in its order; each is always written, if only empty.
OUTPUTS = (
    "decision",
    "reason_code",
    "exit_code",
    "service",
    "version",
    "environment",
    "run",
    "deployment_id",
    "deployment_url",
    "comment_url",
    "rollback_run_id",
    "rollback_run_url",
    "put_back_url",
    "changed",
    "result",
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outputs of a step. `data` is the `result`; `changed` says whether any instance was touched."""

    decision: str
    reason_code: str
    exit_code: int
    says: str
    markdown: str
    data: dict[str, Any] = field(default_factory=dict)
    service: str = ""
    version: str = ""
    environment: str = ""
    run: str = ""
    changed: bool = False
    put_back_url: str = ""
    interrupted: bool = False


def environment_of(rows: Iterable[Row]) -> str:
    """Return the environment that instances belong to, or nothing where there are several."""
    environments = {row.environment for row in rows}
    return environments.pop() if len(environments) == 1 else ""
