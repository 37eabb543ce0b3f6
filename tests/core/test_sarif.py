"""SARIF is what the standard says, as far as code scanning reads it, and has every rule and every finding."""

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from deploygate import report
from deploygate.adapters.pages import rule_sections
from deploygate.findings import Finding, Severity, Where
from deploygate.rules import RULES, severity_of

TEXT = {"type": "object", "required": ["text"], "properties": {"text": {"type": "string", "minLength": 1}}}
LEVEL = {"enum": ["none", "note", "warning", "error"]}
# What SARIF 2.1.0 demands of the parts that are written here (sections 3.13, 3.14, 3.19, 3.27, 3.29, 3.30, 3.49).
SARIF: dict[str, Any] = {
    "type": "object",
    "required": ["version", "runs"],
    "additionalProperties": False,
    "properties": {
        "$schema": {"type": "string", "pattern": "^https://"},
        "version": {"const": "2.1.0"},
        "runs": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["tool", "results"],
                "additionalProperties": False,
                "properties": {
                    "columnKind": {"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
                    "tool": {
                        "type": "object",
                        "required": ["driver"],
                        "additionalProperties": False,
                        "properties": {
                            "driver": {
                                "type": "object",
                                "required": ["name"],
                                "additionalProperties": False,
                                "properties": {
                                    "name": {"type": "string", "minLength": 1},
                                    "version": {"type": "string", "minLength": 1},
                                    "rules": {
                                        "type": "array",
                                        "uniqueItems": True,
                                        "items": {
                                            "type": "object",
                                            "required": ["id"],
                                            "additionalProperties": False,
                                            "properties": {
                                                "id": {"type": "string", "minLength": 1},
                                                "shortDescription": TEXT,
                                                "help": TEXT,
                                                "helpUri": {"type": "string", "pattern": "^[a-z]+:[!-~]+$"},
                                                "defaultConfiguration": {
                                                    "type": "object",
                                                    "properties": {"level": LEVEL},
                                                    "additionalProperties": False,
                                                },
                                            },
                                        },
                                    },
                                },
                            }
                        },
                    },
                    "results": {
                        "type": "array",
                        "items": {
                            "type": "object",
                            "required": ["message", "ruleId", "locations"],
                            "additionalProperties": False,
                            "properties": {
                                "ruleId": {"type": "string", "minLength": 1},
                                "ruleIndex": {"type": "integer", "minimum": 0},
                                "level": LEVEL,
                                "message": TEXT,
                                "locations": {
                                    "type": "array",
                                    "minItems": 1,
                                    "items": {
                                        "type": "object",
                                        "required": ["physicalLocation"],
                                        "properties": {
                                            "physicalLocation": {
                                                "type": "object",
                                                "required": ["artifactLocation", "region"],
                                                "additionalProperties": False,
                                                "properties": {
                                                    "artifactLocation": {
                                                        "type": "object",
                                                        "required": ["uri"],
                                                        "properties": {
                                                            "uri": {
                                                                "type": "string",
                                                                "pattern": "^[A-Za-z0-9._~!$&'()*+,;=:@%/-]+$",
                                                            }
                                                        },
                                                    },
                                                    "region": {
                                                        "type": "object",
                                                        "additionalProperties": False,
                                                        "properties": {
                                                            "startLine": {"type": "integer", "minimum": 1},
                                                            "startColumn": {"type": "integer", "minimum": 1},
                                                        },
                                                    },
                                                },
                                            }
                                        },
                                    },
                                },
                            },
                        },
                    },
                },
            },
        },
    },
}
FOUND = (
    Finding("same-name", Where("fleet/two words.yml", 3, 5), "two of a kind", "Rename one."),
    Finding("empty-folder", Where("fleet"), "no file", "Add one."),
    Finding("idle-waiver", Where("/tmp/ä.yml", 1, 1), "idle", "Take it out.", Severity.WARNING),
    Finding("interface-circle", Where("a.yml", 9, 3), "a, b", "Allowed.", Severity.NOTE),
)


def told(*findings: Finding) -> dict[str, Any]:
    text = report.findings_sarif(findings, rule_sections(), "1.2.3")
    whole: dict[str, Any] = json.loads(text)
    Draft202012Validator(SARIF).validate(whole)
    (run,) = whole["runs"]
    return dict(run)


def test_every_rule_is_in_it_with_its_page_and_its_level() -> None:
    driver = told()["tool"]["driver"]
    assert (driver["name"], driver["version"], [one["id"] for one in driver["rules"]]) == (
        "deploygate", "1.2.3", list(RULES),
    )  # fmt: skip
    for one in driver["rules"]:
        assert one["help"]["markdown"] == rule_sections()[one["id"]]
        assert one["helpUri"].endswith(f"rules.md#{one['id']}")
        assert one["defaultConfiguration"] == {"level": severity_of(one["id"])}


def test_no_finding_is_an_empty_list_of_results() -> None:
    assert told()["results"] == []


def test_every_finding_is_a_result_at_its_place() -> None:
    run = told(*FOUND)
    places = [one["locations"][0]["physicalLocation"] for one in run["results"]]
    assert [(one["artifactLocation"]["uri"], *one["region"].values()) for one in places] == [
        ("fleet/two%20words.yml", 3, 5),
        ("fleet", 1, 1),
        ("file:///tmp/%C3%A4.yml", 1, 1),
        ("a.yml", 9, 3),
    ]
    assert [one["level"] for one in run["results"]] == ["error", "error", "warning", "note"]
    assert run["results"][0]["message"]["text"] == "two of a kind. Rename one."


@pytest.mark.parametrize("number", range(len(FOUND)))
def test_a_result_points_at_its_rule(number: int) -> None:
    run = told(*FOUND)
    result = run["results"][number]
    assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"] == FOUND[number].rule
