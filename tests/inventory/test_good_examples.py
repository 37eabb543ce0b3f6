"""Each rule has a good example: a file that is about the rule, and does not break it."""

import re
from pathlib import Path

import pytest

from deploygate.cli.loading import load_inventory
from deploygate.rules import RULES
from deploygate.rules.catalogue import OWNER_RULES

VALID = Path(__file__).parents[1] / "examples" / "inventory" / "valid"
GOOD = {file.stem: file for file in sorted(VALID.glob("*.yml")) if file.stem in RULES}
# Rules about files as such, of which any good file is a good example.
ANY = {"empty-folder", "encoding", "missing-file", "too-large", "too-many", "unreadable-file"}


def test_every_rule_has_a_good_example() -> None:
    assert GOOD.keys() == RULES.keys() - ANY - OWNER_RULES.keys()


@pytest.mark.parametrize("rule", GOOD)
def test_a_good_example_is_about_its_rule_and_does_not_break_it(rule: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(VALID)
    about, _, text = GOOD[rule].read_text(encoding="utf-8").partition("\n")
    assert about.startswith("# exercises: ")
    assert re.search(about.removeprefix("# exercises: "), text)
    loaded = load_inventory(Path(GOOD[rule].name))
    assert loaded.inventory is not None
    told = {finding.rule: finding.says for finding in loaded.findings}
    assert {name: says for name, says in told.items() if "(waived: " not in says} == {}
