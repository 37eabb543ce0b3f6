"""Shells on many hosts, kept open: one connection a host for a whole run, and a few shells over each."""

import os
import subprocess
import tempfile
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from contextlib import contextmanager, suppress
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from deploygate.adapters.shells.client import Client, dropped, told
from deploygate.adapters.shells.inputs import SshInputs
from deploygate.adapters.shells.quoting import assigned, one_line
from deploygate.adapters.shells.session import LostError, Ran, Session, UnreachableError
from deploygate.ways import Ssh
from deploygate.wording import plain, seconds

_SHELLS = 4  # at the same time on one host
_HOSTS = 256  # connections kept open
_OPENING = 16  # connections opened at the same time
_PATIENCE = 30.0  # seconds in which a connection must be there
_TRIES = 4  # of a server that hangs up on whoever asks
_PAUSE = 0.3  # seconds, and twice as long each time
_REMEMBERED = 5.0  # seconds for which a host that can't be reached is not asked again by whoever only looks
_SERVE = "exec /bin/sh"
_ONE_LINE = """exec /bin/sh -c 'IFS= read -r line && eval "$line"'"""  # plain for csh and fish, too


class Key(NamedTuple):
    """A way to a host; None is this machine."""

    host: str
    ssh: Ssh | None


class _Host:
    """The shells of one host; the first one's process carries the connection for all."""

    def __init__(self) -> None:
        self.changed = threading.Condition()
        self.idle: list[Session] = []
        self.first: Session | None = None
        self.shells = 0
        self.users = 0
        self.opening = False
        self.tries = 0
        self.failed: tuple[int, float, str] = (0, 0.0, "")  # which try, when, and why


