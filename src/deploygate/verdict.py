"""Answers so far -> Pass | Fail | CannotTell | Waiting. Every deadline lives here, and nowhere else."""

import msgspec

from deploygate.names import Version
from deploygate.probe import Health, Sighting
from deploygate.wording import seconds


class Rule(msgspec.Struct, frozen=True, omit_defaults=True):
    """What an instance must show. Times in seconds.

    `version` is the build expected (None: nothing may answer); `before` is the identity of the process that
    ran before, which must be gone; `deadline` counts from the switch.
    """

    version: Version | None
    before: str | None
    passes: int
    fails: int
    min_healthy: float
    deadline: float


class Tally(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the answers since `started` come to; a fold, so that judging is cheap however many there were."""

    started: float
    answers: int = 0
    good: int = 0  # consecutive, up to now
    good_since: float = 0.0
    last: float = 0.0  # when the last answer came
    ever_good: bool = False
    bad: int = 0  # consecutive, up to now: ill, wrong or doubtful
    bad_since: float = 0.0
    wrong: int = 0  # consecutive: healthy, a new process, and another version
    clear: bool = False  # the last answer that was not good was knowledge, not doubt
    dead: bool = False
    says: str = ""  # why the last answer was not good


class Pass(msgspec.Struct, frozen=True):
    """Proven."""

    says: str


class Fail(msgspec.Struct, frozen=True):
    """Known to be bad."""

    says: str


class CannotTell(msgspec.Struct, frozen=True):
    """The deadline has come and nothing is known: never a pass."""

    says: str


class Waiting(msgspec.Struct, frozen=True):
    """Neither yet; `until` is the soonest time at which a look can change that."""

    says: str
    until: float


Verdict = Pass | Fail | CannotTell | Waiting


def fault(rule: Rule, seen: Sighting) -> tuple[str, bool]:
    """Say why a sighting is not what the rule wants (nothing where it is), and whether that is knowledge."""
    if rule.version is None:
        return ("", True) if seen.alive is False or seen.health is Health.ILL else ("still answers", True)
    if seen.alive is False:
        return f"the process is gone: {seen.says or 'nothing answers'}", True
    if seen.health is not Health.HEALTHY:
        return seen.says or seen.health.value, seen.health is Health.ILL
    if seen.version is None:
        return seen.says or "healthy, but names no version", False
    if seen.version != rule.version:
        return f"healthy, but {seen.version} where {rule.version} was expected", True
    if seen.release not in {None, rule.version}:
        return f"says {seen.version}, but the release that was started is {seen.release}", True
    if seen.identity is None:
        return "healthy at the right version, but which process it is cannot be told", False
    if seen.identity == rule.before:
        return "the process that ran before still answers", True
    return "", True


def add(tally: Tally, rule: Rule, seen: Sighting) -> Tally:
    """Return the tally with one more answer in it."""
    says, clear = fault(rule, seen)
    if not says:
        return msgspec.structs.replace(
            tally,
            answers=tally.answers + 1,
            last=seen.at,
            good=tally.good + 1,
            good_since=tally.good_since if tally.good else seen.at,
            ever_good=True,
            bad=0,
            wrong=0,
            dead=False,
            says="",
        )
    wrong = (
        seen.health is Health.HEALTHY
        and seen.version not in {None, rule.version}
        and seen.identity not in {None, rule.before}
    )
    return msgspec.structs.replace(
        tally,
        answers=tally.answers + 1,
        last=seen.at,
        good=0,
        bad=tally.bad + 1,
        bad_since=tally.bad_since if tally.bad else seen.at,
        wrong=tally.wrong + 1 if wrong else 0,
        clear=clear,
        dead=rule.version is not None and seen.alive is False,
        says=says,
    )


def holds(tally: Tally, rule: Rule) -> bool:
    """Tell whether the answers up to now are enough: so many in a row, over so long a time.

    The sum is the one that `judge` waits for: a difference could stay below it by rounding, for ever.
    """
    return tally.good >= rule.passes and tally.last >= tally.good_since + rule.min_healthy


def judge(tally: Tally, rule: Rule, now: float) -> Verdict:
    """Judge an instance that was switched and has not passed yet."""
    spent, end = now - tally.started, tally.started + rule.deadline
    if tally.dead:
        return Fail(tally.says)
    healthy_for = tally.last - tally.good_since if tally.good else 0.0
    if holds(tally, rule):
        return Pass(f"{tally.good} good answers in a row over {seconds(healthy_for)}")
    if tally.wrong >= rule.passes:
        return Fail(f"{tally.says} ({_times(tally.wrong)} in a row, {seconds(spent)} after its start)")
    if tally.ever_good and tally.bad >= rule.fails:
        return Fail(f"{tally.says} ({_row(tally)}, {seconds(spent)} after its start, having been healthy before)")
    if now >= end:
        if tally.good:
            return Fail(f"healthy for only {seconds(healthy_for)} when the deadline of {seconds(rule.deadline)} came")
        said = tally.says or "no answer at all"
        line = f"{said} ({_times(tally.bad)}, until the deadline of {seconds(rule.deadline)})"
        return Fail(line) if tally.clear else CannotTell(line)
    if tally.good:
        proven = tally.good_since + rule.min_healthy
        left = max(0.0, proven - tally.last)
        return Waiting(f"healthy, {tally.good} of {rule.passes} answers, {seconds(left)} to go", min(proven, end))
    return Waiting(f"{tally.says or 'no answer yet'}, {seconds(end - now)} left", end)


def still_good(tally: Tally, rule: Rule, now: float) -> Verdict:
    """Judge an instance that has passed and is watched on: ill answers in a row take the pass back."""
    if tally.dead or tally.bad >= rule.fails:
        return Fail(f"{tally.says} ({_row(tally)}, after it had passed)")
    if tally.bad:
        return Waiting(tally.says, now)
    return Pass("still good")


def pause(looks: int, interval: float) -> float:
    """Return the pause, in seconds, before the next look: quick at first, backing off to the interval.

    It grows slowly enough that a look comes little later than the answer that it waits for.
    """
    return min(interval, 0.002 * 1.15 ** min(max(0, looks - 4), 100))


def _row(tally: Tally) -> str:
    return f"{_times(max(tally.bad, 1))} in a row over {seconds(tally.last - tally.bad_since)}"


def _times(number: int) -> str:
    return "once" if number == 1 else f"{number} times"
