"""How runs end: one closed list, one exit code each."""

import pytest

from deploygate.endings import EXIT_CODES, MEANINGS, Ending, Goal, exit_code, succeeded

GOOD = {
    Goal.DEPLOY: {Ending.DEPLOYED, Ending.ALREADY_THERE, Ending.SOUND},
    Goal.ROLLBACK: {Ending.ROLLED_BACK, Ending.ALREADY_THERE, Ending.SOUND},
    Goal.RESTORE: {Ending.ALREADY_THERE, Ending.SOUND},
}


def test_every_ending_has_a_code_and_a_meaning() -> None:
    assert set(EXIT_CODES) == set(MEANINGS) == set(Ending)


def test_codes_are_unique_but_for_the_good_ends() -> None:
    codes = [code for ending, code in EXIT_CODES.items() if ending not in GOOD[Goal.DEPLOY]]
    assert len(codes) == len(set(codes))
    assert 0 not in codes
    assert {EXIT_CODES[ending] for ending in GOOD[Goal.DEPLOY]} == {0}


def test_usage_and_defects_have_the_codes_that_shells_and_python_give_them() -> None:
    assert (EXIT_CODES[Ending.USAGE_ERROR], EXIT_CODES[Ending.INTERNAL_ERROR]) == (2, 1)


@pytest.mark.parametrize("goal", Goal)
@pytest.mark.parametrize("ending", Ending)
def test_a_run_succeeds_only_with_what_it_was_asked_for(ending: Ending, goal: Goal) -> None:
    assert succeeded(ending, goal) == (ending in GOOD[goal])
    if ending is not Ending.DEPLOYED or goal is Goal.DEPLOY:  # the machine has no other such end
        assert (exit_code(ending, goal) == 0) == (ending in GOOD[goal])


def test_a_deploy_that_was_rolled_back_is_a_failed_check() -> None:
    assert exit_code(Ending.ROLLED_BACK, Goal.DEPLOY) == 6


def test_a_rollback_that_deployed_something_is_a_defect() -> None:
    assert not succeeded(Ending.DEPLOYED, Goal.ROLLBACK)
