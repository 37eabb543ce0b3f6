"""Which process is which: an identity that no later process of the same number shares."""

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
