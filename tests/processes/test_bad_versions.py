"""Versions that are bad in every way that the talk names: contained at once, taken back, remembered."""

import json
from typing import Any

import pytest

from .fleet import Fleet, Told


def assert_taken_back(fleet: Fleet, told: Told, last: str) -> None:
    """The run says so, the processes say so, and what was touched is what the run says it touched."""
    assert told.end == (6, "rolled_back"), told
    touched = fleet.names[: fleet.names.index(last) + 1]
    assert told.states == {name: "taken back" if name in touched else "not touched" for name in fleet.names}
    fleet.assert_whole("1.0")


@pytest.mark.parametrize("only", ["p-1", "s-1", "s-3"])
def test_a_version_that_names_another_is_contained_wherever_it_shows(fleet: Fleet, only: str) -> None:
    fleet.release("2.0", at={only: {"says": "1.9"}})
    told = fleet.deploy("2.0")
    assert_taken_back(fleet, told, only)
    assert told.why.startswith(f"{only}: healthy, but 1.9 where 2.0 was expected (2 times in a row, ")
    assert len(fleet.raised()) == (0 if only == "p-1" else 1)


def test_a_version_that_is_ill_from_the_start_fails_at_its_deadline(fleet: Fleet) -> None:
    fleet.release("2.0", ill_after=0)
    told = fleet.deploy("2.0")
    assert_taken_back(fleet, told, "p-1")
    assert told.why.startswith('p-1: /health: answered 503 and says "fail" (')
    assert told.why.endswith(" times, until the deadline of 3 s)")
    assert fleet.raised() == []


def test_late_illness_is_contained_and_the_rest_is_taken_back_by_a_raised_rollback(fleet: Fleet) -> None:
    fleet.release("2.0", at={"s-2": {"ill_after": 2}})
    told = fleet.deploy("2.0")
    assert_taken_back(fleet, told, "s-2")
    assert fleet.switches(1) == [[("p-1", "2.0")], [("s-1", "2.0")], [("s-2", "2.0")], [("s-2", "1.0")]]
    (raised,) = fleet.raised()
    assert json.loads(raised.read_text())["ending"] == "rolled_back"
    assert fleet.switches(2) == [[("s-1", "1.0")], [("p-1", "1.0")]]
    assert raised.stem == fleet.journals()[1].stem


def test_the_way_back_goes_from_the_last_to_the_first_and_the_parallel_chain_is_last(fleet: Fleet) -> None:
    fleet.release("2.0", at={"s-3": {"dies": "no"}})
    assert_taken_back(fleet, fleet.deploy("2.0"), "s-3")
    assert [change for batch in fleet.switches(2) for change in batch] == [
        ("s-2", "1.0"),
        ("s-1", "1.0"),
        ("p-1", "1.0"),
    ]


def test_an_instance_that_had_passed_is_watched_on_while_a_later_one_starts(fleet: Fleet) -> None:
    fleet.release("2.0", at={"s-2": {"makes_ill": ["s-1-2.0"], "slow": 0.5}})
    told = fleet.deploy("2.0")
    assert_taken_back(fleet, told, "s-2")
    assert told.why.startswith('s-1: /health: answered 503 and says "fail" (2 times in a row')
    assert fleet.switches(1)[3] == [("s-1", "1.0")]


def test_a_process_that_dies_is_told_with_its_exit_code_and_the_last_lines_of_its_log(fleet: Fleet) -> None:
    fleet.release("2.0", at={"s-1": {"dies": "no such database: atlas"}})
    told = fleet.deploy("2.0")
    assert_taken_back(fleet, told, "s-1")
    assert told.why == (
        "s-1: the process is gone: 2.0 exited with 3; its log ends: "
        f"2.0 as s-1 on {fleet.ports['s-1']} | no such database: atlas"
    )


