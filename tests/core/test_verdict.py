"""Pass, fail, cannot tell, or not yet: what an instance must show, in the order in which it showed it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made import NEW, OLD, seen
from msgspec.structs import replace

from deploygate.names import Version
from deploygate.probe import Health, Sighting
from deploygate.verdict import (
    CannotTell,
    Fail,
    Pass,
    Rule,
    Tally,
    Verdict,
    Waiting,
    add,
    fault,
    holds,
    judge,
    pause,
    still_good,
)

RULE = Rule(version=NEW, before="i1-old", passes=3, fails=2, min_healthy=10.0, deadline=60.0)


def good(at: float) -> Sighting:
    return seen("i1", NEW, at, identity="i1-new")


def ill(at: float) -> Sighting:
    return seen("i1", NEW, at, identity="i1-new", health=Health.ILL, says="/health: answered 503")


def silent(at: float) -> Sighting:
    return Sighting(seen("i1").instance, at, Health.UNKNOWN, says="no answer within 1 s")


def tally(*answers: Sighting, rule: Rule = RULE) -> Tally:
    told = Tally(started=0.0)
    for one in answers:
        told = add(told, rule, one)
    return told


def verdict(*answers: Sighting, rule: Rule = RULE, now: float | None = None) -> Verdict:
    return judge(tally(*answers, rule=rule), rule, answers[-1].at if now is None else now)


def test_enough_good_answers_over_enough_time_pass() -> None:
    assert verdict(good(1), good(5), good(11)) == Pass("3 good answers in a row over 10 s")


def test_enough_answers_in_too_short_a_time_do_not_pass() -> None:
    waiting = Waiting("healthy, 4 of 3 answers, 7 s to go", until=11.0)
    assert verdict(good(1), good(2), good(3), good(4)) == waiting


def test_too_few_answers_over_a_long_time_do_not_pass() -> None:
    assert verdict(good(1), good(30)) == Waiting("healthy, 2 of 3 answers, 0 ms to go", until=11.0)


def test_one_ill_answer_starts_the_count_and_the_time_again() -> None:
    answers = (good(1), good(6), ill(7), good(8), good(12))
    assert verdict(*answers, good(17)) == Waiting("healthy, 3 of 3 answers, 1 s to go", until=18.0)
    assert verdict(*answers, good(18)) == Pass("3 good answers in a row over 10 s")


def test_time_counts_from_answer_to_answer_not_to_the_clock() -> None:
    assert isinstance(verdict(good(1), good(2), good(3), now=50.0), Waiting)


def test_ill_until_the_deadline_fails() -> None:
    failed = Fail("/health: answered 503 (2 times, until the deadline of 60 s)")
    assert verdict(ill(1), ill(60)) == failed
    assert verdict(ill(1), ill(59)) == Waiting("/health: answered 503, 1 s left", until=60.0)


def test_silence_until_the_deadline_cannot_be_told() -> None:
    assert verdict(silent(1), silent(60)) == CannotTell("no answer within 1 s (2 times, until the deadline of 60 s)")


def test_no_answer_at_all_cannot_be_told() -> None:
    assert judge(Tally(started=0.0), RULE, 60.0) == CannotTell("no answer at all (0 times, until the deadline of 60 s)")
    assert judge(Tally(started=0.0), RULE, 0.0) == Waiting("no answer yet, 60 s left", until=60.0)


def test_what_came_last_decides_between_fail_and_cannot_tell() -> None:
    assert isinstance(verdict(ill(1), silent(60)), CannotTell)
    assert isinstance(verdict(silent(1), ill(60)), Fail)


def test_healthy_too_late_fails_at_the_deadline() -> None:
    assert verdict(good(55), good(57), good(60)) == Fail("healthy for only 5 s when the deadline of 60 s came")


def test_a_pass_that_comes_with_the_deadline_is_a_pass() -> None:
    assert verdict(good(50), good(55), good(60)) == Pass("3 good answers in a row over 10 s")


def test_a_slow_start_is_no_failure() -> None:
    assert isinstance(verdict(*(ill(at) for at in range(1, 40))), Waiting)


def test_ill_again_after_it_was_healthy_fails_at_once() -> None:
    assert isinstance(verdict(good(1), ill(2)), Waiting)
    assert verdict(good(1), ill(2), ill(3)) == Fail(
        "/health: answered 503 (2 times in a row over 1 s, 3 s after its start, having been healthy before)"
    )


def test_the_wrong_version_fails_without_the_deadline() -> None:
    wrong = [replace(good(at), version=OLD) for at in (1, 2, 3)]
    assert isinstance(verdict(*wrong[:2]), Waiting)
    assert verdict(*wrong) == Fail("healthy, but 1.0 where 2.0 was expected (3 times in a row, 3 s after its start)")


def test_the_old_process_that_still_answers_is_no_wrong_version() -> None:
    old = [seen("i1", OLD, at, identity="i1-old") for at in range(1, 8)]
    assert verdict(*old) == Waiting("healthy, but 1.0 where 2.0 was expected, 53 s left", until=60.0)


def test_the_process_that_ran_before_never_passes() -> None:
    same = [replace(good(at), identity="i1-old") for at in range(1, 61)]
    says = "the process that ran before still answers (60 times, until the deadline of 60 s)"
    assert verdict(*same) == Fail(says)


def test_a_process_that_cannot_be_named_never_passes() -> None:
    nameless = [replace(good(at), identity=None) for at in range(1, 61)]
    says = "healthy at the right version, but which process it is cannot be told"
    assert verdict(*nameless) == CannotTell(f"{says} (60 times, until the deadline of 60 s)")


def test_a_version_that_is_not_named_never_passes() -> None:
    nameless = [replace(good(at), version=None, says="/version: not JSON") for at in range(1, 61)]
    assert verdict(*nameless) == CannotTell("/version: not JSON (60 times, until the deadline of 60 s)")
    assert fault(RULE, replace(good(1), version=None)) == ("healthy, but names no version", False)


def test_a_service_that_names_another_release_than_was_started_never_passes() -> None:
    liar = [replace(good(at), release="1.0") for at in range(1, 61)]
    says = "says 2.0, but the release that was started is 1.0"
    assert verdict(*liar) == Fail(f"{says} (60 times, until the deadline of 60 s)")


def test_the_release_that_was_started_passes() -> None:
    assert isinstance(verdict(*(replace(good(at), release="2.0", alive=True) for at in (1, 5, 11))), Pass)


def test_a_dead_process_fails_at_once() -> None:
    dead = replace(ill(2), alive=False, says="2.0 exited with 1")
    assert verdict(good(1), dead) == Fail("the process is gone: 2.0 exited with 1")
    assert fault(RULE, replace(dead, says="")) == ("the process is gone: nothing answers", True)


def test_a_healthy_answer_of_a_dead_process_is_somebody_elses() -> None:
    assert verdict(replace(good(1), alive=False)) == Fail("the process is gone: nothing answers")


def test_the_bake_is_a_longer_time_to_stay_healthy() -> None:
    baked = replace(RULE, min_healthy=40.0, deadline=90.0)
    assert isinstance(verdict(good(1), good(11), good(40), rule=baked), Waiting)
    assert verdict(good(1), good(11), good(41), rule=baked) == Pass("3 good answers in a row over 40 s")


NOTHING = replace(RULE, version=None, passes=2, min_healthy=0.0)


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (ill(1), ""),
        (replace(silent(1), alive=False), ""),
        (silent(1), "still answers"),
        (good(1), "still answers"),
        (replace(good(1), identity="i1-old"), "still answers"),
    ],
)
def test_where_nothing_ran_before_nothing_may_answer(answer: Sighting, says: str) -> None:
    assert fault(NOTHING, answer) == (says, True)


def test_an_instance_that_was_stopped_for_good_passes() -> None:
    stopped = [replace(ill(at), alive=False) for at in (1, 2)]
    assert verdict(*stopped, rule=NOTHING) == Pass("2 good answers in a row over 1 s")


def passed(*answers: Sighting) -> Verdict:
    return still_good(tally(good(1), good(5), good(11), *answers), RULE, 20.0)


def test_what_has_passed_stays_good() -> None:
    assert passed() == passed(good(12)) == Pass("still good")


def test_one_bad_answer_takes_no_pass_back_and_two_do() -> None:
    assert passed(ill(12)) == Waiting("/health: answered 503", until=20.0)
    assert passed(ill(12), ill(14)) == Fail("/health: answered 503 (2 times in a row over 2 s, after it had passed)")
    assert passed(ill(12), good(13), ill(14)) == Waiting("/health: answered 503", until=20.0)


def test_silence_takes_a_pass_back_as_illness_does() -> None:
    assert passed(silent(12), silent(14)) == Fail(
        "no answer within 1 s (2 times in a row over 2 s, after it had passed)"
    )


def test_a_death_takes_a_pass_back_at_once() -> None:
    assert isinstance(passed(replace(ill(12), alive=False)), Fail)


def test_pauses_grow_to_the_interval_and_never_beyond() -> None:
    pauses = [pause(looks, 2.0) for looks in range(200)]
    assert pauses == sorted(pauses)
    assert (pauses[0], pauses[-1], pause(10**9, 2.0)) == (0.002, 2.0, 2.0)


ANSWERS = st.builds(
    lambda health, version, identity, alive, release: seen(
        "i1", version, health=health, identity=identity, alive=alive, release=release
    ),
    health=st.sampled_from([Health.HEALTHY, Health.HEALTHY, Health.HEALTHY, *Health]),
    version=st.sampled_from([NEW, NEW, NEW, OLD, None]),
    identity=st.sampled_from(["i1-new", "i1-new", "i1-new", "i1-old", None]),
    alive=st.sampled_from([True, True, None, False]),
    release=st.sampled_from([NEW, None, OLD]),
)
GAPS = st.floats(0.0, 30.0, allow_nan=False)
RULES = st.builds(
    Rule,
    version=st.sampled_from([NEW, NEW, None]),
    before=st.sampled_from(["i1-old", None]),
    passes=st.integers(1, 4),
    fails=st.integers(1, 4),
    min_healthy=st.floats(0.0, 50.0, allow_nan=False),
    deadline=st.floats(0.1, 100.0, allow_nan=False),
)


def timed(answers: list[tuple[float, Sighting]]) -> list[Sighting]:
    now, told = 0.0, []
    for gap, one in answers:
        now += gap
        told.append(replace(one, at=now))
    return told


@given(RULES, st.lists(st.tuples(GAPS, ANSWERS), max_size=12))
def test_a_pass_has_enough_good_answers_at_its_end_that_span_the_time(
    rule: Rule,
    answers: list[tuple[float, Sighting]],
) -> None:
    told = timed(answers)
    found = judge(tally(*told, rule=rule), rule, told[-1].at if told else 0.0)
    if isinstance(found, Pass):
        run = []
        for one in reversed(told):
            if fault(rule, one)[0]:
                break
            run.append(one)
        assert len(run) >= rule.passes
        assert run[0].at >= run[-1].at + rule.min_healthy
        if rule.version:
            facts = {(one.health, one.version, one.identity) for one in run}
            assert {fact[:2] for fact in facts} == {(Health.HEALTHY, rule.version)}
            assert {fact[2] for fact in facts}.isdisjoint({None, rule.before})
            assert all(one.alive is not False and one.release in {None, rule.version} for one in run)


@given(RULES, st.lists(st.tuples(GAPS, ANSWERS), max_size=12), st.floats(0.0, 1e6, allow_nan=False))
def test_at_the_deadline_nothing_waits_any_more(
    rule: Rule,
    answers: list[tuple[float, Sighting]],
    late: float,
) -> None:
    told = timed(answers)
    now = max(rule.deadline, told[-1].at if told else 0.0) + late
    assert not isinstance(judge(tally(*told, rule=rule), rule, now), Waiting)


@given(RULES, st.lists(st.tuples(GAPS, ANSWERS), min_size=1, max_size=12))
def test_who_waits_waits_until_a_time_at_which_waiting_ends(
    rule: Rule,
    answers: list[tuple[float, Sighting]],
) -> None:
    told = timed(answers)
    found = judge(tally(*told, rule=rule), rule, told[-1].at)
    if isinstance(found, Waiting):
        assert found.until <= rule.deadline


@given(RULES, st.lists(st.tuples(GAPS, ANSWERS), min_size=1, max_size=12))
def test_the_judge_and_the_hold_agree(rule: Rule, answers: list[tuple[float, Sighting]]) -> None:
    told = tally(*timed(answers), rule=rule)
    assert isinstance(judge(told, rule, told.last), Pass) == (holds(told, rule) and not told.dead)


def test_the_version_is_compared_to_the_letter() -> None:
    for near in ("2.0 ", "2.00", "v2.0", "2.0-rc1", "2", ""):
        says = f"healthy, but {near} where 2.0 was expected"
        assert fault(RULE, replace(good(1), version=Version(near)))[0] == says
