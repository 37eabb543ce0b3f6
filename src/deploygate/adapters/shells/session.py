"""One long-lived shell at the other end of pipes: a program goes in, what it printed and its exit code come out."""

import os
import re
import secrets
import select
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import NamedTuple

from deploygate.wording import quoted, seconds

_READ = 1 << 16
_MOST_OUT = 8 << 20  # bytes of an answer
_MOST_ERR = 1 << 16  # bytes of complaints that are kept
_LEAVE = 0.5  # seconds that a shell gets to end by itself


class UnreachableError(OSError):
    """A host can't be reached, or was lost in the middle; one plain line."""


class LostError(Exception):
    """A session is over, or none was had: what ssh says of it, or that the time was; `through` is a host on the way."""

    def __init__(self, says: str, *, begun: bool, through: str = "") -> None:
        super().__init__(says)
        self.says = says
        self.begun = begun
        self.through = through


class Ran(NamedTuple):
    """What came of a program."""

    code: int
    out: str
    err: str


class Session:
    """A shell that runs one program after the other; not for two threads at the same time."""

    def __init__(self, words: Sequence[str], environment: Mapping[str, str] | None) -> None:
        self._process = subprocess.Popen(
            words,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
            bufsize=0,
            start_new_session=True,  # an interrupt from the terminal is the gate's to answer
        )
        assert self._process.stdin is not None  # noqa: S101 - it was asked for
        assert self._process.stdout is not None  # noqa: S101
        assert self._process.stderr is not None  # noqa: S101
        self._in = self._process.stdin.fileno()
        self._out = self._process.stdout.fileno()
        self._err = self._process.stderr.fileno()
        for pipe in (self._in, self._out, self._err):
            os.set_blocking(pipe, False)
        self._known: set[str] = set()
        self.ready = False

    def alive(self) -> bool:
        """Tell whether the shell is still there, as far as can be seen from here."""
        if self._process.poll() is not None:
            return False
        poll = select.poll()
        poll.register(self._out, select.POLLIN)
        if not poll.poll(0):
            return True
        try:
            return bool(os.read(self._out, _READ))  # what a forgotten child of a program still prints
        except BlockingIOError:
            return True
        except OSError:
            return False

    def run(self, program: str, limit: float, library: str = "") -> Ran:
        """Run a program in a shell of its own, with the functions of a library.

        Raises:
            LostError: The shell is gone, or did not answer in time.
        """
        nonce = secrets.token_hex(12)
        load = "" if library in self._known else f"{library}\n"
        text = (
            f"{load}printf '%s\\n' {nonce}\n(\n{program}\n) </dev/null\n"
            f"printf '\\n%s %d\\n' {nonce} $?\nprintf '\\n%s\\n' {nonce} >&2\n"
        )
        out, err = self._exchange(text.encode(errors="surrogateescape"), nonce.encode(), limit)
        self._known.add(library)
        self.ready = True
        body, _, code = out.rpartition(f"\n{nonce} ".encode())
        body = body.partition(f"{nonce}\n".encode())[2]
        return Ran(int(code), _text(body), _text(err.rpartition(f"\n{nonce}\n".encode())[0]))

    def abandon(self) -> None:
        """End the shell of somebody who waits for it, and who finds it gone."""
        self._process.terminate()

    def close(self) -> None:
        """End the shell, which nobody uses any more; what it has begun on its host goes on."""
        process = self._process
        for pipe in (process.stdin, process.stdout, process.stderr):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()
        process.terminate()
        try:
            process.wait(_LEAVE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _exchange(self, text: bytes, nonce: bytes, limit: float) -> tuple[bytes, bytes]:
        deadline = time.monotonic() + limit
        ended = re.compile(rb"\n" + nonce + rb" \d+\n\Z")
        out, err = bytearray(), bytearray()
        unsent = memoryview(text)
        poll = select.poll()
        poll.register(self._out, select.POLLIN)
        poll.register(self._err, select.POLLIN)
        poll.register(self._in, select.POLLOUT)
        heard = True  # whether more may still be said on standard error
        while True:
            left = deadline - time.monotonic()
            if left <= 0:
                raise LostError(f"no answer within {seconds(limit)}", begun=nonce in out)
            for pipe, what in poll.poll(left * 1000):
                if pipe == self._in:
                    unsent = self._sent(unsent) if what & select.POLLOUT else unsent[:0]
                    if not unsent:
                        poll.unregister(self._in)
                    continue
                more = _read(pipe)
                if more is None:
                    continue
                if not more:
                    if pipe == self._err:
                        heard = False
                        poll.unregister(self._err)
                        continue
                    raise LostError(_text(self._last_words(err)).strip() or _odd(out, nonce), begun=nonce in out)
                (out if pipe == self._out else err).extend(more)
            if len(out) > _MOST_OUT:
                raise LostError("it answers with more than can be read", begun=True)
            if len(err) > 2 * _MOST_ERR:
                del err[:-_MOST_ERR]
            if out.endswith(b"\n") and ended.search(out, max(0, len(out) - 64)) and (not heard or nonce in err):
                return bytes(out), bytes(err)

    def _sent(self, unsent: memoryview) -> memoryview:
        try:
            return unsent[os.write(self._in, unsent[:_READ]) :]
        except BlockingIOError:
            return unsent
        except OSError:  # it is gone, which its output says better
            return unsent[:0]

    def _last_words(self, err: bytearray) -> bytes:
        """Return all that was said, until standard error ends or a moment has passed."""
        end = time.monotonic() + _LEAVE
        poll = select.poll()
        poll.register(self._err, select.POLLIN)
        while (left := end - time.monotonic()) > 0 and poll.poll(left * 1000):
            more = _read(self._err)
            if more == b"":
                break
            err.extend(more or b"")
        return bytes(err)


def _read(pipe: int) -> bytes | None:
    try:
        return os.read(pipe, _READ)
    except BlockingIOError:
        return None
    except OSError:
        return b""


def _odd(out: bytearray, nonce: bytes) -> str:
    """Say what came in place of a shell, as from a host that forces another command, or nothing."""
    line = _text(bytes(out[:_READ])).strip().partition("\n")[0]
    return f"what answers is no POSIX shell, it says {quoted(line)}" if line and nonce not in out else ""


def _text(data: bytes) -> str:
    return data.decode(errors="surrogateescape")