def test_a_process_that_never_listens_is_killed(small: Fleet) -> None:
    small.release("2.0", silent=True)
    told = small.deploy("2.0")
    assert_taken_back(small, told, "p-1")
    assert told.why.startswith("p-1: /health: connection refused (")


@pytest.mark.parametrize(
    ("odd", "says"),
    [
        ("redirects", "redirects (302); redirects are not followed"),
        ("aged", "an aged answer (Age: 7) is not an answer"),
        ("page", "answered 200 with a web page"),
        ("huge", "the body is longer than 64 KiB"),
        ("login", "asks for a login (401)"),
        ("drips", " answer within 1 s"),
    ],
)
def test_an_answer_that_is_none_never_passes(small: Fleet, odd: str, says: str) -> None:
    small.release("2.0", odd=odd)
    told = small.deploy("2.0")
    assert_taken_back(small, told, "p-1")
    assert says in told.why


@pytest.mark.parametrize("how", ["near", "away"])
def test_a_start_that_goes_to_the_background_is_no_pass_and_is_cleared_away(small: Fleet, how: str) -> None:
    small.release("2.0", forks=how)
    told = small.deploy("2.0")
    assert_taken_back(small, told, "p-1")
    assert told.why.startswith("p-1: the process is gone: 2.0 exited with 0; ")


def test_what_a_dead_process_left_running_is_cleared_away_even_where_it_listens_nowhere(built: Fleet) -> None:
    built.release("1.0", orphan=True)
    built.up()
    built.lose("s-1")
    assert len(built.launched()["s-1"]) == 1
    assert built.deploy("2.0", "--baseline", "broken").end == (0, "deployed")
    assert {name: len(pids) for name, pids in built.launched().items()}["s-1"] == 1
    assert built.launched()["s-1"] == built.recorded()["s-1"]
    assert built.versions() == built.all_at("2.0")


def test_a_child_of_the_old_process_that_keeps_its_port_is_cleared_away(built: Fleet) -> None:
    built.release("1.0", child=True)
    built.up()
    assert built.deploy("2.0").end == (0, "deployed")
    built.assert_whole("2.0")


def test_an_old_process_that_got_away_and_still_answers_is_never_taken_for_the_new_one(built: Fleet) -> None:
    """What the gate started is killed; a process that nothing ties to it goes on, and answers well."""
    built.release("1.0", hides=True)
    built.up()
    told = built.deploy("2.0")
    assert told.end == (8, "rollback_failed")
    assert told.states == {**dict.fromkeys(built.names, "not touched"), "p-1": "stuck"}
    assert f"p-1: port {built.ports['p-1']} is held by pid {built.pid('p-1')} (" in told.why
    assert built.versions() == built.all_at("1.0")


def test_a_bad_version_is_refused_until_it_is_waived(fleet: Fleet) -> None:
    fleet.release("2.0", at={"p-1": {"says": "1.9"}})
    assert fleet.deploy("2.0").end == (6, "rolled_back")
    before = fleet.listeners()
    told = fleet.deploy("2.0")
    assert (told.end, told.rules) == ((4, "refused"), {"bad-version"})
    assert fleet.listeners() == before
    again = fleet.deploy("2.0", "--waive", "bad-version=to see it again")
    assert again.end == (6, "rolled_back")
    assert "waived, bad-version: to see it again" in again.data["notes"]
    fleet.release("2.1")
    assert fleet.deploy("2.1").end == (0, "deployed")
    fleet.assert_whole("2.1")


def test_halt_leaves_two_versions_and_says_which_instance_is_owed_the_new_one(fleet: Fleet) -> None:
    fleet.inventory(rollout={"on_failure": "halt"})
    fleet.release("2.0", at={"s-2": {"ill_after": 0}})
    told = fleet.deploy("2.0")
    assert told.end == (7, "mixed")
    assert fleet.versions() == {"p-1": "2.0", "s-1": "2.0", "s-2": "1.0", "s-3": "1.0"}
    assert told.states == {
        "p-1": "updated",
        "s-1": "updated",
        "s-2": "debt: left at its old version",
        "s-3": "not touched",
    }
    assert fleet.raised() == []
    assert fleet.rollback().end == (0, "rolled_back")
    fleet.assert_whole("1.0")


