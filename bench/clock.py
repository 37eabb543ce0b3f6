"""The clock: runs one contestant and counts its wall time, its CPU and its memory, without those of the service."""

import ctypes
import os
import subprocess
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

FUSE = 900.0  # seconds after which a contestant is ended
PR_SET_CHILD_SUBREAPER = 36
HELPER = "ssh"  # a program that a contestant may leave behind, which works for it all the same

COUNTED = (
    "CPU is user + system of the contestant and of the children it waited for, from wait4, and of ssh clients\n"
    "that it left behind (ControlPersist). The service's processes, and over ssh those of sshd, are orphans,\n"
    "reaped by the bench, so their CPU is in nobody's figure, except for the fork itself. The start-up of a\n"
    "contestant's own program is counted for all but `limit`, whose clock starts after it."
)


@dataclass(frozen=True, slots=True)
class Reading:
    """What one run took, in seconds, its greatest memory in KiB, and how it ended."""

    wall: float
    cpu: float
    code: int
    peak: int = 0


def adopt_orphans() -> None:
    """Become the parent of every orphan below this process.

    A container's first process may reap a dead orphan a second late, and whoever waits for `kill -0` to fail
    waits for that. An ordinary machine's reaps at once, as `run` does.
    """
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_CHILD_SUBREAPER)")


def run(argv: list[str], env: dict[str, str], log: Path) -> Reading:
    """Run one program to its end; its output goes to `log`. Needs `adopt_orphans`."""
    with log.open("wb") as out:
        start = time.perf_counter()
        child = subprocess.Popen(
            argv,
            env=env,
            start_new_session=True,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    fuse = threading.Timer(FUSE, os.kill, (child.pid, 9))
    fuse.daemon = True
    fuse.start()
    helpers = 0.0
    while True:
        ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOWAIT)
        assert ended is not None
        name = _name(ended.si_pid)
        pid, status, usage = os.wait4(ended.si_pid, 0)
        if pid == child.pid:  # the others are services that the contestant stopped, and helpers
            break
        helpers += usage.ru_utime + usage.ru_stime if name == HELPER else 0.0
    wall = time.perf_counter() - start
    fuse.cancel()
    child.returncode = os.waitstatus_to_exitcode(status)
    cpu = usage.ru_utime + usage.ru_stime + helpers + _left_behind()
    return Reading(wall, cpu, child.returncode, usage.ru_maxrss)


def _name(pid: int) -> str:
    """Return the name of a child that has ended and was not reaped yet."""
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""


def _left_behind() -> float:
    """End the helpers that are still there, and return the CPU time that they took."""
    cpu = 0.0
    for one in psutil.Process().children():
        with suppress(psutil.Error, ChildProcessError):
            if one.name() == HELPER:
                one.terminate()
                usage = os.wait4(one.pid, 0)[2]
                cpu += usage.ru_utime + usage.ru_stime
    return cpu
