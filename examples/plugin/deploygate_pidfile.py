"""A plug-in of deploygate: a driver that starts releases as processes, and a balancer that is a list in a file.

Small enough to read, and real: it keeps the contract (test_deploygate_pidfile.py). Copy it, and change the parts
that touch the world.
"""

import fcntl
import json
import os
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from deploygate.events import Change, Start, Trouble
from deploygate.inventory import Instance, Service
from deploygate.names import InstanceName, RunId, Version
from deploygate.ports import Balancer, Hosts, Lease, Process


def driver(settings: Mapping[str, object], folder: Path) -> Hosts:
    """Return the driver; its setting `root` is the folder of the releases, one folder a version."""
    return PidFiles(folder / _folder_in(settings, "root"))


def balancer(settings: Mapping[str, object], folder: Path) -> Balancer:
    """Return the balancer; its setting `file` is the list of those who are sent no traffic."""
    return Listed(folder / _folder_in(settings, "file"))


def _folder_in(settings: Mapping[str, object], key: str) -> str:
    """Return a path from the settings: whoever wrote them is told what is wrong with them."""
    unknown = sorted(set(settings) - {key})
    if unknown:
        raise ValueError(f"unknown settings: {', '.join(unknown)}; there is only `{key}`")
    value = settings.get(key)
    if not isinstance(value, str) or not value:
        raise ValueError(f"`{key}` must be a path, and is {value!r}")
    return value


class PidFiles:
    """Runs `./run HOST PORT` in `root/VERSION`, and keeps what it started in `root/.running/INSTANCE`."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._children: list[subprocess.Popen[bytes]] = []  # ours to wait for, when they end

    def claim(
        self, service: Service, instances: Sequence[InstanceName], lease: Lease, over: Sequence[RunId]
    ) -> tuple[Lease, ...]:
        """Find nobody: everything is on this machine, where the gate's own lock is enough."""
        del service, instances, lease, over
        return ()

    def leave(self, service: Service, instances: Sequence[InstanceName], run: RunId) -> None:
        """Do nothing, as there is no lease."""

    def lost(self, service: Service, instances: Sequence[InstanceName], run: RunId) -> str:
        """Find nobody, as there is no lease."""
        del service, instances, run
        return ""

    def stage(self, service: Service, releases: Sequence[Start]) -> tuple[Trouble, ...]:
        """Expect that somebody else has put the releases there."""
        return self.prove(service, releases, unchanged=True)

    def prove(self, service: Service, releases: Sequence[Start], *, unchanged: bool) -> tuple[Trouble, ...]:
        """Show that there is something to run."""
        del service, unchanged
        found = ((start.instance, self._root / start.version / "run") for start in releases)
        return tuple(Trouble(name, f"{run} can't be run") for name, run in found if not os.access(run, os.X_OK))

    def switch(self, service: Service, changes: Sequence[Change], run: RunId) -> tuple[Trouble, ...]:
        """Kill and start, one after the other; what goes wrong with one does not stop the others."""
        del run
        troubles = []
        for change in changes:
            try:
                instance = next(one for one in service.instances if one.name == change.instance)
                self._change(instance, change, service.deploy.grace)
            except StopIteration:
                troubles.append(Trouble(change.instance, f"{service.name} has no such instance"))
            except (OSError, psutil.Error, psutil.TimeoutExpired) as error:
                troubles.append(Trouble(change.instance, str(error)))
        return tuple(troubles)

    def process(self, service: Service, instance: Instance, *, answered: bool) -> Process:
        """Return what the file says, as far as it is still true."""
        del service, answered  # it costs nothing, so it is always told
        self._reap()
        release, identity = self._written(instance.name)
        if identity is not None and _living(identity) is not None:
            return Process(alive=True, release=release, identity=identity)
        return Process(alive=False, release=release, says=f"{release} is not running" if release else "never started")

    def prune(
        self, service: Service, instances: Sequence[InstanceName], protect: Sequence[Version]
    ) -> tuple[Version, ...]:
        """Leave removing to whoever installs."""
        del service, instances, protect
        return ()

    def _change(self, instance: Instance, change: Change, grace: float) -> None:
        release, identity = self._written(instance.name)
        running = _living(identity) if identity else None
        if running is not None and change.keep and release == change.start:
            return
        if running is not None and identity is not None:
            with suppress(psutil.NoSuchProcess):
                running.terminate()
                if not self._gone(identity, grace):
                    running.kill()
                    if not self._gone(identity, 5.0):
                        raise TimeoutError(f"{release} does not die (pid {running.pid})")
        self._reap()
        if change.start is not None:
            self._start(instance, change.start)

    def _start(self, instance: Instance, version: Version) -> None:
        where = self._file(instance.name)
        where.parent.mkdir(parents=True, exist_ok=True)
        with where.with_suffix(".log").open("ab") as log:
            child = subprocess.Popen(
                ["./run", instance.host, str(instance.port)],
                cwd=self._root / version,
                env={**os.environ, "DEPLOYGATE_INSTANCE": instance.name},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # it outlives the gate
            )
        self._children.append(child)
        born = psutil.Process(child.pid).create_time()
        where.write_text(json.dumps([version, f"{child.pid}-{born:.2f}"]))

    def _gone(self, identity: str, within: float) -> bool:
        """Tell whether a process ends in time; one that ended is gone, though the gate that began it did not notice.

        A rollback that a deploy raises stops children of that deploy, which is busy following the rollback.
        """
        end = time.monotonic() + within
        while _living(identity) is not None:
            if time.monotonic() >= end:
                return False
            time.sleep(0.01)
            self._reap()
        return True

    def _reap(self) -> None:
        """Take note of our own children that have ended."""
        self._children = [child for child in self._children if child.poll() is None]

    def _written(self, name: InstanceName) -> tuple[Version | None, str | None]:
        try:
            release, identity = json.loads(self._file(name).read_text())
        except FileNotFoundError:
            return None, None
        return Version(release), identity

    def _file(self, name: InstanceName) -> Path:
        return self._root / ".running" / f"{name}.json"


