"""Kill-start on other machines over ssh, and through supervisors here and there; the host does the work."""

import shutil
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from deploygate.adapters.hosts.masking import masked
from deploygate.adapters.hosts.remote.asking import (
    Asker,
    HostError,
    Place,
    commanded,
    each,
    folder_name,
    named,
    place,
    told,
    way_of,
)
from deploygate.adapters.hosts.remote.changing import Changing
from deploygate.adapters.hosts.remote.leases import FencedError, Leases
from deploygate.adapters.hosts.remote.limits import ASK, CHECK, PROVE
from deploygate.adapters.hosts.remote.looking import Looking
from deploygate.adapters.hosts.remote.packing import PackingError, pack
from deploygate.adapters.hosts.remote.staging import Staging, Wanted, folder_for_packing
from deploygate.adapters.shells import Shells
from deploygate.events import Change, Start, Trouble
from deploygate.inventory import Instance, Service
from deploygate.names import InstanceName, RunId, Secret, Version
from deploygate.ports import Lease, Process
from deploygate.retention import prunable
from deploygate.wording import plain


class RemoteKillStart:
    """`Hosts` for services whose hosts are reached with ssh, or whose processes a supervisor runs.

    Relative paths are relative to `folder`; `environ` has the secrets, by name.
    """

    def __init__(self, shells: Shells, folder: Path, environ: Mapping[str, str]) -> None:
        self._shells = shells
        self._folder = folder
        self._environ = environ
        self._asker = Asker(shells)
        self._leases = Leases(self._asker, folder)
        self._staging = Staging(self._asker)
        self._changing = Changing(self._asker, self._leases, folder)
        self._looking = Looking(self._asker, folder)

    def claim(
        self, service: Service, instances: Sequence[InstanceName], lease: Lease, over: Sequence[RunId]
    ) -> tuple[Lease, ...]:
        """Write the lease on every host that can be reached."""
        return self._leases.claim(service, instances, lease, over)

    def leave(self, service: Service, instances: Sequence[InstanceName], run: RunId) -> None:
        """Take this run's lease off the hosts."""
        self._leases.leave(service, instances, run)

    def lost(self, service: Service, instances: Sequence[InstanceName], run: RunId) -> str:
        """Name another run that has one of these hosts now."""
        return self._leases.lost(service, instances, run)

    def stage(self, service: Service, wanted: Sequence[Start]) -> tuple[Trouble, ...]:
        """Copy each release once to each host, all hosts at the same time."""
        folder = folder_for_packing()
        try:
            releases = {version: self._wanted(service, version, folder) for version in {one.version for one in wanted}}

            def install(where: Place, starts: Sequence[Start]) -> tuple[Trouble, ...]:
                return self._per_version(
                    service, starts, lambda one: self._install(service, where, releases[one.version])
                )

            return self._per_host(service, wanted, install)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def prove(self, service: Service, wanted: Sequence[Start], *, unchanged: bool) -> tuple[Trouble, ...]:
        """Show that each release is installed, complete and executable, and startable as its supervisor sees it."""

        def one_host(where: Place, starts: Sequence[Start]) -> tuple[Trouble, ...]:
            whys = []
            for number, start in enumerate(starts):
                read = any(one.version == start.version for one in starts[:number])
                prove = partial(self._prove, service, where, start, unchanged and not read)
                whys.append((start, self._hindered(prove)))
            return tuple(
                Trouble(
                    one.instance,
                    self._masked(service, plain(f"{service.name} {one.version} can't be started: {why}", 300)),
                )
                for one, why in whys
                if why
            )

        return self._per_host(service, wanted, one_host)

    def switch(self, service: Service, changes: Sequence[Change], run: RunId) -> tuple[Trouble, ...]:
        """Kill and start; what goes wrong with one instance does not stop the others."""

        def one(change: Change) -> Trouble | None:
            try:
                why = self._hindered(lambda: self._changing.change(service, change, run))
            except FencedError as error:
                return Trouble(change.instance, str(error), error.by)
            return Trouble(change.instance, self._masked(service, why)) if why else None

        troubles = tuple(trouble for trouble in each(changes, one) if trouble)
        self._looking.forget(service, [change.instance for change in changes])
        return troubles

    def process(self, service: Service, instance: Instance, *, answered: bool = False) -> Process:
        """Return what the host knows of a process; one that can't be reached says so, and quickly."""
        found = self._looking.process(service, instance, answered=answered)
        says = self._masked(service, found.says)
        return found if says == found.says else Process(found.alive, found.release, found.identity, says)

    def prune(
        self, service: Service, instances: Sequence[InstanceName], protect: Sequence[Version]
    ) -> tuple[Version, ...]:
        """Remove old releases from each host; what runs, or ran before, on any instance there stays.

        A run that has lost its hosts removes nothing: another one may be about to start what is old to this one.
        """
        if self._leases.taken(service, instances):
            return ()
        wanted = [Start(name, Version("")) for name in instances]
        gone: dict[Version, None] = {}

        def one_host(where: Place, _: Sequence[Start]) -> tuple[Trouble, ...]:
            self._hindered(lambda: gone.update(dict.fromkeys(self._prune(service, where, protect))))
            return ()

        self._per_host(service, wanted, one_host)
        return tuple(gone)

    def _wanted(self, service: Service, version: Version, folder: Path) -> Wanted | str:
        """Return what is to be installed of a version, or why that can't be."""
        secrets = {name: Secret(self._environ[name]) for name in way_of(service).secrets if name in self._environ}
        unset = [name for name in way_of(service).secrets if name not in secrets]
        if unset:
            return f"{version} can't be staged: the gate's environment has no {unset[0]}, which the process is to get"
        artifact = self._folder / service.artifact.replace("{version}", version) if service.artifact else None
        if artifact is None or not artifact.exists():
            why = f"{artifact} does not exist" if artifact else "the inventory names no artifact"
            return Wanted(version, None, why, secrets)
        try:
            place_of_its_own = folder / str(len(list(folder.iterdir())))
            place_of_its_own.mkdir()
            return Wanted(version, pack(version, artifact, place_of_its_own), "", secrets)
        except PackingError as error:
            return str(error)

    def _install(self, service: Service, where: Place, wanted: Wanted | str) -> None:
        if isinstance(wanted, str):
            raise HostError(wanted)
        try:
            self._staging.install(where, wanted, self._leases.run(service))
        except HostError as error:
            if str(error).startswith("it can't"):
                raise HostError(f"{wanted.version} can't be staged: {error}") from None
            raise

    def _prove(self, service: Service, where: Place, start: Start, unchanged: bool) -> None:  # noqa: FBT001 - a part of prove
        way, instance = way_of(service), named(service, start.instance)
        given = told(service, instance, where, start.version) | {
            "version": folder_name(start.version, "a version"),
            "run": self._leases.run(service),
            "unchanged": "yes" if unchanged else "",
            "start_words": commanded(way.start, service, instance, where, start.version),
            "check_words": commanded(way.check, service, instance, where, start.version),
        }
        self._asker.call(where, "dg_prove", given, CHECK if unchanged else PROVE)

    def _prune(self, service: Service, where: Place, protect: Sequence[Version]) -> tuple[Version, ...]:
        lines = self._asker.call(where, "dg_releases", {}, ASK).out.splitlines()
        words = [line.split(" ") for line in lines]
        staged = sorted((float(one[2]), Version(one[1])) for one in words if one[0] == "release" and len(one) == 3)
        kept = {Version(one[1]) for one in words if one[0] == "kept" and one[1]} | set(protect)
        gone = prunable([version for _, version in staged], kept, way_of(service).keep)
        for version in gone:
            self._asker.call(where, "dg_remove", {"version": folder_name(version, "a version")}, ASK)
        return gone

    def _per_host(
        self,
        service: Service,
        wanted: Sequence[Start],
        work: Callable[[Place, Sequence[Start]], tuple[Trouble, ...]],
    ) -> tuple[Trouble, ...]:
        """Do something on each host for the instances there, and return the troubles in their order."""
        hosts: dict[Place, list[Start]] = {}
        troubles: list[Trouble] = []
        for start in wanted:
            try:
                where = place(service, named(service, start.instance), self._folder)
                hosts.setdefault(where, []).append(start)
            except HostError as error:
                troubles.append(Trouble(start.instance, plain(str(error), 300)))
        for more in each(hosts.items(), lambda one: work(*one)):
            troubles += more
        order = {start.instance: number for number, start in enumerate(wanted)}
        return tuple(sorted(troubles, key=lambda one: order[one.instance]))

    def _per_version(
        self, service: Service, starts: Sequence[Start], work: Callable[[Start], None]
    ) -> tuple[Trouble, ...]:
        """Do something once for each version, and return its trouble for each instance."""
        why = {}
        for start in starts:
            if start.version not in why:
                why[start.version] = self._hindered(partial(work, start))
        return tuple(
            Trouble(one.instance, self._masked(service, plain(f"{service.name} {why[one.version]}", 300)))
            for one in starts
            if why[one.version]
        )

    def _hindered(self, work: Callable[[], None]) -> str:
        """Do something, and say why that was not possible, or nothing."""
        try:
            work()
        except (HostError, OSError) as error:  # an UnreachableError is an OSError
            return plain(str(error), 300)
        return ""

    def _masked(self, service: Service, text: str) -> str:
        """Return a text without the secrets that a service may have printed."""
        return masked(text, way_of(service).secrets, self._environ)
