"""The shells of many hosts, kept open and lent out: the first of a host carries the connection for all of it."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from deploygate.adapters.shells.opening import Key, Opener, Reach, named
from deploygate.adapters.shells.session import Session, UnreachableError

_SHELLS = 4  # at the same time on one host
_HOSTS = 256  # connections kept open
_REMEMBERED = 5.0  # seconds for which a host that can't be reached is not asked again by whoever only looks


class _Host:
    """The shells of one host; the first one's process carries the connection for all."""

    def __init__(self) -> None:
        self.changed = threading.Condition()
        self.idle: list[Session] = []
        self.first: Session | None = None
        self.spent: list[Session] = []  # first ones of no more use, whose connection others still go over
        self.shells = 0
        self.users = 0
        self.opening = False
        self.tries = 0
        self.failed: tuple[int, float, str] = (0, 0.0, "")  # which try, when, and why


class Pool:
    """Lends out shells. `reach` says how a host is reached, `environment` is what programs on this machine get."""

    def __init__(
        self,
        reach: Reach,
        environment: Mapping[str, str] | None,
        now: Callable[[], float],
    ) -> None:
        self._opener = Opener(reach, environment, now)
        self._now = now
        self._hosts: OrderedDict[Key, _Host] = OrderedDict()
        self._lock = threading.Lock()
        self._closed = False

    def opened(self, key: Key) -> bool:
        """Tell whether there is a connection already."""
        found = self._hosts.get(key)
        return found is not None and found.first is not None

    def failed(self, key: Key) -> str:
        """Say why a host could not be reached a moment ago, or nothing."""
        found = self._hosts.get(key)
        if found is None or not found.failed[0]:
            return ""
        return found.failed[2] if self._now() - found.failed[1] < _REMEMBERED else ""

    def close(self) -> None:
        """Let go of all hosts; what was begun on them goes on there."""
        with self._lock:
            self._closed = True
            hosts, self._hosts = list(self._hosts.values()), OrderedDict()
        for one in [session for found in hosts for session in _all(found)]:
            one.close()

    @contextmanager
    def lent(self, key: Key, end: float) -> Iterator[Session]:
        """Lend out a shell of a host; one that failed is not used again.

        Raises:
            UnreachableError: The host can't be reached, or none of its shells is free in time.
        """
        found = self._host(key)
        try:
            session = self._borrowed(key, found, end)
            try:
                yield session
            except BaseException:
                _ended(found, session)
                raise
            with found.changed:
                found.idle.append(session)
                found.changed.notify()
        finally:
            with found.changed:
                found.users -= 1
                doomed = _all(found) if found.spent and not found.users else []
            for one in doomed:
                one.close()

    def _host(self, key: Key) -> _Host:
        """Return the shells of a host, of which one is going to be lent out."""
        with self._lock:
            if self._closed:
                raise UnreachableError(f"{named(key.host)} can't be reached: the gate has let go of its hosts")
            found = self._hosts.setdefault(key, _Host())
            self._hosts.move_to_end(key)
            with found.changed:
                found.users += 1
        return found

    def _let_go(self) -> None:
        """Let go of those who were not asked for longest, where too many are open."""
        doomed: list[Session] = []
        with self._lock:
            over = sum(1 for one in self._hosts.values() if one.first is not None) - _HOSTS
            for one in self._hosts.values() if over > 0 else ():
                if over > 0 and not one.users and one.first is not None:  # and none comes, while this lock is held
                    doomed += _all(one)
                    over -= 1
        for session in doomed:
            session.close()

    def _borrowed(self, key: Key, found: _Host, end: float) -> Session:
        with found.changed:
            waited_for = 0
            while True:
                if waited_for and found.failed[0] == waited_for:
                    raise UnreachableError(found.failed[2])
                while found.idle:
                    session = found.idle.pop()
                    if session.alive():
                        return session
                    _ended(found, session)
                if not found.opening and found.shells < _SHELLS:
                    found.opening = True
                    found.tries += 1
                    found.shells += 1
                    break
                waited_for = found.tries if found.opening and found.first is None else 0
                left = end - self._now()
                if left <= 0 or not found.changed.wait(left):
                    raise UnreachableError(f"{named(key.host)} is busy: none of its shells was free in time")
        return self._opened(key, found, end)

    def _opened(self, key: Key, found: _Host, end: float) -> Session:
        try:
            session = self._opener.opened(key, end, anew=found.first is None)
        except BaseException as error:
            with found.changed:
                found.opening = False
                found.shells -= 1
                found.failed = (found.tries, self._now(), str(error))
                found.changed.notify_all()
            raise
        with found.changed:
            found.opening = False
            found.failed = (0, 0.0, "")
            found.first = found.first or session
            found.changed.notify_all()
        self._let_go()
        return session


def _ended(found: _Host, session: Session) -> None:
    """Close a shell; the first one carries the connection, which stays as long as others are at work over it."""
    with found.changed:
        found.shells -= 1
        doomed = [session]
        if session is found.first:
            found.first = None
            doomed = found.idle
            found.shells -= len(found.idle)
            found.idle = []
            (found.spent if session.alive() else doomed).append(session)
        found.changed.notify_all()
    for one in doomed:
        one.close()


def _all(found: _Host) -> list[Session]:
    """Take all shells that nobody is using out of a host; one that carries the connection and is used is abandoned."""
    with found.changed:
        doomed = found.idle + found.spent
        if found.first and found.first not in found.idle:
            found.first.abandon()
        found.shells -= len(found.idle)
        found.idle, found.spent, found.first = [], [], None
    return doomed
