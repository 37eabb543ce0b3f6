"""Hosts on the way to other hosts: one connection to each, which is nobody's, so that no host takes another's away."""

import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from deploygate.adapters.shells.sayings import dropped
from deploygate.adapters.shells.session import LostError
from deploygate.wording import seconds

_PATIENCE = 20.0  # seconds in which a connection must be there
_PAUSE = 0.01  # seconds between two looks at whether it is
_REMEMBERED = 5.0  # seconds for which one that could not be had is not tried again
_LEAVE = 0.5  # seconds that ssh gets to end by itself
# The end of standard input ends ssh: whatever becomes of the gate, the connection does not outlive it.
_TIED = """\
exec 3<&0
"$@" </dev/null 3<&- &
ssh=$!
{ read -r _ <&3; kill "$ssh"; } >/dev/null 2>&1 &
watch=$!
exec 3<&-
wait "$ssh"
kill "$watch" 2>/dev/null
"""


class Jump(NamedTuple):
    """A host on the way; `words` are the options of ssh for its user and port."""

    host: str
    words: tuple[str, ...] = ()


class _Way:
    """The connection to one of them: who carries it, since when, and when and why it could not be had."""

    def __init__(self, socket: Path) -> None:
        self.lock = threading.Lock()
        self.socket = socket
        self.says = socket.with_suffix(".says")
        self.carrier: subprocess.Popen[bytes] | None = None
        self.begun = 0.0
        self.failed: tuple[float, str] = (-_REMEMBERED, "")

    def end(self) -> None:
        """End the connection, where there is one."""
        if self.carrier is None:
            return
        if self.carrier.stdin is not None:
            self.carrier.stdin.close()
        try:
            self.carrier.wait(_LEAVE)
        except subprocess.TimeoutExpired:
            self.carrier.kill()
            self.carrier.wait()
        self.carrier = None


class Jumps:
    """The connections to hosts on the way; `ssh` is how it is called, `folder` a private place for sockets."""

    def __init__(self, ssh: Sequence[str], folder: Path, environment: Mapping[str, str] | None) -> None:
        self._ssh = ssh
        self._environment = environment
        self._folder = folder
        self._lock = threading.Lock()
        self._ways: dict[Jump, _Way] = {}
        self._closed = threading.Event()

    def through(self, jump: Jump, limit: float) -> list[str]:
        """Return the words with which ssh goes through a host, to which there is a connection then.

        Raises:
            LostError: There is none within `limit` seconds.
        """
        end = time.monotonic() + limit
        with self._lock:
            if self._closed.is_set():
                raise LostError("the gate has let go of its hosts", begun=False, through=jump.host)
            way = self._ways.setdefault(jump, _Way(self._folder / f"jump-{len(self._ways)}"))
        if not way.lock.acquire(timeout=max(0.0, limit)):
            raise LostError(f"no answer within {seconds(limit)}", begun=False, through=jump.host)
        try:
            if not self._there(way):
                self._begin(jump, way)
                self._wait(jump, way, end)
        finally:
            way.lock.release()
        call = " ".join([*self._ssh, *jump.words, "-S", str(way.socket), "-W", "'[%h]:%p'", "--", jump.host])
        return ["-o", f"ProxyCommand={call}"]

    def close(self) -> None:
        """End all connections, and wait for none that is on its way."""
        with self._lock:
            self._closed.set()
            ways = list(self._ways.values())
        for way in ways:
            with way.lock:
                way.end()

    def _there(self, way: _Way) -> bool:
        return way.carrier is not None and way.carrier.poll() is None and way.socket.exists()

    def _begin(self, jump: Jump, way: _Way) -> None:
        """Begin to connect, unless that goes on already, since nobody could wait for it."""
        if way.carrier is not None and way.carrier.poll() is None:
            return
        when, why = way.failed
        if time.monotonic() < when + _REMEMBERED:
            raise LostError(why, begun=False, through=jump.host)
        way.end()
        way.socket.unlink(missing_ok=True)
        words = [*self._ssh, *jump.words, "-o", "ControlMaster=yes", "-S", str(way.socket), "-N", "--", jump.host]
        with way.says.open("wb") as says:
            way.carrier = subprocess.Popen(
                ["/bin/sh", "-c", _TIED, "sh", *words],
                stdin=subprocess.PIPE,
                stdout=says,
                stderr=says,
                env=self._environment,
                start_new_session=True,  # an interrupt from the terminal is the gate's to answer
            )
        way.begun = time.monotonic()

    def _wait(self, jump: Jump, way: _Way, end: float) -> None:
        assert way.carrier is not None  # noqa: S101 - it was begun
        while not way.socket.exists():
            now = time.monotonic()
            over = way.carrier.poll() is not None
            if over or now > way.begun + _PATIENCE or self._closed.is_set():
                way.end()
                said = way.says.read_text(encoding="utf-8", errors="replace").strip()
                said = said or ("" if over else f"no answer within {seconds(_PATIENCE)}")
                if not dropped(said):  # by one whom too many ask, and who may answer the next time
                    way.failed = now, said
                raise LostError(said, begun=False, through=jump.host)
            if now > end:
                raise LostError("no answer in time", begun=False, through=jump.host)
            time.sleep(_PAUSE)
