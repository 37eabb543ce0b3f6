"""A complaint, as data: which rule, where, what is wrong, and what to do about it."""

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """Whether a finding stops the gate, wants to be looked at, or is only worth knowing."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True, order=True)
class Where:
    """A place in a file; lines and columns count from 1, and 0 means "the file as a whole"."""

    file: str = ""
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return ":".join(str(part) for part in (self.file, self.line, self.column) if part)


@dataclass(frozen=True, slots=True)
class Finding:
    """One complaint. Where `rule` is one of the inventory's, it is the anchor of its explanation in docs/rules.md."""

    rule: str
    where: Where
    says: str
    help: str
    severity: Severity = Severity.ERROR


def errors(findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """Return the findings that stop the gate."""
    return tuple(finding for finding in findings if finding.severity is Severity.ERROR)
