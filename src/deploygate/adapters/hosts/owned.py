"""The process that was started last for an instance, told apart from any other that has its number."""

from typing import NamedTuple

from deploygate.adapters.hosts.layout import Layout
from deploygate.adapters.hosts.processes import carries
from deploygate.adapters.identity import identity
from deploygate.names import InstanceName


class Owned(NamedTuple):
    """A process: its number, and its identity while it lives."""

    pid: int | None
    identity: str | None


def owned(layout: Layout, name: InstanceName) -> Owned:
    """Return the process as the gate wrote it down; else, where the gate was killed then, as it did itself."""
    try:
        written = layout.identity_file(name).read_text()
        pid = int(written.partition("-")[0])
    except (OSError, ValueError):
        written = ""
        try:
            pid = int(layout.pid_file(name).read_text())
        except (OSError, ValueError):
            return Owned(None, None)
    found = identity(pid)
    if found is None or found == written:
        return Owned(pid, found)
    return Owned(pid, found if carries(pid, "DEPLOYGATE_PIDFILE", str(layout.pid_file(name))) else None)
