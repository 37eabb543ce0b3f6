"""Findings as SARIF 2.1.0, which code scanning and editors show at the lines that they are about."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from deploygate.findings import Finding
from deploygate.report.forms import json_text
from deploygate.rules import RULES, severity_of

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def findings_sarif(findings: Sequence[Finding], sections: Mapping[str, str], version: str) -> str:
    """Return findings with all rules, each of them with its section of the page; `version` is the gate's."""
    places = {rule: number for number, rule in enumerate(RULES)}
    driver = {
        "name": "deploygate",
        "version": version,
        "rules": [_rule(rule, sections[rule]) for rule in RULES],
    }
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [_result(one, places[one.rule]) for one in findings],
    }
    return json_text({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]})


def _rule(rule: str, section: str) -> dict[str, Any]:
    return {
        "id": rule,
        "shortDescription": {"text": RULES[rule]},
        "help": {"text": section, "markdown": section},
        "helpUri": f"urn:deploygate:docs:rules.md#{rule}",
        "defaultConfiguration": {"level": severity_of(rule).value},
    }


def _result(one: Finding, place: int) -> dict[str, Any]:
    return {
        "ruleId": one.rule,
        "ruleIndex": place,
        "level": one.severity.value,  # the same words as SARIF's
        "message": {"text": f"{one.says}. {one.help}"},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": _uri(one.where.file)},
                    "region": {"startLine": max(1, one.where.line), "startColumn": max(1, one.where.column)},
                }
            }
        ],
    }


def _uri(path: str) -> str:
    """Return a path as a URI; a relative one stays relative, to the folder that the check ran in."""
    whole = quote(path.replace("\\", "/"), safe="/~")
    return f"file://{whole}" if path.startswith("/") else whole
