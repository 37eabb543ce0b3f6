"""Processes on this machine: started so that they outlive the gate, told apart from any other, stopped for sure."""

import os
import signal
import socket
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


def carrying(name: str, value: str) -> list[int]:
    """Return the processes that were started with this in their environment."""
    return [pid for pid in psutil.pids() if carries(pid, name, value)]


def carries(pid: int, name: str, value: str) -> bool:
    """Tell whether a process was started with this in its environment."""
    try:
        return psutil.Process(pid).environ().get(name) == value
    except psutil.Error:
        return False


def end(pid: int, grace: float, *, ask: bool = True) -> None:
    """Stop a process and its group: ask it, wait for `grace` seconds, then kill it.

    Raises:
        TimeoutError: It lives on even then.
        PermissionError: It is not ours to stop.
    """
    group = _group(pid)
    if ask:
        _signal(group, signal.SIGTERM)
    if not _gone(pid, grace):
        _signal(group, signal.SIGKILL)
        if not _gone(pid, _KILL_WAIT):
            raise TimeoutError(f"pid {pid} does not die")
    _signal(group, signal.SIGKILL)  # what it may have left behind


def _group(pid: int) -> int:
    """Return the group of a process; what was launched here leads its own, also when it is gone."""
    try:
        return os.getpgid(pid)
    except ProcessLookupError:
        return pid


def _signal(group: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.killpg(group, number)


def _gone(pid: int, within: float) -> bool:
    """Tell whether a process is gone by then; one that ended and was not waited for by its parent is."""
    end, pause = time.monotonic() + within, 0.001
    while identity(pid) is not None:
        if time.monotonic() >= end:
            return False
        time.sleep(pause)
        pause = min(pause * 1.2, 0.05)
    return True


def here(host: str) -> bool:
    """Tell whether an address is one of this machine's own."""
    if host in {"localhost", "::1"} or host.startswith("127."):
        return True
    own = {address.address for addresses in psutil.net_if_addrs().values() for address in addresses}
    try:
        return any(info[4][0] in own for info in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM))
    except OSError:
        return False


def listener(host: str, port: int) -> int | None:
    """Return the process that listens at an address: 0 where it can't be seen, None where there is none."""
    addresses = {"0.0.0.0", "::"}  # noqa: S104 - whoever listens at all addresses listens at this one
    with suppress(OSError):
        addresses |= {str(info[4][0]) for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)}
    with suppress(psutil.Error):
        for one in psutil.net_connections("tcp"):
            if one.status == psutil.CONN_LISTEN and one.laddr and one.laddr.port == port and one.laddr.ip in addresses:
                return one.pid or 0
    return None


def holder(host: str, port: int) -> str:
    """Say which process listens at an address, or nothing."""
    pid = listener(host, port)
    if not pid:
        return "" if pid is None else "a process that can't be seen"
    try:
        return f"pid {pid} ({plain(' '.join(psutil.Process(pid).cmdline()), 60)})"
    except psutil.Error:
        return f"pid {pid}"


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
