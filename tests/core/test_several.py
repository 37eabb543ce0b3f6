"""The accounts of one event: one as it is, several as a table with the whole of each folded away."""

from deploygate import report
from deploygate.account import Account
from deploygate.endings import Ending, Goal
from deploygate.names import RunId

GOOD = Account(RunId("r1"), Goal.DEPLOY, "A", "2.0", Ending.DEPLOYED, "A 2.0 runs on 3 instances", elapsed=4.0)
BAD = Account(RunId("r2"), Goal.DEPLOY, "B", "3.0", Ending.ROLLED_BACK, "B 3.0 failed", why="b-1: ill", elapsed=9.0)


def test_one_account_is_told_as_it_is_with_what_comes_after_right_below_the_verdict() -> None:
    text = report.several_markdown([GOOD], points=["- **inventory**: put back"], folded=["<details></details>"])
    lines = text.splitlines()
    assert lines[0] == report.as_markdown(GOOD).splitlines()[0]
    assert lines[2] == "- **inventory**: put back"
    assert lines.index("<details></details>") > 2
    assert report.several_markdown([GOOD]) == report.as_markdown(GOOD)


def test_the_first_failure_is_the_verdict_and_what_was_not_begun_is_named() -> None:
    good, says = report.several_headline([GOOD, BAD], ["C"])
    assert (good, says) == (False, "rolled_back: B 3.0 failed; 1 service after it not begun")
    text = report.several_markdown([GOOD, BAD], ["C"])
    assert text.startswith("### ❌ rolled\\_back: B 3.0 failed")
    assert "| ·  | C " in text
    assert text.count("<details>") == text.count("</details>") == 2


def test_while_it_goes_on_nothing_is_called_done() -> None:
    text = report.several_markdown([GOOD], ["B", "C"], going=True)
    assert text.startswith("### ⏳ B is being deployed; 1 of 3 services done")
    assert (text.count("under way"), text.count("to come")) == (1, 1)
    assert report.several_markdown([], ["B"], going=True).startswith("### ⏳ B is being deployed\n")


def test_all_of_them_well_is_a_success() -> None:
    assert report.several_headline([GOOD, GOOD]) == (True, "2 services deployed")
    assert report.several_data([GOOD, GOOD], [])["decision"] == "pass"
    assert report.several_data([GOOD, BAD], [])["decision"] == "fail"


def test_what_a_probe_says_cannot_forge_the_table() -> None:
    forged = Account(
        RunId("r3"), Goal.DEPLOY, "A|B", "<b>", Ending.ROLLED_BACK, "</details> @all [x](http://evil)", why="| ✅ |\n|"
    )
    text = report.several_markdown([GOOD, forged])
    assert "</details> @all" not in text
    assert "<b>" not in text
    assert "](http://" not in text
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    assert len({line.replace("\\|", "").count("|") for line in rows[:3]}) == 1
