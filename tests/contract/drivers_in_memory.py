"""Drivers without any process: one that keeps the contract, and others that break a single rule each."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field

from deploygate.endings import Goal
from deploygate.events import Change, Start, Trouble
from deploygate.inventory import Instance, Service
from deploygate.names import InstanceName, RunId, Version
from deploygate.ports import Lease, Process

KNOWN = {Version("1.0"), Version("2.0")}
_COUNTER = itertools.count(1)


@dataclass
class Right:
    """What runs is a dictionary's word; it keeps every rule, that of leases too. `world` is what really runs."""

    world: dict[InstanceName, Version] = field(default_factory=dict)
    running: dict[InstanceName, Process] = field(default_factory=dict)
    staged: set[Version] = field(default_factory=set)
    lease: Lease | None = None

    def claim(
        self, service: Service, instances: Sequence[InstanceName], lease: Lease, over: Sequence[RunId]
    ) -> tuple[Lease, ...]:
        del service, instances
        held = self.lease
        free = held is None or held.run == lease.run or held.run in over
        if held is not None and not free and not (lease.rank is Goal.ROLLBACK and held.rank is Goal.DEPLOY):
            return (held,)
        self.lease = lease
        return ()

    def leave(self, service: Service, instances: Sequence[InstanceName], run: RunId) -> None:
        del service, instances
        if self.lease is not None and self.lease.run == run:
            self.lease = None

    def lost(self, service: Service, instances: Sequence[InstanceName], run: RunId) -> str:
        del service, instances
        if self.lease is None:
            return "another run"
        return "" if self.lease.run == run else self.lease.run

    def stage(self, service: Service, releases: Sequence[Start]) -> tuple[Trouble, ...]:
        del service
        self.staged |= {start.version for start in releases} & KNOWN
        return self._unknown(releases)

    def prove(self, service: Service, releases: Sequence[Start], *, unchanged: bool) -> tuple[Trouble, ...]:
        del service, unchanged
        return self._unknown(releases)

    def switch(self, service: Service, changes: Sequence[Change], run: RunId) -> tuple[Trouble, ...]:
        if by := Right.lost(self, service, (), run):
            return tuple(Trouble(change.instance, "this run has no lease", by) for change in changes)
        names = {one.name for one in service.instances}
        troubles = []
        for change in changes:
            if change.instance not in names or (change.start and change.start not in self.staged):
                troubles.append(Trouble(change.instance, "it can't be started"))
            else:
                self.change(change)
        return tuple(troubles)

    def change(self, change: Change) -> None:
        now = self.process_of(change.instance)
        if change.keep and now.alive and now.release == change.start:
            return
        self.world.pop(change.instance, None)
        if change.start:
            self.world[change.instance] = change.start
        self.running[change.instance] = (
            Process(alive=True, release=change.start, identity=str(next(_COUNTER)))
            if change.start
            else Process(alive=False)
        )

    def process(self, service: Service, instance: Instance, *, answered: bool) -> Process:
        del service, answered
        return self.process_of(instance.name)

    def process_of(self, name: InstanceName) -> Process:
        return self.running.get(name, Process(alive=False))

    def prune(
        self, service: Service, instances: Sequence[InstanceName], protect: Sequence[Version]
    ) -> tuple[Version, ...]:
        if not instances:
            return ()
        kept = {*protect, *(one.release for one in self.running.values() if one.release)}
        gone = sorted(self.staged - kept)[: max(0, len(self.staged) - service.deploy.keep)]
        self.staged -= set(gone)
        return tuple(gone)

    def _unknown(self, releases: Sequence[Start]) -> tuple[Trouble, ...]:
        return tuple(Trouble(one.instance, "there is none") for one in releases if one.version not in self.staged)


class IgnoresKeep(Right):
    def change(self, change: Change) -> None:
        super().change(Change(change.instance, change.stop, change.start))


class KeepsAnything(Right):
    """It leaves alone whatever lives, also at another release."""

    def change(self, change: Change) -> None:
        if not (change.keep and self.process_of(change.instance).alive):
            super().change(change)


class SaysAliveWithoutStarting(Right):
    def change(self, change: Change) -> None:
        super().change(change)
        self.world.clear()


class SaysDeadWithoutStopping(Right):
    def change(self, change: Change) -> None:
        before = self.world.copy()
        super().change(change)
        if change.start is None:
            self.world = before


class StartsWhatIsNotThere(Right):
    """It says of a release that there is not that it runs."""

    def switch(self, service: Service, changes: Sequence[Change], run: RunId) -> tuple[Trouble, ...]:
        self.staged |= {change.start for change in changes if change.start}
        return super().switch(service, changes, run)


