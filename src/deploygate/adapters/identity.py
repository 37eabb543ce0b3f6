"""Which process is which: an identity that no later process of the same number shares."""

from contextlib import suppress
from pathlib import Path

import psutil


def identity(pid: int) -> str | None:
    """Return what tells this process from any other, or None where it does not live."""
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return None
        return f"{pid}-{process.create_time():.2f}"
    except psutil.NoSuchProcess:
        return None


def lives(identified: str) -> bool:
    """Tell whether the process of an identity that was written down earlier is still there."""
    pid = identified.partition("-")[0]
    return pid.isdecimal() and identity(int(pid)) == identified


def place() -> str:
    """Return what tells apart where processes can be asked for: the boot of the machine, and the container there."""
    with suppress(OSError):
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot}-{Path('/proc/self/ns/pid').readlink().name.strip('pid:[]')}"
    return "unknown"
