"""Programs of the user's own, run to their end: a limit in time, bounded output, and no process left at the limit."""

import os
import selectors
import signal
import subprocess
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from deploygate.wording import plain, seconds

MOST = 64 * 1024  # bytes that are kept of either output; the rest is read, and dropped
_PATIENCE = 0.05  # seconds between two looks at a program whose output stays open, since it left something behind
_KILL_WAIT = 5.0  # seconds that a killed program may take to be gone


@dataclass(frozen=True, slots=True)
class Done:
    """What came of a program: its exit code (None: killed at the limit, of so many seconds), and what it wrote.

    Of more than 64 KiB, `out` is the beginning and `err` the end.
    """

    code: int | None
    out: bytes
    err: str
    limit: float = 0.0

    @property
    def says(self) -> str:
        """Why it is no success, in one line: the limit or the exit code, and the last line that it wrote."""
        if self.code is None:
            how = f"did not end within {seconds(self.limit)} and was killed"
        elif self.code < 0:
            how = f"was ended by {_signal_name(-self.code)}"
        else:
            how = f"exited with {self.code}"
        last = _last(self.err) or _last(self.out[-4096:].decode(errors="replace"))
        return f"{how}: {last}" if last else how


def run(words: list[str], environment: Mapping[str, str], folder: Path, limit: float) -> Done:
    """Run a program in a session of its own; what it starts is killed with it when `limit` seconds are over.

    What it leaves behind when it ends in time is left alone. Nothing can be typed into it.

    Raises:
        OSError: It can't be started.
    """
    end = time.monotonic() + limit
    with subprocess.Popen(
        words,
        env=dict(environment),
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    ) as child:
        heard = _Heard(child)
        try:
            while heard.listening() and child.poll() is None and time.monotonic() < end:
                heard.listen(min(_PATIENCE, max(0.0, end - time.monotonic())))
            code = _ended(child, end)
            heard.rest()
        finally:
            heard.close()
            if child.returncode is None:  # an exception, on its way out
                _kill(child)
    return Done(code, bytes(heard.out), bytes(heard.err).decode(errors="replace"), limit)


class _Heard:
    """What a program wrote so far: the beginning of its output, the end of its complaints."""

    def __init__(self, child: "subprocess.Popen[bytes]") -> None:
        self.out, self.err = bytearray(), bytearray()
        self._open = selectors.DefaultSelector()
        for pipe, into in ((child.stdout, self.out), (child.stderr, self.err)):
            if pipe is not None:
                os.set_blocking(pipe.fileno(), False)
                self._open.register(pipe, selectors.EVENT_READ, into)

    def listening(self) -> bool:
        """Tell whether there may be more."""
        return bool(self._open.get_map())

    def listen(self, patience: float) -> bool:
        """Take what is there, or comes within `patience` seconds; tell whether anything did."""
        ready = self._open.select(patience)
        for key, _ in ready:
            self._take(key)
        return bool(ready)

    def rest(self) -> None:
        """Take what was written before the program ended; whoever holds the pipe open is not waited for."""
        for _ in range(64):  # a pipe holds 64 KiB; one that is filled again and again is not read for ever
            if not self.listening() or not self.listen(0.0):
                return

    def close(self) -> None:
        """Stop listening."""
        self._open.close()

    def _take(self, key: selectors.SelectorKey) -> None:
        pipe: IO[bytes] = key.fileobj  # type: ignore[assignment]  # only pipes are registered
        try:
            more = os.read(pipe.fileno(), MOST)
        except BlockingIOError:
            return
        if not more:
            self._open.unregister(pipe)
        elif key.data is self.out:
            self.out += more[: MOST - len(self.out)]
        else:
            self.err += more
            del self.err[:-MOST]


def _ended(child: "subprocess.Popen[bytes]", end: float) -> int | None:
    """Wait until the end for a program, and return its exit code, or None when it had to be killed."""
    try:
        return child.wait(max(0.0, end - time.monotonic()))
    except subprocess.TimeoutExpired:
        _kill(child)
        return None


def _kill(child: "subprocess.Popen[bytes]") -> None:
    with suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    with suppress(subprocess.TimeoutExpired):  # stuck in the kernel: nobody can do more
        child.wait(_KILL_WAIT)


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _last(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    return plain(lines[-1]) if lines else ""