class NeverSwitches(Right):
    """It starts what does not run, and leaves the old release where one does."""

    def change(self, change: Change) -> None:
        if not (change.start and self.process_of(change.instance).alive):
            super().change(change)


class NamesNoProcess(Right):
    def process_of(self, name: InstanceName) -> Process:
        now = super().process_of(name)
        return Process(alive=now.alive, release=now.release, identity="main" if now.alive else None)


class ChangesItsMind(Right):
    """Another identity at every look."""

    def process(self, service: Service, instance: Instance, *, answered: bool) -> Process:
        now = super().process(service, instance, answered=answered)
        return Process(alive=now.alive, release=now.release, identity=str(next(_COUNTER)) if now.alive else None)


class ProvesAnything(Right):
    def prove(self, service: Service, releases: Sequence[Start], *, unchanged: bool) -> tuple[Trouble, ...]:
        del service, releases, unchanged
        return ()


class ProvesNothing(Right):
    def prove(self, service: Service, releases: Sequence[Start], *, unchanged: bool) -> tuple[Trouble, ...]:
        del service, unchanged
        return tuple(Trouble(one.instance, "who knows") for one in releases)


class RestartsWhenStaging(Right):
    def stage(self, service: Service, releases: Sequence[Start]) -> tuple[Trouble, ...]:
        for name, now in self.running.items():
            self.change(Change(name, None, now.release))
        return super().stage(service, releases)


class StopsAtTheFirstTrouble(Right):
    def switch(self, service: Service, changes: Sequence[Change], run: RunId) -> tuple[Trouble, ...]:
        for change in changes:
            if troubles := super().switch(service, [change], run):
                return troubles
        return ()


class Raises(Right):
    """What can't be started is an exception instead of a trouble."""

    def switch(self, service: Service, changes: Sequence[Change], run: RunId) -> tuple[Trouble, ...]:
        troubles = super().switch(service, changes, run)
        if troubles and self.lease is not None and self.lease.run == run:
            raise RuntimeError(troubles[0].says)
        return troubles


class NeverStops(Right):
    def change(self, change: Change) -> None:
        if change.start:
            super().change(change)


class ChangesOnlyTheFirst(Right):
    def switch(self, service: Service, changes: Sequence[Change], run: RunId) -> tuple[Trouble, ...]:
        return super().switch(service, changes[:1], run)


class RemovesWhatRuns(Right):
    def prune(
        self, service: Service, instances: Sequence[InstanceName], protect: Sequence[Version]
    ) -> tuple[Version, ...]:
        del service
        gone = self.staged - set(protect) if instances else set()
        self.staged -= gone
        return tuple(gone)


class RemovesWhatIsProtected(Right):
    def prune(
        self, service: Service, instances: Sequence[InstanceName], protect: Sequence[Version]
    ) -> tuple[Version, ...]:
        return super().prune(service, instances, protect[:0])


class MissesNothing(Right):
    """It never notices that a process is gone."""


class ActsOnStrangers(Right):
    def switch(self, service: Service, changes: Sequence[Change], run: RunId) -> tuple[Trouble, ...]:
        names = {one.name for one in service.instances}
        return super().switch(service, [change for change in changes if change.instance in names], run)


class LetsAnyoneIn(Right):
    """It gives the lease to whoever asks."""

    def claim(
        self, service: Service, instances: Sequence[InstanceName], lease: Lease, over: Sequence[RunId]
    ) -> tuple[Lease, ...]:
        self.lease = None
        return super().claim(service, instances, lease, over)


class HoldsBackARollback(Right):
    def claim(
        self, service: Service, instances: Sequence[InstanceName], lease: Lease, over: Sequence[RunId]
    ) -> tuple[Lease, ...]:
        if self.lease is not None and self.lease.run != lease.run and self.lease.run not in over:
            return (self.lease,)
        return super().claim(service, instances, lease, over)


class ForgetsToAskForTheLease(Right):
    def switch(self, service: Service, changes: Sequence[Change], run: RunId) -> tuple[Trouble, ...]:
        return super().switch(service, changes, run if self.lease is None else self.lease.run)


class KnowsNoOtherRun(Right):
    def lost(self, service: Service, instances: Sequence[InstanceName], run: RunId) -> str:
        del service, instances, run
        return ""


class LeavesForOthers(Right):
    def leave(self, service: Service, instances: Sequence[InstanceName], run: RunId) -> None:
        del service, instances, run
        self.lease = None
