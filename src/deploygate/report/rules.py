"""The rules of an inventory, all in a table or one with its page, for people and for programs."""

from collections.abc import Iterable
from typing import Any

from deploygate.report.forms import SCHEMA, escaped, github_table, json_text, plain_table
from deploygate.rules import RULES, WAIVABLE, severity_of

_HEAD = ("rule", "severity", "can be waived", "what it wants")


def rules_text() -> str:
    """Return all rules as a table for a terminal."""
    return plain_table(list(_rows(RULES)), _HEAD) + "\n"


def rules_markdown() -> str:
    """Return all rules as a table for Markdown."""
    return github_table([[escaped(cell) for cell in row] for row in _rows(RULES)], _HEAD) + "\n"


def rules_json(sections: dict[str, str], rules: Iterable[str] = tuple(RULES)) -> str:
    """Return rules for a program, `schema: 1`."""
    return json_text({"schema": SCHEMA, "rules": [_data(rule, sections[rule]) for rule in rules]})


def rule_text(rule: str, section: str) -> str:
    """Return one rule with its section of the page, which reads well as it stands."""
    waivable = ", can be waived" if rule in WAIVABLE else ""
    return f"{rule} ({severity_of(rule)}{waivable}): {RULES[rule]}\n\n{section}\n"


def rule_markdown(rule: str, section: str) -> str:
    """Return one rule with its section of the page."""
    return f"### {rule}\n\n{section}\n"


def _rows(rules: Iterable[str]) -> Iterable[tuple[str, ...]]:
    for rule in rules:
        yield rule, severity_of(rule).value, "yes" if rule in WAIVABLE else "", RULES[rule]


def _data(rule: str, section: str) -> dict[str, Any]:
    return {
        "rule": rule,
        "severity": severity_of(rule).value,
        "waivable": rule in WAIVABLE,
        "summary": RULES[rule],
        "explanation": section,
    }
