"""The verbs that ask and draw: what they print, how they exit, and what they refuse to be asked."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from deploygate.cli.main import cli

TALK = str(Path(__file__).resolve().parents[2] / "examples" / "talk" / "services.yml")


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def run(*words: str) -> Result:
    return CliRunner().invoke(cli, [*words, "--inventory", TALK, "--state", "state"])


def test_the_answer_is_a_line_for_each_half_and_a_table_of_neighbours() -> None:
    told = run("can", "AdCaster", "2.0", "--in", "production", "--no-observe")
    assert (told.exit_code, told.stdout.splitlines()) == (
        0,
        [
            "✔ deploy    AdCaster 2.0 may be deployed in production",
            "✔ rollback  AdCaster may then go back to 1.2",
            "",
            "neighbour       runs    in          beside AdCaster 2.0    beside AdCaster 1.2",
            "--------------  ------  ----------  ---------------------  ---------------------",
            "DMLoadBalancer  5.1     production  ✔                      ✔",
            "IDBroker        1.9     production  ✔                      ✔",
            "AtlasDB         7.0     production  ✔                      ✔",
            "(as declared; nothing was asked)",
        ],
    )


@pytest.mark.parametrize(("form", "begins"), [("json", "{"), ("markdown", "- ✅ **deploy**: AdCaster 2.0 may be")])
def test_the_answer_has_three_forms(form: str, begins: str) -> None:
    told = run("can", "AdCaster", "2.0", "--no-observe", "--format", form)
    assert (told.exit_code, told.stdout.startswith(begins)) == (0, True)


def test_a_fleet_that_does_not_answer_is_a_cannot_tell() -> None:
    told = run("can", "AdCaster", "2.0", "--in", "parallel-chain", "--format", "json")
    data = json.loads(told.stdout)
    assert (told.exit_code, data["answer"]) == (9, "cannot_tell")
    assert [one["says"] for one in data["rollback"]["reasons"]] == [
        "what adcaster-p1 in parallel-chain would go back to is not known"
    ]


def test_the_environments_come_in_the_inventory_s_order_and_are_all_where_none_is_named() -> None:
    every = run("can", "AdCaster", "2.0", "--no-observe")
    both = run("can", "AdCaster", "2.0", "--no-observe", "--in", "production", "--in", "parallel-chain")
    assert every.stdout == both.stdout
    assert "may be deployed in parallel-chain and production" in every.stdout


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("can", "AdCasta"), "Did you mean AdCaster?"),
        (("can", "AdCaster", "2.0", "--in", "moon"), "there is no environment moon"),
        (("can", "AdCaster", "../2.0"), "is not a version"),
        (("can", "AdCaster", "2.0", "--from", "1.2"), "--from is for --no-observe"),
        (("graph", "AdCasta"), "Did you mean AdCaster?"),
    ],
)
def test_what_can_not_be_asked_is_a_usage_error(words: tuple[str, ...], says: str) -> None:
    told = run(*words)
    assert (told.exit_code, says in told.stderr) == (2, True)


def test_what_the_service_comes_from_may_be_said() -> None:
    told = run("can", "AdCaster", "2.0", "--no-observe", "--from", "1.9", "--format", "json")
    assert json.loads(told.stdout)["rollback"]["to"] == ["1.9"]


def test_asking_and_drawing_write_nothing(tmp_path: Path) -> None:
    run("can", "AdCaster", "2.0", "--no-observe")
    run("graph")
    assert list(tmp_path.iterdir()) == []


def test_the_talk_s_fleet_is_drawn_in_each_language() -> None:
    shown = {form: run("graph", "--format", form).stdout for form in ("mermaid", "dot", "markdown")}
    assert shown["mermaid"].startswith('flowchart LR\n    n0["DMLoadBalancer 5.1"]:::service\n')
    assert shown["markdown"] == f"```mermaid\n{shown['mermaid']}```\n"
    assert shown["dot"].startswith("digraph inventory {\n")
    assert shown["mermaid"].count(":::service") == 5 + 2  # and two in the legend


def test_one_service_is_drawn_with_those_that_it_is_linked_with() -> None:
    shown = run("graph", "IDBroker").stdout
    assert "AdCaster" in shown
    assert "ScheduledTaskRunner" not in shown
