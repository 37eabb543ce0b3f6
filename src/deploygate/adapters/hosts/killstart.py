"""Kill-start on this machine: real releases side by side, real processes, seconds each way."""

import os
import socket
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from deploygate.adapters.commands import argv, environment, not_executable, values
from deploygate.adapters.files import write_whole
from deploygate.adapters.hosts import processes, releases
from deploygate.adapters.hosts.layout import Current, Layout
from deploygate.adapters.hosts.masking import masked
from deploygate.adapters.hosts.owned import owned
from deploygate.adapters.hosts.stopping import stop
from deploygate.adapters.identity import identity as identity_of
from deploygate.events import Change, Start, Trouble
from deploygate.inventory import Instance, Service
from deploygate.names import InstanceName, RunId, Version
from deploygate.ports import Lease, Process
from deploygate.retention import prunable
from deploygate.ways import killstart
from deploygate.wording import plain

_AT_ONCE = 16  # instances changed at the same time
_HELD_ON = 2.0  # seconds for which a port may be held after its process is gone


class LocalKillStart:
    """`Hosts` for services whose instances run on this machine. Relative paths are relative to `folder`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._logged: dict[int, int] = {}  # process id -> how long its log was when it started

    def claim(self, *_: object) -> tuple[Lease, ...]:
        """Find nobody: on one machine the lock is lease enough."""
        return ()

    def leave(self, *_: object) -> None:
        """Do nothing, as there is no lease."""

    def lost(self, *_: object) -> str:
        """Find nobody, as there is no lease."""
        return ""

    def stage(self, service: Service, wanted: Sequence[Start]) -> tuple[Trouble, ...]:
        """Install each version once: the instances of a service share its root."""
        return self._per_version(service, wanted, self._stage)

    def prove(self, service: Service, wanted: Sequence[Start], *, unchanged: bool) -> tuple[Trouble, ...]:
        """Show that each release is installed, complete and executable."""

        def complete(layout: Layout, _service: Service, start: Start) -> None:
            releases.check(layout, start.version, unchanged=unchanged)

        troubles = self._per_version(service, wanted, complete)
        layout, known = self._layout(service), {trouble.instance for trouble in troubles}
        return troubles + tuple(
            Trouble(start.instance, plain(f"{service.name} {start.version} can't be started: {why}"))
            for start in wanted
            if start.instance not in known and (why := _not_startable(service, start, layout))
        )

    def switch(self, service: Service, changes: Sequence[Change], run: RunId) -> tuple[Trouble, ...]:
        """Kill and start each instance; what goes wrong with one does not stop the others."""

        def one(change: Change) -> Trouble | None:
            try:
                self._change(service, change, run)
            except (OSError, releases.ReleaseError) as error:
                return Trouble(change.instance, _masked(service, plain(str(error))))
            return None

        if len(changes) == 1:
            results = [one(changes[0])]
        else:
            with ThreadPoolExecutor(_AT_ONCE) as pool:
                results = list(pool.map(one, changes))
        return tuple(trouble for trouble in results if trouble)

    def process(self, service: Service, instance: Instance, *, answered: bool = False) -> Process:  # noqa: ARG002
        """Return what is known of an instance's process, and how it ended if it did; here it costs nothing."""
        layout = self._layout(service)
        current = layout.current(instance.name)
        if current is None:
            return Process()
        pid, identity = owned(layout, instance.name)
        if identity:
            return Process(alive=True, release=current.version, identity=identity)
        ended = processes.reap(pid) if pid else ""
        if current.version is None:
            return Process(alive=False, says="it was stopped")
        says = _masked(service, self._how(layout, instance, current, pid, ended))
        return Process(alive=False, release=current.version, says=says)

    def prune(
        self,
        service: Service,
        instances: Sequence[InstanceName],
        protect: Sequence[Version],
    ) -> tuple[Version, ...]:
        """Remove old releases; what runs, or ran before, on any instance stays."""
        layout = self._layout(service)
        kept = set(protect)
        for one in service.instances:
            current = layout.current(one.name)
            if current:
                kept |= {version for version in (current.version, current.previous) if version}
        gone = prunable(releases.installed(layout), kept, killstart(service.deploy).keep) if instances else ()
        for version in gone:
            releases.remove(layout, version)
        return gone

    def _layout(self, service: Service) -> Layout:
        return Layout((self._folder / killstart(service.deploy).root).resolve())

    def _per_version(
        self,
        service: Service,
        wanted: Sequence[Start],
        work: Callable[[Layout, Service, Start], None],
    ) -> tuple[Trouble, ...]:
        layout = self._layout(service)
        troubles = []
        failed: dict[Version, str] = {}
        done: set[Version] = set()
        for start in wanted:
            if start.version not in done:
                done.add(start.version)
                try:
                    work(layout, service, start)
                except (OSError, releases.ReleaseError) as error:
                    failed[start.version] = plain(f"{service.name} {error}")
            if start.version in failed:
                troubles.append(Trouble(start.instance, failed[start.version]))
        return tuple(troubles)

    def _stage(self, layout: Layout, service: Service, start: Start) -> None:
        artifact = self._folder / service.artifact.replace("{version}", start.version) if service.artifact else None
        releases.stage(layout, start.version, artifact, time.time())

    def _change(self, service: Service, change: Change, run: RunId) -> None:
        layout = self._layout(service)
        instance = _named(service, change.instance)
        with layout.alone(instance.name, patience=killstart(service.deploy).grace + 30):
            current = layout.current(instance.name)
            pid, identity = owned(layout, instance.name)
            alive = identity is not None
            if change.keep and alive and current and current.version == change.start:
                return
            if change.start is not None:
                releases.check(layout, change.start, unchanged=False)
            if pid is not None and alive:
                running = (current.version if current else None) or change.stop
                stop(service, instance, running, layout, pid)
            self._end_left_over(service, instance, layout, orphans=pid is not None and not alive)
            before = current.version if current else change.stop
            previous = before if before != change.start else (current.previous if current else None)
            layout.record(instance.name, Current(change.start, previous, run, time.time()))
            if change.start is not None:
                self._start(service, instance, change.start, layout)

    def _end_left_over(self, service: Service, instance: Instance, layout: Layout, *, orphans: bool) -> None:
        """Stop what a gone process left behind: whoever still listens and, as `orphans`, all that it had started."""
        mark = ("DEPLOYGATE_PIDFILE", str(layout.pid_file(instance.name)))
        left = processes.carrying(*mark) if orphans else []
        if _answers(instance):
            pid = processes.listener(instance.host, instance.port)
            left += [pid] if pid and pid not in left and processes.carries(pid, *mark) else []
        for pid in left:
            processes.end(pid, killstart(service.deploy).grace)

    def _start(self, service: Service, instance: Instance, version: Version, layout: Layout) -> None:
        if _still_answers(instance):
            by = processes.holder(instance.host, instance.port) or "another process"
            raise OSError(f"port {instance.port} is held by {by}, which deploygate did not start")
        filled = values(service, instance, version, layout.root)
        log = layout.log(instance.name, version)
        layout.identity_file(instance.name).unlink(missing_ok=True)
        written = log.stat().st_size if log.exists() else 0
        pid = processes.launch(
            argv(killstart(service.deploy).start, filled),
            environment(filled) | _secrets(service),
            layout.pid_file(instance.name),
            log,
        )
        self._logged[pid] = written
        who = identity_of(pid) or f"{pid}-gone"
        write_whole(layout.identity_file(instance.name), who.encode(), surely=False)

    def _how(self, layout: Layout, instance: Instance, current: Current, pid: int | None, ended: str) -> str:
        what = f"{current.version} {ended or 'is not running'}"
        by = processes.holder(instance.host, instance.port)
        held = f"; port {instance.port} is held by {by}" if by else ""
        last = (
            processes.tail(layout.log(instance.name, current.version), self._logged.get(pid or 0, 0))
            if current.version
            else ""
        )
        return plain(what + held + (f"; its log ends: {last}" if last else ""), 300)


