"""Findings, as people read compiler output, as a table, and as data."""

from collections.abc import Mapping, Sequence
from typing import Any

from deploygate.findings import Finding
from deploygate.report.forms import SCHEMA, escaped, github_table, json_text


def findings_text(findings: Sequence[Finding]) -> str:
    """Return findings as people read compiler output, the place first, and how to mend each below it."""
    return "".join(
        f"{finding.where}: {finding.severity}: {finding.says} [{finding.rule}]\n    {finding.help}\n"
        for finding in findings
    )


def findings_markdown(findings: Sequence[Finding]) -> str:
    """Return findings as one table."""
    rows = [
        [escaped(str(one.where)), one.severity.value, one.rule, escaped(one.says), escaped(one.help)]
        for one in findings
    ]
    return github_table(rows, ("where", "severity", "rule", "what was found", "what to do")) + "\n"


def findings_data(findings: Sequence[Finding]) -> list[dict[str, Any]]:
    """Return findings as plain data."""
    return [
        {
            "rule": one.rule,
            "severity": one.severity.value,
            "file": one.where.file,
            "line": one.where.line,
            "column": one.where.column,
            "says": one.says,
            "help": one.help,
        }
        for one in findings
    ]


def codeowners_json(data: Mapping[str, object], findings: Sequence[Finding]) -> str:
    """Return what became of a CODEOWNERS file for a program, `schema: 1`."""
    return json_text({"schema": SCHEMA, **data, "findings": findings_data(findings)})


def findings_json(findings: Sequence[Finding]) -> str:
    """Return findings for a program, `schema: 1`."""
    return json_text({"schema": SCHEMA, "findings": findings_data(findings)})
