"""The folders of valid and invalid inventories: each says what is expected of it."""

from pathlib import Path

import pytest

from deploygate.cli.loading import load_inventory
from deploygate.findings import Finding, Severity, errors

EXAMPLES = Path(__file__).parents[1] / "examples" / "inventory"
VALID = sorted((EXAMPLES / "valid").glob("*.yml"))
INVALID = sorted((EXAMPLES / "invalid").glob("*.yml"))


def line(finding: Finding) -> str:
    mark = "" if finding.severity is Severity.ERROR else f"{finding.severity} "
    return f"{finding.where.line}:{finding.where.column} {mark}{finding.rule}: {finding.says}\n"


def expected(example: Path) -> str:
    beside = example.with_suffix(".expected")
    return beside.read_text(encoding="utf-8") if beside.exists() else ""


@pytest.mark.parametrize("example", VALID, ids=lambda one: one.stem)
def test_a_valid_example_is_an_inventory(example: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(example.parent)
    loaded = load_inventory(Path(example.name))
    assert loaded.inventory is not None
    assert "".join(map(line, loaded.findings)) == expected(example)


@pytest.mark.parametrize("example", INVALID, ids=lambda one: one.stem)
def test_an_invalid_example_says_all_that_is_wrong(example: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(example.parent)
    loaded = load_inventory(Path(example.name))
    assert (loaded.inventory is None) == bool(errors(loaded.findings))
    assert "".join(map(line, loaded.findings)) == expected(example)
    assert loaded.findings
    assert all(finding.help for finding in loaded.findings)
