"""Runs constant programs on hosts, over one connection a host for a whole run."""

import os
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import BinaryIO

from deploygate.adapters.shells.client import Client
from deploygate.adapters.shells.inputs import SshInputs
from deploygate.adapters.shells.opening import Key, named
from deploygate.adapters.shells.pool import Pool
from deploygate.adapters.shells.quoting import assigned, one_line
from deploygate.adapters.shells.sayings import told
from deploygate.adapters.shells.session import LostError, Ran, UnreachableError
from deploygate.ways import Ssh
from deploygate.wording import seconds

_SERVE = "exec /bin/sh"
_ONE_LINE = """exec /bin/sh -c 'IFS= read -r line && eval "$line"'"""  # plain for csh and fish, too


class Shells:
    """Runs constant programs on hosts. `environment` is what programs on this machine get: a shell, ssh, rsync.

    None is the gate's own environment.
    """

    def __init__(
        self,
        inputs: SshInputs,
        environment: Mapping[str, str] | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._inputs = inputs
        self._now = now
        self._client: Client | None = None
        self._lock = threading.Lock()
        self.environment = environment
        self._pool = Pool(self._called, environment, now)

    def run(  # noqa: PLR0913 - where, what, with what, and for how long
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
        with self._pool.lent(Key(host, ssh), end) as session:
            try:
                return session.run(text, max(0.01, end - self._now()), library)
            except LostError as lost:
                raise UnreachableError(f"{named(host)} was lost: {told(lost.says) or 'the connection broke'}") from None

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
        with self._pool.lent(Key(host, ssh), end):  # which keeps the connection open meanwhile
            ran = _fed(
                [*self._ssh().options(host, ssh), "--", host, _ONE_LINE],
                f"{line}\n".encode(errors="surrogateescape"),
                source,
                limit,
                self.environment,
            )
            if ran.code in {255, -9}:
                raise UnreachableError(f"{named(host)} was lost: {told(ran.err) or 'the connection broke'}")
            return ran

    @contextmanager
    def rsh(self, host: str, ssh: Ssh, limit: float) -> Iterator[list[str]]:
        """Give the words of an ssh that goes over the open connection, for a program that calls ssh in `environment`.

        Raises:
            UnreachableError: The host can't be reached.
        """
        with self._pool.lent(Key(host, ssh), self._now() + limit):
            yield [*self._ssh().options(host, ssh), "--"]

    def opened(self, host: str, ssh: Ssh | None) -> bool:
        """Tell whether there is a connection already."""
        return self._pool.opened(Key(host, ssh))

    def failed(self, host: str, ssh: Ssh | None) -> str:
        """Say why a host could not be reached a moment ago, or nothing."""
        return self._pool.failed(Key(host, ssh))

    def close(self) -> None:
        """Let go of all hosts; what was begun on them goes on there."""
        self._pool.close()
        if self._client is not None:
            self._client.remove()
        self._inputs.remove()

    def _called(self, key: Key, limit: float, *, anew: bool) -> list[str]:
        return ["/bin/sh"] if key.ssh is None else [*self._ssh().opening(key.host, key.ssh, limit, anew=anew), _SERVE]

    def _ssh(self) -> Client:
        with self._lock:
            if self._client is None:
                self._client = Client(self._inputs, self.environment)
            return self._client


def _fed(
    words: Sequence[str], line: bytes, source: BinaryIO, limit: float, environment: Mapping[str, str] | None
) -> Ran:
    """Give a program its line and then a file, wait for its end, and return all that it said."""
    with (
        tempfile.TemporaryFile() as said,
        subprocess.Popen(
            words, stdin=subprocess.PIPE, stdout=said, stderr=said, env=environment, start_new_session=True
        ) as child,
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
