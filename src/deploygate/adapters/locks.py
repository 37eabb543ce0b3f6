"""Locks as files: each names the run that holds it, and is stale exactly when that run's process is over."""

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from deploygate.adapters.files import exclusive, write_whole
from deploygate.adapters.identity import identity, lives, place
from deploygate.endings import Goal
from deploygate.names import RunId, ServiceName
from deploygate.ports import Lease

_PATIENCE = 900.0  # seconds that one change of another run may take: longer than any sensible grace


class Holder(msgspec.Struct, frozen=True):
    """Who holds a lock."""

    run: RunId
    rank: Goal
    host: str
    process: str
    since: str
    schema: int = 1

    def alive(self) -> bool:
        """Tell whether the run goes on; one on another machine can't be asked, so it counts as alive."""
        if self.host != socket.gethostname():
            return True
        return lives(self.process)


class FileLocks:
    """`Locks` under a folder. `take_over` names a run, on a machine that can't be asked, that is known to be over.

    `ended` tells whether a run has an ending on record.
    """

    def __init__(
        self,
        folder: Path,
        run: RunId,
        take_over: RunId | None = None,
        ended: Callable[[ServiceName, RunId], bool] = lambda _service, _run: False,
    ) -> None:
        self._folder = folder
        self._run = run
        self._take_over = take_over
        self._ended = ended

    def take(self, service: ServiceName, rank: Goal) -> tuple[str, str]:
        """Take a free or stale lock, or a deploy's for a rollback."""
        with exclusive(self._guard(service), _PATIENCE):
            holder = self._holder(service)
            over = ""
            if holder is not None and holder.run != self._run:
                outranked = rank is Goal.ROLLBACK and holder.rank is not Goal.ROLLBACK
                if holder.alive() and not outranked and holder.run != self._take_over:
                    where = "" if holder.host == socket.gethostname() else f" on {holder.host}"
                    return "", f"{holder.rank} run {holder.run}{where} (since {holder.since})"
                over = f"{holder.rank} run {holder.run}{'' if holder.alive() else ', which is over'}"
            process = identity(os.getpid()) or ""
            since = datetime.now(UTC).isoformat(timespec="seconds")
            mine = Holder(self._run, rank, socket.gethostname(), process, since)
            write_whole(self._path(service), msgspec.json.encode(mine))
            return over, ""

    @contextmanager
    def guard(self, service: ServiceName) -> Iterator[str]:
        """Hold off every take-over during one change."""
        with exclusive(self._guard(service), _PATIENCE):
            holder = self._holder(service)
            if holder is None:
                yield "another run, which is over already,"
            else:
                yield "" if holder.run == self._run else f"{holder.rank} run {holder.run}"

    def release(self, service: ServiceName) -> None:
        """Remove the lock if it is this run's."""
        with exclusive(self._guard(service), _PATIENCE):
            holder = self._holder(service)
            if holder is not None and holder.run == self._run:
                self._path(service).unlink(missing_ok=True)

    def lease(self, rank: Goal, lasts: float) -> Lease:
        """Return what is written on hosts: this run, and the process on this machine that it is."""
        gate = "-".join(socket.gethostname().split()) or "unknown"
        since = datetime.now(UTC).isoformat(timespec="seconds")
        process = f"{identity(os.getpid()) or 'unknown'}@{place()}"
        return Lease(self._run, rank, gate, process, since, lasts)

    def over(self, service: ServiceName, lease: Lease) -> bool:
        """Tell whether a run has ended, was named as over, or was a process of this machine that is gone.

        A machine is not known by its name: those that are made from one image often share it.
        """
        process, _, where = lease.process.partition("@")
        gone = where == place() and where != "unknown" and not lives(process)
        return lease.run in {self._run, self._take_over} or gone or self._ended(service, lease.run)

    def _path(self, service: ServiceName) -> Path:
        return self._folder / f"{service}.json"

    def _guard(self, service: ServiceName) -> Path:
        return self._folder / f"{service}.guard"

    def _holder(self, service: ServiceName) -> Holder | None:
        try:
            return msgspec.json.decode(self._path(service).read_bytes(), type=Holder)
        except (FileNotFoundError, ValueError):
            return None
