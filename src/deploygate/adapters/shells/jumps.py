"""Hosts on the way to other hosts: one connection to each, which is nobody's, so that no host takes another's away."""

import subprocess
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from deploygate.adapters.shells.session import UnreachableError

_PATIENCE = 20.0  # seconds in which the connection must be there
_PAUSE = 0.01  # seconds between two looks at whether it is
_REMEMBERED = 5.0  # seconds for which one that could not be had is not tried again
_LEAVE = 0.5  # seconds that ssh gets to end by itself


class _Jump:
    """One connection: the ssh that carries it, the socket at which others find it, and when it last failed and why."""

    def __init__(self, socket: Path, says: Path) -> None:
        self.lock = threading.Lock()
        self.socket = socket
        self.says = says
        self.carrier: subprocess.Popen[bytes] | None = None
        self.failed: tuple[float, str] = (-_REMEMBERED, "")


class Jumps:
    """The connections to hosts on the way; `words` is the call of ssh, `folder` a private place for sockets."""

    def __init__(self, words: Sequence[str], folder: Path) -> None:
        self._words = words
        self._folder = folder
        self._lock = threading.Lock()
        self._known: dict[str, _Jump] = {}
        self._closed = threading.Event()

    def through(self, host: str) -> list[str]:
        """Return the words with which ssh goes through a host, to which there is a connection then.

        Raises:
            UnreachableError: There is none; what it says is ssh's own, in several lines.
        """
        with self._lock:
            number = len(self._known)
            jump = self._known.setdefault(
                host, _Jump(self._folder / f"jump-{number}", self._folder / f"jump-{number}.says")
            )
        with jump.lock:
            if jump.carrier is None or jump.carrier.poll() is not None:
                self._open(host, jump)
        call = " ".join([*self._words, "-S", str(jump.socket), "-W", "'[%h]:%p'", "--", host])
        return ["-o", f"ProxyCommand={call}"]

    def close(self) -> None:
        """End all connections, and wait for none that is on its way."""
        self._closed.set()
        for jump in self._known.values():
            with jump.lock:
                _end(jump)

    def _open(self, host: str, jump: _Jump) -> None:
        when, why = jump.failed
        if time.monotonic() < when + _REMEMBERED:
            raise UnreachableError(why)
        jump.socket.unlink(missing_ok=True)
        with jump.says.open("wb") as says:
            jump.carrier = subprocess.Popen(
                [*self._words, "-o", "ControlMaster=yes", "-S", str(jump.socket), "-N", "--", host],
                stdin=subprocess.DEVNULL,
                stdout=says,
                stderr=says,
                start_new_session=True,  # an interrupt from the terminal is the gate's to answer
            )
        end = time.monotonic() + _PATIENCE
        while not jump.socket.exists():
            if jump.carrier.poll() is not None or time.monotonic() > end or self._closed.is_set():
                _end(jump)
                said = jump.says.read_text(encoding="utf-8", errors="replace")
                jump.failed = time.monotonic(), said or "no answer"
                raise UnreachableError(jump.failed[1])
            time.sleep(_PAUSE)


def _end(jump: _Jump) -> None:
    if jump.carrier is None:
        return
    jump.carrier.terminate()
    try:
        jump.carrier.wait(_LEAVE)
    except subprocess.TimeoutExpired:
        jump.carrier.kill()
        jump.carrier.wait()
    jump.carrier = None
