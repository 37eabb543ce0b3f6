"""Runs of workflows are followed to their ends: whether they begin in time, what they wait for, how they end."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import msgspec

from deploygate.adapters.github.client import Hub
from deploygate.adapters.github.dispatching import Dispatched, address
from deploygate.adapters.github.trouble import Denied, GitHubTrouble
from deploygate.ports import Clock
from deploygate.wording import plain, seconds

_NOT_BEGUN = {"queued", "requested", "pending", "waiting"}
_LEAVE = 20.0  # seconds that a run gets to end after it was cancelled: a runner gives its steps 10


class Outcome(StrEnum):
    """How the following of a run ended."""

    ENDED = "ended"
    NEVER_BEGUN = "never begun"
    TOO_LONG = "too long"
    LEFT = "left"
    UNTOLD = "untold"


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds within which a run must begin, and end."""

    begin: float
    end: float


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds between two looks at a run: the first ones, and the most that they grow to."""

    first: float = 2.0
    most: float = 10.0


ORDINARY = Pace()


@dataclass(frozen=True, slots=True)
class Followed:
    """What became of a run: GitHub's last word on it, and a line for people; `conclusion` is empty before its end."""

    outcome: Outcome
    status: str
    conclusion: str
    url: str
    says: str


class _Run(msgspec.Struct, frozen=True):
    status: str | None = None
    conclusion: str | None = None
    html_url: str = ""


class Following:
    """One run that is looked at, again and again, until there is something to tell. It never begins a run."""

    def __init__(self, hub: Hub, run: Dispatched, limits: Limits, clock: Clock) -> None:
        self._hub = hub
        self._run = run
        self._limits = limits
        self._clock = clock
        self._since = clock.now()
        self._url = run.url
        self._last = _Run()
        self._trouble = ""
        self._cancelled = 0.0
        self._why = (Outcome.LEFT, "")

    def look(self) -> Followed | None:
        """Ask once how the run is, and return what became of it, if that is decided; a late one is cancelled."""
        try:
            self._last = self._asked()
        except Denied as denied:
            return self._told(Outcome.UNTOLD, f"can't be followed: {denied.says}")
        except GitHubTrouble as trouble:
            self._trouble = trouble.says  # it may pass
        status, spent = self._last.status, self._clock.now() - self._since
        if status == "completed":
            return self._completed()
        if self._clock.stopped():
            return self._told(Outcome.LEFT, "goes on by itself")
        if self._cancelled:
            over = self._clock.now() >= self._cancelled + _LEAVE
            return self._told(self._why[0], f"{self._why[1]}, and goes on though it was cancelled") if over else None
        if status is None and spent >= self._limits.end:
            return self._told(Outcome.UNTOLD, f"can't be followed: {self._trouble or 'its status is not told'}")
        if status in _NOT_BEGUN and spent >= self._limits.begin:
            for_what = " (it waits for an approval)" if status == "waiting" else f" (it is {status})"
            return self._cancel(Outcome.NEVER_BEGUN, f"did not begin within {seconds(self._limits.begin)}{for_what}")
        if spent >= self._limits.end:
            return self._cancel(Outcome.TOO_LONG, f"did not end within {seconds(self._limits.end)}")
        return None

    def _asked(self) -> _Run:
        run, repository = self._run.run_id, self._hub.repository
        with self._hub.asking("actions: read", f"GET /repos/{repository}/actions/runs/{run}"):
            _, answer = self._hub.repo.requester.requestJsonAndCheck("GET", f"{self._hub.repo.url}/actions/runs/{run}")
        try:
            found = msgspec.convert(answer, type=_Run)
        except msgspec.ValidationError as error:
            raise GitHubTrouble("GitHub's answer on the run can't be understood") from error
        self._url = address(found.html_url) or self._url
        return found

    def _completed(self) -> Followed:
        """Tell how a run ended; one that was cancelled here has not ended by itself, unless it was faster."""
        conclusion = plain(self._last.conclusion or "unknown", 40)
        if self._cancelled and conclusion == "cancelled":
            return self._told(self._why[0], f"{self._why[1]}, and was cancelled")
        return self._told(Outcome.ENDED, f"ended: {conclusion}")

    def _cancel(self, outcome: Outcome, why: str) -> Followed | None:
        """Ask for the end of a run, and look on; what could still begin must not."""
        self._cancelled, self._why = self._clock.now(), (outcome, why)
        run, repo = self._run.run_id, self._hub.repo
        try:
            with self._hub.asking("actions: write", f"POST /repos/{self._hub.repository}/actions/runs/{run}/cancel"):
                repo.requester.requestJsonAndCheck("POST", f"{repo.url}/actions/runs/{run}/cancel")
        except GitHubTrouble as trouble:
            if trouble.status != 409:  # it has ended meanwhile
                return self._told(outcome, f"{why}, and could not be cancelled: {trouble.says}")
        return None

    def _told(self, outcome: Outcome, says: str) -> Followed:
        status, conclusion = plain(self._last.status or "", 40), plain(self._last.conclusion or "", 40)
        return Followed(outcome, status, conclusion, self._url, f"run {self._run.run_id} {says}")


def follow(these: Sequence[Following], clock: Clock, pace: Pace = ORDINARY) -> tuple[Followed, ...]:
    """Look at runs until it is known of each what became of it."""
    told: dict[int, Followed] = {}
    pause = pace.first
    while True:
        for number, one in enumerate(these):
            if number not in told and (found := one.look()) is not None:
                told[number] = found
        if len(told) == len(these):
            return tuple(told[number] for number in range(len(these)))
        clock.wait_until(clock.now() + pause)
        pause = min(pace.most, pause * 1.5)
