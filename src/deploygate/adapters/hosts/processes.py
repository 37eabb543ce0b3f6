"""Processes on this machine: started so that they outlive the gate, told apart from any other, stopped for sure."""

import os
import signal
import time
from contextlib import suppress
from pathlib import Path

import psutil

from deploygate.adapters.identity import identity
from deploygate.wording import plain

# The process writes its own id before it becomes the service, so that a gate killed at that very moment
# leaves nothing behind that its successor does not know.
_LAUNCH = 'cd "$DEPLOYGATE_RELEASE" && echo "$$" >"$DEPLOYGATE_PIDFILE" && exec "$@"'
_TAIL = 2048  # bytes of a log that are looked at
_KILL_WAIT = 5.0  # seconds that a killed process may take to be gone


def launch(words: list[str], environment: dict[str, str], pid_file: Path, log: Path) -> int:
    """Start a program detached, in a session of its own, and return its process id."""
    pid_file.unlink(missing_ok=True)
    return os.posix_spawn(
        "/bin/sh",
        ["/bin/sh", "-c", _LAUNCH, "deploygate", *words],
        {**environment, "DEPLOYGATE_PIDFILE": str(pid_file)},
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, str(log), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ],
        setsid=True,
    )


def reap(pid: int) -> str:
    """Say how a child of this process ended, or nothing while it lives or where it is no child."""
    with suppress(ChildProcessError):
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            code = os.waitstatus_to_exitcode(status)
            return f"was ended by {signal.Signals(-code).name}" if code < 0 else f"exited with {code}"
    return ""


def carries(pid: int, name: str, value: str) -> bool:
    """Tell whether a process was started with this in its environment."""
    try:
        return psutil.Process(pid).environ().get(name) == value
    except psutil.Error:
        return False


def end(pid: int, grace: float, *, ask: bool = True) -> None:
    """Stop a process and its session: ask it, wait for `grace` seconds, then kill it.

    Raises:
        TimeoutError: It lives on even then.
        PermissionError: It is not ours to stop.
    """
    if ask:
        _signal(pid, signal.SIGTERM)
    if not _gone(pid, grace):
        _signal(pid, signal.SIGKILL)
        if not _gone(pid, _KILL_WAIT):
            raise TimeoutError(f"pid {pid} does not die")
    _signal(pid, signal.SIGKILL)  # what it may have left behind in its session


def _signal(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.killpg(pid, number)


def _gone(pid: int, within: float) -> bool:
    """Tell whether a process is gone by then; one that ended and was not waited for by its parent is."""
    end, pause = time.monotonic() + within, 0.001
    while identity(pid) is not None:
        if time.monotonic() >= end:
            return False
        time.sleep(pause)
        pause = min(pause * 1.2, 0.05)
    return True


def holder(port: int) -> str:
    """Say which process listens on a port, or nothing."""
    try:
        for connection in psutil.net_connections("tcp"):
            if connection.status == psutil.CONN_LISTEN and connection.laddr and connection.laddr.port == port:
                if connection.pid is None:
                    return "a process that can't be seen"
                words = " ".join(psutil.Process(connection.pid).cmdline())
                return f"pid {connection.pid} ({plain(words, 60)})"
    except psutil.Error:
        return ""
    return ""


def tail(log: Path, since: int = 0) -> str:
    """Return the last lines of a log as one, from what was written after `since` bytes."""
    try:
        with log.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(since, size - _TAIL))
            lines = file.read(_TAIL).decode(errors="replace").split("\n")
    except OSError:
        return ""
    return plain(" | ".join([line for line in lines if line.strip()][-2:]), 160)
