"""One change on one host: it is told what to stop and what to start, and under which lease."""

import socket
import time
from functools import lru_cache
from pathlib import Path

from deploygate.adapters.hosts.remote import limits
from deploygate.adapters.hosts.remote.asking import (
    Asker,
    HostError,
    Place,
    commanded,
    folder_name,
    hundredths,
    named,
    place,
    told,
    way_of,
)
from deploygate.adapters.hosts.remote.leases import Leases, fenced
from deploygate.adapters.shells import UnreachableError
from deploygate.events import Change
from deploygate.inventory import Instance, Service
from deploygate.names import RunId, Version
from deploygate.wording import plain

_ASK = 30.0
_MEANWHILE = 5  # the exit code of a change whose instance is not as it was expected any more
_TRIES = 4
_PATIENCE = 15.0  # seconds that a change waits for another one of the same instance, or for a claim


class Changing:
    """Changes instances on hosts."""

    def __init__(self, asker: Asker, leases: Leases, folder: Path) -> None:
        self._asker = asker
        self._leases = leases
        self._folder = folder

    def change(self, service: Service, change: Change, run: RunId) -> None:
        """Kill and start one instance.

        Raises:
            FencedError: Another run has the host now.
            HostError: The host says why not.
            UnreachableError: It can't be reached, or was lost in the middle.
        """
        instance = named(service, change.instance)
        where = place(service, instance, self._folder)
        if change.start is not None:
            folder_name(change.start, "a version")
        says, running = "", change.stop  # as it was observed; the host says no where that is not so any more
        for _ in range(_TRIES):
            given = self._given(service, instance, where, change, running) | self._leases.shown(service, where, run)
            waiting = limits.change(service) if given["claiming"] else _PATIENCE  # for a change of another run
            given["patience"] = hundredths(waiting)
            try:
                ran = self._asker.call(where, "dg_switch", given, waiting + limits.change(service))
            except UnreachableError as error:
                what = f"from {change.stop or 'nothing'} to {change.start or 'nothing'}"
                raise UnreachableError(plain(f"{error}, when {instance.name} was to go {what}", 300)) from None
            fenced(ran)
            if ran.code != _MEANWHILE:
                self._leases.claimed(where, run)
                return
            says, running = plain(ran.out), self._running(where, instance)
        raise HostError(says)

    def _given(
        self, service: Service, instance: Instance, where: Place, change: Change, now: Version | None
    ) -> dict[str, str]:
        way = way_of(service)
        given = told(service, instance, where, change.start)
        running = now or change.stop
        return given | {
            "start_version": change.start or "",
            "stop_version": change.stop or "",
            "expected": now or "",
            "keep": "yes" if change.keep else "",
            "grace": hundredths(way.grace),
            "start_limit": hundredths(service.starting),
            "at": f"{time.time():.3f}",
            "supervised": "yes" if way.pid else "",
            "start_words": commanded(way.start, service, instance, where, change.start),
            "stop_words": commanded(way.stop, service, instance, where, running),
            "pid_words": commanded(way.pid, service, instance, where, running),
            "kill_words": commanded(way.kill, service, instance, where, running),
            "start_pid_words": commanded(way.pid, service, instance, where, change.start),
            **listening(instance),
        }

    def _running(self, where: Place, instance: Instance) -> Version | None:
        given = {"instance": folder_name(instance.name, "an instance")}
        ran = self._asker.call(where, "dg_current", given, _ASK)
        return Version(ran.out.partition("\n")[0]) or None if ran.code == 0 else None


def listening(instance: Instance) -> dict[str, str]:
    """Return an instance's address as a host's `/proc/net/tcp` has it, and those at which all are listened at."""
    return {"port_hex": f"{instance.port:04X}", "addresses": _addresses(instance.host)}


@lru_cache
def _addresses(host: str) -> str:
    try:
        infos = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError:
        infos = []
    found = {"00000000", "0" * 32}
    for family, _, _, _, at in infos:
        packed = socket.inet_pton(family, str(at[0]).partition("%")[0])
        words = [packed[i : i + 4][::-1].hex().upper() for i in range(0, len(packed), 4)]
        found.add("".join(words))
        if family == socket.AF_INET:  # an IPv6 socket that takes IPv4
            found.add("0000000000000000FFFF0000" + words[0])
    return " ".join(sorted(found))
