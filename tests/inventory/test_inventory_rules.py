"""Every rule is shown to bite, and is explained."""

import re
from pathlib import Path

import pytest

from deploygate.deploying import seconds
from deploygate.rules import RULES, WAIVABLE
from deploygate.rules.catalogue import DOCUMENT_RULES, INVENTORY_RULES, OWNER_RULES, SHAPE_RULES, severity_of

TESTS = Path(__file__).parent
EXAMPLES = TESTS.parent / "examples" / "inventory" / "invalid"
PAGE = TESTS.parents[1] / "docs" / "rules.md"
# Rules about files as such: no example file can break them; test_inventory_files.py does.
ON_THE_FLY = {"empty-folder", "encoding", "missing-file", "too-large", "too-many", "unreadable-file"}


def test_every_rule_has_an_invalid_example() -> None:
    lines = [line for file in EXAMPLES.glob("*.expected") for line in file.read_text(encoding="utf-8").splitlines()]
    broken = {re.sub(r"^\d+:\d+ ((warning|note) )?", "", line).partition(":")[0] for line in lines}
    assert broken | ON_THE_FLY | OWNER_RULES.keys() == set(RULES)
    assert not broken & ON_THE_FLY


@pytest.mark.parametrize("rule", sorted(ON_THE_FLY))
def test_a_rule_without_an_example_has_a_test(rule: str) -> None:
    assert f'"{rule}"' in (TESTS / "test_inventory_files.py").read_text(encoding="utf-8")


@pytest.mark.parametrize("rule", OWNER_RULES)
def test_a_rule_that_looks_beyond_the_inventory_has_a_test(rule: str) -> None:
    names = ("core/test_codeowners.py", "core/test_reviews.py", "adapters/github/test_people.py")
    assert any(f'"{rule}"' in (TESTS.parent / name).read_text(encoding="utf-8") for name in names)


def test_every_rule_has_a_section_of_the_page() -> None:
    sections = re.findall(r"^### (\S+)$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    groups = (DOCUMENT_RULES, SHAPE_RULES, INVENTORY_RULES, OWNER_RULES)
    assert sections == [rule for group in groups for rule in sorted(group)]


def test_the_page_says_what_can_be_waived() -> None:
    sections = re.split(r"^### ", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    waivable = {section.split("\n", 1)[0] for section in sections if "Can be waived." in section}
    assert waivable == WAIVABLE


@pytest.mark.parametrize("severity", ["warning", "note"])
def test_the_page_says_what_is_less_than_an_error(severity: str) -> None:
    sections = re.split(r"^### ", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    said = {section.split("\n", 1)[0] for section in sections if f"This is a {severity}." in section}
    assert said == {rule for rule in RULES if severity_of(rule) == severity}


@pytest.mark.parametrize(
    ("written", "meant"),
    [("500ms", 0.5), ("2s", 2.0), ("1.5m", 90.0), ("1h", 3600.0), ("0s", 0.0), ("0.001s", 0.001)],
)
def test_durations_are_seconds(written: str, meant: float) -> None:
    assert seconds(written) == meant
