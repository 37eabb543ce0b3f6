"""The clock: runs one contestant and counts its wall time and its CPU, without that of the service."""

import ctypes
import os
import subprocess
import threading
import time
from dataclasses import dataclass
from pathlib import Path

FUSE = 900.0  # seconds after which a contestant is ended
PR_SET_CHILD_SUBREAPER = 36

COUNTED = (
    "CPU is user + system of the contestant and of the children it waited for, from wait4. The service's\n"
    "processes are orphans, reaped by the bench, so their CPU is in nobody's figure, except for the fork\n"
    "itself. The start-up of a contestant's own program is counted for all but `limit`, whose clock\n"
    "starts after it."
)


@dataclass(frozen=True, slots=True)
class Reading:
    """What one run took, in seconds, and how it ended."""

    wall: float
    cpu: float
    code: int


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
    while True:
        pid, status, usage = os.wait4(-1, 0)
        if pid == child.pid:  # the others are services that the contestant stopped
            break
    wall = time.perf_counter() - start
    fuse.cancel()
    child.returncode = os.waitstatus_to_exitcode(status)
    return Reading(wall, usage.ru_utime + usage.ru_stime, child.returncode)
