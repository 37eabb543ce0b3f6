"""`explain` prints what the page of the rules says, in every format, and helps those who misspell."""

import json

import pytest
from click.testing import CliRunner, Result

from deploygate.adapters.pages import rule_sections
from deploygate.cli.main import cli
from deploygate.rules import RULES, WAIVABLE, severity_of


def explain(*words: str) -> Result:
    return CliRunner().invoke(cli, ("explain", *words))


def test_every_rule_has_its_section_and_no_section_has_two() -> None:
    assert rule_sections().keys() == RULES.keys()
    assert all(section and "\n#" not in section for section in rule_sections().values())


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_is_explained_by_its_section(rule: str) -> None:
    told = explain(rule)
    assert told.exit_code == 0
    waivable = ", can be waived" if rule in WAIVABLE else ""
    assert told.stdout == f"{rule} ({severity_of(rule)}{waivable}): {RULES[rule]}\n\n{rule_sections()[rule]}\n"


def test_markdown_has_the_heading_of_the_page() -> None:
    assert explain("floor", "--format", "markdown").stdout == f"### floor\n\n{rule_sections()['floor']}\n"


def test_without_a_rule_all_are_listed_with_what_they_are() -> None:
    text, markdown = explain().stdout, explain("--format", "markdown").stdout
    assert len(text.splitlines()) == len(RULES) + 2
    assert len(markdown.splitlines()) == len(RULES) + 2
    (line,) = (one for one in text.splitlines() if one.startswith("shared-host "))
    assert line.split()[:3] == ["shared-host", "warning", "yes"]


def test_programs_get_the_same() -> None:
    told = json.loads(explain("--format", "json").stdout)
    assert (told["schema"], [one["rule"] for one in told["rules"]]) == (1, list(RULES))
    (one,) = json.loads(explain("no-twin", "--format", "json").stdout)["rules"]
    assert one == {
        "rule": "no-twin",
        "severity": "error",
        "waivable": True,
        "summary": RULES["no-twin"],
        "explanation": rule_sections()["no-twin"],
    }


@pytest.mark.parametrize(
    ("word", "advice"),
    [
        ("same-nam", "Did you mean `same-name`?"),
        ("xyzzy", "`deploygate explain` lists all rules."),
        ("way-back", "It can be waived for one run"),
    ],
)
def test_what_is_no_rule_is_told_with_what_was_meant(word: str, advice: str) -> None:
    told = explain(word)
    assert (told.exit_code, told.stdout) == (2, "")
    assert advice in told.stderr
