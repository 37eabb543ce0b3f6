"""Rollbacks by hand: seconds, at any time, whatever stands in the way."""

import os
import shutil
import signal

from .fleet import Fleet


def test_a_rollback_by_hand_takes_back_what_the_last_deploy_did(fleet: Fleet) -> None:
    assert fleet.deploy("2.0").end == (0, "deployed")
    told = fleet.rollback()
    assert told.end == (0, "rolled_back"), told
    assert told.states == dict.fromkeys(fleet.names, "taken back")
    assert [change for batch in fleet.switches() for change in batch] == [
        (name, "1.0") for name in reversed(fleet.names)
    ]
    fleet.assert_whole("1.0")


def test_a_rollback_goes_to_any_version_that_is_installed_and_a_second_one_restarts_nothing(fleet: Fleet) -> None:
    fleet.release("3.0")
    assert fleet.deploy("2.0").end == (0, "deployed")
    assert fleet.deploy("3.0").end == (0, "deployed")
    assert fleet.rollback("--to", "1.0").end == (0, "rolled_back")
    fleet.assert_whole("1.0")
    before = fleet.listeners()
    assert fleet.rollback("--to", "1.0").end == (0, "already_there")
    assert fleet.listeners() == before


def test_an_instance_that_cannot_come_back_does_not_stop_the_others(fleet: Fleet) -> None:
    fleet.release("2.0")
    assert fleet.deploy("2.0").end == (0, "deployed")
    release = fleet.root / "1.0" / "release.json"
    release.write_text('{"version": "1.0", "at": {"s-2": {"dies": "the disk is gone"}}}')
    told = fleet.rollback()
    assert told.end == (8, "rollback_failed")
    assert told.states == {**dict.fromkeys(fleet.names, "taken back"), "s-2": "stuck"}
    assert "the disk is gone" in told.why
    assert fleet.versions() == {**fleet.all_at("1.0"), "s-2": None}
    release.write_text('{"version": "1.0"}')
    assert fleet.rollback().end == (0, "rolled_back")
    fleet.assert_whole("1.0")


def test_a_rollback_to_what_is_not_installed_stops_nothing(fleet: Fleet) -> None:
    assert fleet.deploy("2.0").end == (0, "deployed")
    shutil.rmtree(fleet.root / "1.0")
    before = fleet.listeners()
    told = fleet.rollback()
    assert told.end == (8, "rollback_failed")
    assert "1.0 is not installed" in told.why
    assert fleet.listeners() == before
    fleet.assert_whole("2.0")


def test_a_rollback_takes_dead_and_hanging_instances_along(fleet: Fleet) -> None:
    assert fleet.deploy("2.0").end == (0, "deployed")
    os.kill(fleet.pid("s-1"), signal.SIGSTOP)
    fleet.lose("s-2")
    assert fleet.rollback().end == (0, "rolled_back")
    fleet.assert_whole("1.0")


def test_a_rollback_without_a_deploy_before_it_is_refused(built: Fleet) -> None:
    told = built.rollback()
    assert (told.end, told.rules) == ((4, "refused"), {"nothing-to-undo"})


def test_a_rollback_of_one_environment_leaves_the_other(fleet: Fleet) -> None:
    assert fleet.deploy("2.0").end == (0, "deployed")
    assert fleet.rollback("--environment", "production").end == (0, "rolled_back")
    assert fleet.versions() == {**fleet.all_at("1.0"), "p-1": "2.0"}


def test_a_deploy_may_stop_before_production(fleet: Fleet) -> None:
    assert fleet.deploy("2.0", "--environment", "parallel-chain").end == (0, "deployed")
    assert fleet.versions() == {**fleet.all_at("1.0"), "p-1": "2.0"}
    assert fleet.deploy("2.0").end == (0, "deployed")
    fleet.assert_whole("2.0")