def _named(service: Service, name: InstanceName) -> Instance:
    return next(one for one in service.instances if one.name == name)


def _not_startable(service: Service, start: Start, layout: Layout) -> str:
    instance = _named(service, start.instance)
    if not processes.here(instance.host):
        return f"{instance.address} is not on this machine"
    missing = [name for name in killstart(service.deploy).secrets if name not in os.environ]
    if missing:
        return f"the gate's environment has no {', '.join(missing)}, which the process is to get"
    words = argv(killstart(service.deploy).start, values(service, instance, start.version, layout.root))
    return not_executable(words, layout.release(start.version))


def _secrets(service: Service) -> dict[str, str]:
    """Return what a process gets by name, also where such names are private to the gate otherwise."""
    return {name: os.environ[name] for name in killstart(service.deploy).secrets if name in os.environ}


def _masked(service: Service, says: str) -> str:
    return masked(says, killstart(service.deploy).secrets, os.environ)


def _still_answers(instance: Instance) -> bool:
    """Tell whether a port is held, but for a moment, as the last thread of a process does that is gone already."""
    end = time.monotonic() + _HELD_ON
    while _answers(instance):
        if time.monotonic() >= end:
            return True
        time.sleep(0.05)
    return False


def _answers(instance: Instance) -> bool:
    try:
        with socket.create_connection((instance.host, instance.port), timeout=0.5):
            return True
    except OSError:
        return False