class Shells:
    """Runs constant programs on hosts. `environment` is what a shell on this machine gets."""

    def __init__(
        self,
        inputs: SshInputs,
        environment: Mapping[str, str] | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._inputs = inputs
        self._environment = environment
        self._now = now
        self._client: Client | None = None
        self._hosts: OrderedDict[Key, _Host] = OrderedDict()
        self._lock = threading.Lock()
        self._gate = threading.BoundedSemaphore(_OPENING)
        self._closed = False

    def run(
        self,
        host: str,
        ssh: Ssh | None,
        program: str,
        values: Mapping[str, str],
        limit: float,
        *,
        stdin: str = "",
        library: str = "",
    ) -> Ran:
        """Run a program in a fresh subshell on a host, with values as its variables, for `limit` seconds at the most.

        `stdin` is text without NUL that it can read; `library` are functions, sent once a shell.

        Raises:
            UnreachableError: The host can't be reached, was lost in the middle, or did not answer in time.
            ValueError: A value can't be one, or a name none of a host.
        """
        text = assigned(values) + program
        if stdin:
            text = f'{assigned({"deploygate_stdin": stdin})}printf %s "$deploygate_stdin" | (\n{text}\n)'
        end = self._now() + limit
        with self._shell(Key(host, ssh), end) as session:
            try:
                return session.run(text, max(0.01, end - self._now()), library)
            except LostError as lost:
                raise UnreachableError(
                    f"{_named(host)} was lost: {told(lost.says) or 'the connection broke'}"
                ) from None

    def stream(
        self,
        host: str,
        ssh: Ssh,
        program: str,
        values: Mapping[str, str],
        limit: float,
        source: BinaryIO,
    ) -> Ran:
        """Run a program of one line on a host, over its connection, with a file as its standard input.

        Raises:
            UnreachableError: The host can't be reached, was lost in the middle, or did not end in time.
        """
        line = (
            "nl=$(printf '\\nx'); nl=${nl%x}; " + "".join(f"{k}={one_line(v)}; " for k, v in values.items()) + program
        )
        end = self._now() + limit
        with self._shell(Key(host, ssh), end):  # which keeps the connection open meanwhile
            ran = _fed(
                [*self._ssh().words(host, ssh), _ONE_LINE], f"{line}\n".encode(errors="surrogateescape"), source, limit
            )
            if ran.code in {255, -9}:
                raise UnreachableError(f"{_named(host)} was lost: {told(ran.err) or 'the connection broke'}")
            return ran

    @contextmanager
    def rsh(self, host: str, ssh: Ssh, limit: float) -> Iterator[list[str]]:
        """Give the words of an ssh that goes over the open connection, for a program that calls ssh itself.

        Raises:
            UnreachableError: The host can't be reached.
        """
        with self._shell(Key(host, ssh), self._now() + limit):
            yield [*self._ssh().options(host, ssh), "--"]

    def opened(self, host: str, ssh: Ssh | None) -> bool:
        """Tell whether there is a connection already."""
        found = self._hosts.get(Key(host, ssh))
        return found is not None and found.first is not None

    def failed(self, host: str, ssh: Ssh | None) -> str:
        """Say why a host could not be reached a moment ago, or nothing."""
        found = self._hosts.get(Key(host, ssh))
        if found is None or not found.failed[0]:
            return ""
        return found.failed[2] if self._now() - found.failed[1] < _REMEMBERED else ""

    def close(self) -> None:
        """Let go of all hosts; what was begun on them goes on there."""
        with self._lock:
            self._closed = True
            hosts, self._hosts = list(self._hosts.values()), OrderedDict()
        for one in hosts:
            _drop(one)
        if self._client is not None:
            self._client.remove()
        self._inputs.remove()

    def _ssh(self) -> Client:
        with self._lock:
            if self._client is None:
                self._client = Client(self._inputs)
            return self._client

    @contextmanager
    def _shell(self, key: Key, end: float) -> Iterator[Session]:
        """Lend out a shell of a host; one that failed is not used again."""
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

    def _host(self, key: Key) -> _Host:
        """Return the shells of a host; who was not asked for longest is let go of when there are too many."""
        idle: list[_Host] = []
        with self._lock:
            if self._closed:
                raise UnreachableError(f"{_named(key.host)} can't be reached: the gate has let go of its hosts")
            found = self._hosts.setdefault(key, _Host())
            self._hosts.move_to_end(key)
            found.users += 1
            over = sum(1 for one in self._hosts.values() if one.first is not None) - _HOSTS
            for one in self._hosts.values() if over > 0 else ():
                if over > len(idle) and not one.users and one.first is not None:
                    idle.append(one)
        for one in idle:
            _drop(one)
        return found

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
                    raise UnreachableError(f"{_named(key.host)} is busy: none of its shells was free in time")
        return self._opened(key, found, end)

    def _opened(self, key: Key, found: _Host, end: float) -> Session:
        try:
            session = self._connected(key, end)
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
        return session

    def _connected(self, key: Key, end: float) -> Session:
        """Return a new shell; a server that hangs up at once, since too many ask it, is asked again."""
        words = ["/bin/sh"] if key.ssh is None else [*self._ssh().words(key.host, key.ssh), _SERVE]
        environment = self._environment if key.ssh is None else None
        pause = _PAUSE
        for left in reversed(range(_TRIES)):
            limit = min(_PATIENCE, end - self._now())
            if limit <= 0 or not self._gate.acquire(timeout=limit):
                raise UnreachableError(f"{_named(key.host)} can't be reached: too many others are waited for")
            try:
                session = _answering(words, environment, min(_PATIENCE, max(0.01, end - self._now())))
            except LostError as lost:
                if left and dropped(lost.says) and self._now() + pause < end:
                    time.sleep(pause)
                    pause *= 2
                    continue
                raise UnreachableError(
                    f"{_named(key.host)} can't be reached: {told(lost.says) or 'ssh failed'}"
                ) from None
            except OSError as error:
                raise UnreachableError(f"{words[0]} can't be run on the gate's machine: {error.strerror}") from None
            finally:
                self._gate.release()
            return session
        raise AssertionError("the last try returns or raises")


def _answering(words: Sequence[str], environment: Mapping[str, str] | None, limit: float) -> Session:
    session = Session(words, environment)
    try:
        session.run(":", limit)
    except BaseException:
        session.close()
        raise
    return session


def _ended(found: _Host, session: Session) -> None:
    """Close a shell; with the first one the connection goes, and so all others."""
    with found.changed:
        found.shells -= 1
        doomed = [session]
        if session is found.first:
            found.first = None
            doomed += found.idle
            found.shells -= len(found.idle)
            found.idle = []
        found.changed.notify_all()
    for one in doomed:
        one.close()


def _drop(found: _Host) -> None:
    with found.changed:
        doomed = found.idle + ([found.first] if found.first and found.first not in found.idle else [])
        found.shells -= len(found.idle)
        found.idle, found.first = [], None
    for one in doomed:
        one.close()


def _fed(words: Sequence[str], line: bytes, source: BinaryIO, limit: float) -> Ran:
    """Give a program its line and then a file, wait for its end, and return all that it said."""
    with (
        tempfile.TemporaryFile() as said,
        subprocess.Popen(words, stdin=subprocess.PIPE, stdout=said, stderr=said, start_new_session=True) as child,
    ):
        overdue = threading.Timer(limit, child.kill)
        overdue.daemon = True
        overdue.start()
        assert child.stdin is not None  # noqa: S101 - it was asked for
        with suppress(BrokenPipeError), child.stdin as pipe:
            pipe.write(line)
            pipe.flush()
            while os.sendfile(pipe.fileno(), source.fileno(), None, 1 << 20):
                pass
        code = child.wait()
        in_time = overdue.is_alive()
        overdue.cancel()
        said.seek(0)
        text = said.read(1 << 16).decode(errors="replace")
    return Ran(code, "", text if in_time else f"no end within {seconds(limit)}")


def _named(host: str) -> str:
    return plain(host, 80) or "this machine"