def _living(identity: str) -> psutil.Process | None:
    """Return the process of an identity: a number is reused, with its start time it is not."""
    pid = int(identity.partition("-")[0])
    try:
        process = psutil.Process(pid)
        alive = process.status() != psutil.STATUS_ZOMBIE and f"{pid}-{process.create_time():.2f}" == identity
    except psutil.NoSuchProcess:
        return None
    return process if alive else None


class Listed:
    """Names, a line each, of the instances that get no traffic; a balancer of your own reads the file."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def drain(self, service: Service, instances: Sequence[Instance], patience: float) -> tuple[Trouble, ...]:
        """Put instances on the list; there are no connections to wait for."""
        del patience
        with self._changed() as out:
            out |= {one.name for one in instances if one in service.instances}
        return _strangers(service, instances)

    def restore(self, service: Service, instances: Sequence[Instance]) -> tuple[Trouble, ...]:
        """Take instances off the list."""
        with self._changed() as out:
            out -= {one.name for one in instances}
        return _strangers(service, instances)

    def in_service(self, service: Service, instances: Sequence[Instance]) -> Mapping[InstanceName, bool]:
        """Say who is not on the list."""
        out = self._out()
        return {one.name: one.name not in out for one in instances if one in service.instances}

    @contextmanager
    def _changed(self) -> Iterator[set[str]]:
        """Give the list to change, keep every other gate off it, and put it back in one step."""
        self._file.parent.mkdir(parents=True, exist_ok=True)
        with self._file.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            out = self._out()
            yield out
            beside = self._file.with_suffix(".new")
            beside.write_text("".join(f"{name}\n" for name in sorted(out)))
            beside.replace(self._file)

    def _out(self) -> set[str]:
        return set(self._file.read_text().split()) if self._file.exists() else set()


def _strangers(service: Service, instances: Sequence[Instance]) -> tuple[Trouble, ...]:
    return tuple(Trouble(one.name, "it is not on the list") for one in instances if one not in service.instances)
