"""What a host knows of an instance's process; asked at every look, so a host that is gone must not be waited for."""

import time
from collections.abc import Iterable
from pathlib import Path

from deploygate.adapters.hosts.remote.asking import Asker, HostError, commanded, folder_name, place, told, way_of
from deploygate.adapters.hosts.remote.changing import listening
from deploygate.adapters.shells import UnreachableError
from deploygate.inventory import Instance, Service
from deploygate.names import InstanceName, ServiceName, Version
from deploygate.ports import Process
from deploygate.wording import plain

_LIMIT = 5.0  # seconds
_WHILE = 30.0  # seconds
_UNKNOWN = 4  # the exit code where nothing was ever started


class Looking:
    """Asks hosts for processes."""

    def __init__(self, asker: Asker, folder: Path) -> None:
        self._asker = asker
        self._folder = folder
        self._alive: dict[tuple[ServiceName, InstanceName], tuple[float, Process]] = {}

    def forget(self, service: Service, names: Iterable[InstanceName]) -> None:
        """Ask anew for instances that are being changed."""
        for name in names:
            self._alive.pop((service.name, name), None)

    def process(self, service: Service, instance: Instance, *, answered: bool) -> Process:
        """Return what is known of an instance's process.

        While the word of a service is enough, what its host said counts for a while: a change by this gate makes it
        ask anew, and one by another shows in what the service says.
        """
        key = service.name, instance.name
        at, known = self._alive.get(key, (0.0, Process()))
        if answered and known.alive and time.monotonic() < at + _WHILE:
            return known
        found = self._found(service, instance, answered=answered)
        if found.alive:
            self._alive[key] = time.monotonic(), found
        return found

    def _found(self, service: Service, instance: Instance, *, answered: bool) -> Process:
        way = way_of(service)
        shells = self._asker.shells
        if answered and not shells.opened(instance.machine if way.ssh else "", way.ssh):
            return Process()
        failed = shells.failed(instance.machine, way.ssh) if way.ssh else ""
        if failed:
            return Process(says=plain(failed))
        try:
            lines = self._asked(service, instance, None)
            if way.pid is not None and lines[0] == "gone":
                lines = self._asked(service, instance, Version(lines[1]))
        except (HostError, UnreachableError) as error:
            return Process(says=plain(str(error)))
        return _process(lines, instance)

    def _asked(self, service: Service, instance: Instance, running: Version | None) -> list[str]:
        """Return what the host tells, with the supervisor's word where it is known which version to ask for."""
        where, way = place(service, instance, self._folder), way_of(service)
        given = (
            told(service, instance, where, running)
            if running
            else {"instance": folder_name(instance.name, "an instance")}
        )
        given |= {
            "pid_words": commanded(way.pid, service, instance, where, running),
            "brief": "yes" if way.pid and not running else "",
            **listening(instance),
        }
        ran = self._asker.call(where, "dg_process", given, _LIMIT)
        return ["unknown"] if ran.code == _UNKNOWN else ran.out.split("\n")


def _process(lines: list[str], instance: Instance) -> Process:
    match lines:
        case ["alive", version, identity, *_]:
            return Process(alive=True, release=Version(version) or None, identity=identity)
        case ["stopped", *_]:
            return Process(alive=False, says="it was stopped")
        case ["gone", version, _, by, *log]:
            held = f"; port {instance.port} is held by {by}" if by else ""
            last = " | ".join(line for line in log if line.strip())
            says = f"{version} is not running{held}" + (f"; its log ends: {plain(last)}" if last else "")
            return Process(alive=False, release=Version(version), says=plain(says, 300))
        case _:
            return Process()