def test_a_release_without_a_way_back_is_left_where_it_failed_and_none_is_taken_back(fleet: Fleet) -> None:
    fleet.inventory(releases={"2.0": {"rollback": "forbidden", "reason": "It rewrites the cookies."}})
    fleet.release("2.0", at={"s-2": {"ill_after": 0}})
    refused = fleet.deploy("2.0")
    assert (refused.end, refused.rules) == ((4, "refused"), {"way-back"})
    told = fleet.deploy("2.0", "--waive", "way-back=the cookies are saved")
    assert told.end == (7, "mixed")
    assert fleet.versions() == {"p-1": "2.0", "s-1": "2.0", "s-2": "2.0", "s-3": "1.0"}
    assert told.states == {"p-1": "updated", "s-1": "updated", "s-2": "stuck", "s-3": "not touched"}
    assert fleet.raised() == []
    back = fleet.rollback()
    assert (back.end, back.rules) == ((4, "refused"), {"way-back"})
    assert fleet.rollback("--waive", "way-back=the cookies are put back by hand").end == (0, "rolled_back")
    fleet.assert_whole("1.0")


def owed(fleet: Fleet) -> dict[str, bool]:
    rows: list[dict[str, Any]] = fleet.run("observe", "Svc").data["instances"]
    return {row["instance"]: "owed since it was left out" in row["drift"] for row in rows}


def test_a_failure_within_the_budget_is_a_debt_that_the_next_deploy_pays(fleet: Fleet) -> None:
    fleet.inventory(rollout={"failure_budget": 1})
    fleet.release("2.0", at={"s-2": {"says": "1.9"}})
    told = fleet.deploy("2.0")
    assert told.end == (7, "mixed")
    assert fleet.versions() == {"p-1": "2.0", "s-1": "2.0", "s-2": "1.0", "s-3": "2.0"}
    assert owed(fleet) == {"p-1": False, "s-1": False, "s-2": True, "s-3": False}
    fleet.release("2.1")
    assert fleet.deploy("2.1").end == (0, "deployed")
    assert owed(fleet) == dict.fromkeys(fleet.names, False)
    fleet.assert_whole("2.1")


def test_a_debt_is_gone_when_the_deploy_that_made_it_is_undone(fleet: Fleet) -> None:
    fleet.inventory(rollout={"failure_budget": 1})
    fleet.release("2.0", at={"s-2": {"says": "1.9"}})
    assert fleet.deploy("2.0").end == (7, "mixed")
    assert fleet.rollback().end == (0, "rolled_back")
    fleet.assert_whole("1.0")
    assert owed(fleet) == dict.fromkeys(fleet.names, False)


def test_what_a_mixed_run_says_to_do_now_can_be_done(fleet: Fleet) -> None:
    fleet.inventory(rollout={"failure_budget": 1})
    fleet.release("2.0", at={"s-2": {"ill_unless": "mended"}})
    told = fleet.deploy("2.0")
    assert told.end == (7, "mixed")
    assert "`deploygate deploy Svc 2.0 --waive bad-version=REASON` to go on" in told.data["now"]
    (fleet.folder / "mended").touch()
    assert fleet.deploy("2.0", "--waive", "bad-version=mended").end == (0, "deployed")
    assert owed(fleet) == dict.fromkeys(fleet.names, False)
    fleet.assert_whole("2.0")


def test_a_second_failure_is_beyond_a_budget_of_one(fleet: Fleet) -> None:
    fleet.inventory(rollout={"failure_budget": 1})
    fleet.release("2.0", at={"s-1": {"says": "1.9"}, "s-3": {"says": "1.9"}})
    assert fleet.deploy("2.0").end == (6, "rolled_back")
    fleet.assert_whole("1.0")
