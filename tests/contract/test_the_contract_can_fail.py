"""The contract finds every driver and every balancer out that breaks one of its rules, and passes the right ones."""

import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest

from contract import balancers_in_memory, drivers_in_memory

FILE = Path(__file__).with_name("held_to_it.py")
FAILED = re.compile(r"^FAILED .*::(\w+)\[(\w+)(?:-[\w.]+)?\]")

DRIVERS = {
    "ActsOnStrangers": "nothing_is_changed_for_an_instance_that_there_is_not",
    "ChangesItsMind": "a_process_keeps_its_identity_while_it_lives",
    "ChangesOnlyTheFirst": "instances_that_change_at_once_all_change",
    "ForgetsToAskForTheLease": "without_the_lease_nothing_is_switched",
    "HoldsBackARollback": "a_rollback_outranks_a_deploy_and_not_the_other_way_round",
    "IgnoresKeep": "keep_leaves_a_living_process_of_that_release_alone",
    "KeepsAnything": "keep_replaces_another_release",
    "KnowsNoOtherRun": "a_run_that_has_lost_the_hosts_is_told_to_whom",
    "LeavesForOthers": "a_run_lets_go_of_its_own_lease_only",
    "LetsAnyoneIn": "a_second_run_is_told_who_has_the_hosts",
    "MissesNothing": "a_process_that_was_lost_is_missed_and_can_be_started_again",
    "NamesNoProcess": "each_start_is_another_process",
    "NeverStops": "what_is_stopped_for_good_stays_so_and_may_be_stopped_again",
    "NeverSwitches": "a_switch_starts_the_version_that_was_asked_for",
    "ProvesAnything": "a_release_that_is_not_there_is_found_out_on_each_instance",
    "ProvesNothing": "what_was_staged_is_proven_before_and_after_it_runs",
    "Raises": "one_that_can_not_be_started_is_a_trouble_of_its_own",
    "RemovesWhatIsProtected": "pruning_never_removes_what_is_protected",
    "RemovesWhatRuns": "pruning_never_removes_what_runs",
    "RestartsWhenStaging": "staging_again_does_no_harm_to_what_runs",
    "SaysAliveWithoutStarting": "a_switch_starts_the_version_that_was_asked_for",
    "SaysDeadWithoutStopping": "what_is_stopped_for_good_stays_so_and_may_be_stopped_again",
    "StartsWhatIsNotThere": "one_that_can_not_be_started_is_a_trouble_of_its_own",
    "StopsAtTheFirstTrouble": "one_that_can_not_be_started_is_a_trouble_of_its_own",
}
BALANCERS = {
    "DrainsAll": "what_is_drained_is_out_of_service_and_the_others_are_not",
    "DrainsOne": "several_are_taken_out_and_put_back_at_once",
    "DrainsOnlyOnce": "each_may_be_done_twice",
    "HasAllThePatience": "a_connection_that_stays_is_waited_for_no_longer_than_the_patience",
    "KnowsStrangers": "an_instance_that_it_does_not_know_is_a_trouble_and_keeps_no_other_from_its_turn",
    "NeverDrains": "what_is_drained_is_out_of_service_and_the_others_are_not",
    "NeverRestores": "what_is_restored_is_in_service_again",
    "PassesOverStrangers": "an_instance_that_it_does_not_know_is_a_trouble_and_keeps_no_other_from_its_turn",
    "RaisesForStrangers": "an_instance_that_it_does_not_know_is_a_trouble_and_keeps_no_other_from_its_turn",
    "TellsOfAll": "it_tells_whom_a_gate_has_taken_out_where_it_tells_that_at_all",
    "TellsOfNobody": "it_tells_whom_a_gate_has_taken_out_where_it_tells_that_at_all",
    "RestoresAll": "one_stays_out_while_another_comes_and_goes",
}


@pytest.fixture(scope="module")
def failed() -> dict[str, set[str]]:
    """The tests that each driver and balancer failed."""
    words = [sys.executable, "-m", "pytest", str(FILE), "--tb=no", "-rf", "-p", "no:xdist", "-p", "no:cacheprovider"]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=120, cwd=FILE.parents[2])
    assert done.returncode == 1, done.stdout + done.stderr
    found: dict[str, set[str]] = {}
    for line in done.stdout.splitlines():
        if match := FAILED.match(line):
            found.setdefault(match[2], set()).add(match[1].removeprefix("test_"))
    return found


@pytest.mark.parametrize("wrong", DRIVERS | BALANCERS)
def test_what_breaks_a_rule_fails_the_test_of_that_rule(wrong: str, failed: dict[str, set[str]]) -> None:
    assert (DRIVERS | BALANCERS)[wrong] in failed[wrong]


def test_what_keeps_the_rules_passes_and_nobody_else_does(failed: dict[str, set[str]]) -> None:
    assert failed.keys() == DRIVERS.keys() | BALANCERS.keys()


@pytest.mark.parametrize(
    ("module", "right", "expected"),
    [
        (drivers_in_memory, drivers_in_memory.Right, DRIVERS),
        (balancers_in_memory, balancers_in_memory.Right, BALANCERS),
    ],
)
def test_every_wrong_one_is_expected_to_fail(module: object, right: type, expected: dict[str, str]) -> None:
    kinds = {name for name, one in inspect.getmembers(module, inspect.isclass) if issubclass(one, right)}
    assert kinds - {"Right"} == expected.keys()
