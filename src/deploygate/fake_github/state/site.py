"""What all repositories of one fake GitHub share: its addresses, its clock, its numbers, and one lock."""

import itertools
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime
from threading import Condition, Thread
from typing import TypeVar

from deploygate.fake_github.state.people import Team, User

Subject = TypeVar("Subject")
Clock = Callable[[], datetime]


class Site:
    """One GitHub: `api` and `web` are its addresses, `changed` is its lock and tells of every change."""

    def __init__(self, clock: Clock | None) -> None:
        self.api = self.web = ""
        self.changed = Condition()
        self._clock = clock or _second
        self._numbers = itertools.count(1001)
        self._users: dict[str, User] = {}
        self.teams: dict[str, Team] = {}
        self.broken: list[str] = []
        self._working: list[Thread] = []

    def now(self) -> datetime:
        """Return the time, which GitHub tells in whole seconds."""
        return self._clock().replace(microsecond=0)

    def number(self) -> int:
        """Return a number that nothing else has; later things have higher ones."""
        return next(self._numbers)

    def user(self, login: str) -> User:
        """Return somebody by name, however it is spelt; whoever is named exists."""
        key = login.lower()
        if key not in self._users:
            self._users[key] = User(login, self.number())
        return self._users[key]

    def known(self, login: str) -> User | None:
        """Return somebody by name, if anybody has named them before."""
        return self._users.get(login.lower())

    def team(self, full_name: str, members: Iterable[str]) -> Team:
        """Make a team, `organization/slug`, and its organization."""
        owner, _, slug = full_name.partition("/")
        self._users[owner.lower()] = replace(self.user(owner), organization=True)
        made = Team(self.number(), owner, slug, tuple(self.user(one) for one in members))
        self.teams[full_name.lower()] = made
        return made

    def set_going(self, work: Callable[[Subject], None], subject: Subject) -> None:
        """Do what somebody has registered, in a thread of its own."""
        thread = Thread(target=self._guarded, args=(work, subject), daemon=True)
        self._working.append(thread)
        thread.start()

    def settle(self, within: float) -> None:
        """Wait until all that was set going is over, and note what is not."""
        end = time.monotonic() + within
        for thread in self._working:
            thread.join(max(end - time.monotonic(), 0))
        left = sum(thread.is_alive() for thread in self._working)
        if left:
            self.broken.append(f"on_dispatch still runs at the end, {left} times: it was given {within:g} s")

    def _guarded(self, work: Callable[[Subject], None], subject: Subject) -> None:
        try:
            work(subject)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is told at the end and not lost in a thread
            with self.changed:
                self.broken.append(f"on_dispatch raised {error!r}")
                self.changed.notify_all()


def _second() -> datetime:
    return datetime.now(UTC)
