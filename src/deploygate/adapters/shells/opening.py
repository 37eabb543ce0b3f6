"""Connections are opened: a bounded number at the same time, and again where a server hangs up on too many."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, Protocol

from deploygate.adapters.shells.sayings import dropped, told
from deploygate.adapters.shells.session import LostError, Session, UnreachableError
from deploygate.ways import Ssh
from deploygate.wording import plain

_AT_ONCE = 48  # connections that are being opened: more than ask at the same time, so that hung ones starve nobody
_PATIENCE = 30.0  # seconds in which one must be there
_TRIES = 4  # of a server that hangs up on whoever asks
_PAUSE = 0.3  # seconds, and twice as long each time


class Key(NamedTuple):
    """A way to a host; None is this machine."""

    host: str
    ssh: Ssh | None


class Reach(Protocol):
    """Says how a host is reached, within `limit` seconds where a way is to be found; `anew`: nobody else's."""

    def __call__(self, key: Key, limit: float, /, *, anew: bool) -> Sequence[str]:
        """Return the words of a shell there.

        Raises:
            LostError: There is no way.
        """


class Opener:
    """Opens shells. `reach` says how a host is reached, `environment` is what programs on this machine get."""

    def __init__(self, reach: Reach, environment: Mapping[str, str] | None, now: Callable[[], float]) -> None:
        self._reach = reach
        self._environment = environment
        self._now = now
        self._gate = threading.BoundedSemaphore(_AT_ONCE)

    def opened(self, key: Key, end: float, *, anew: bool) -> Session:
        """Return a new shell; a server that hangs up at once, since too many ask it, is asked again.

        Raises:
            UnreachableError: There is none by then; what it says is one line.
        """
        pause = _PAUSE
        for left in reversed(range(_TRIES)):
            try:
                return self._tried(key, end, anew=anew)
            except LostError as lost:
                if left and dropped(lost.says) and self._now() + pause < end:
                    time.sleep(pause)
                    pause *= 2
                    continue
                through = f" through {named(lost.through)}" if lost.through else ""
                why = told(lost.says) or "ssh failed"
                raise UnreachableError(f"{named(key.host)} can't be reached{through}: {why}") from None
        raise AssertionError("the last try returns or raises")

    def _tried(self, key: Key, end: float, *, anew: bool) -> Session:
        """Open a shell once; the way there is found first, so that no host behind a dead one is in another's way."""
        words = self._reach(key, min(_PATIENCE, end - self._now()), anew=anew)
        limit = min(_PATIENCE, end - self._now())
        if limit <= 0 or not self._gate.acquire(timeout=limit):
            raise UnreachableError(f"{named(key.host)} can't be reached: too many others are waited for")
        try:
            return self._answering(words, end)
        finally:
            self._gate.release()

    def _answering(self, words: Sequence[str], end: float) -> Session:
        try:
            session = Session(words, self._environment)
        except OSError as error:
            raise UnreachableError(f"{words[0]} can't be run on the gate's machine: {error.strerror}") from None
        try:
            session.run(":", min(_PATIENCE, max(0.01, end - self._now())))
        except BaseException:
            session.close()
            raise
        return session


def named(host: str) -> str:
    """Return a host as messages name it."""
    return plain(host, 80) or "this machine"
