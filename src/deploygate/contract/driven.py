"""A driver at work for one run of the gate, in the words that the contract is written in."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from deploygate.endings import Goal
from deploygate.events import Change, Start, Trouble
from deploygate.inventory import Instance, Service
from deploygate.names import InstanceName, RunId, Version
from deploygate.ports import Hosts, Lease, Process

RUN = RunId("contract-1")
ANOTHER = RunId("contract-2")
STRANGER = InstanceName("no-such-instance")

Seen = Callable[[Instance], str | None]


@dataclass(frozen=True, slots=True)
class Driven:
    """A driver, the service that it deploys, and how many seconds it has for what it does in its own time.

    `seen` finds out which version an instance really runs, where there is a way.
    """

    hosts: Hosts
    service: Service
    patience: float
    seen: Seen | None = None
    run: RunId = RUN

    @property
    def names(self) -> tuple[InstanceName, ...]:
        """The instances of the service."""
        return tuple(one.name for one in self.service.instances)

    def instance(self, name: InstanceName) -> Instance:
        """Return an instance by its name."""
        return next(one for one in self.service.instances if one.name == name)

    def claim(
        self, run: RunId | None = None, rank: Goal = Goal.DEPLOY, over: Iterable[RunId] = ()
    ) -> tuple[Lease, ...]:
        """Claim all hosts, for this run or another; return who else holds them, and not who held them until now."""
        lease = Lease(run or self.run, rank, "gate.example", "4711-1700000000.00", "2024-01-01T12:00:00", 600.0)
        return tuple(one for one in self.hosts.claim(self.service, self.names, lease, tuple(over)) if not one.taken)

    def leave(self, run: RunId | None = None) -> None:
        """Let go of all hosts."""
        self.hosts.leave(self.service, self.names, run or self.run)

    def lost(self, run: RunId | None = None) -> str:
        """Return the name of another run that has hosts now."""
        return self.hosts.lost(self.service, self.names, run or self.run)

    def stage(self, *versions: Version) -> tuple[Trouble, ...]:
        """Stage releases on every instance."""
        return self.hosts.stage(self.service, self._starts(*versions))

    def prove(self, *versions: Version, unchanged: bool = True) -> tuple[Trouble, ...]:
        """Prove releases on every instance."""
        return self.hosts.prove(self.service, self._starts(*versions), unchanged=unchanged)

    def switch(
        self, start: Version | None, *names: InstanceName, keep: bool = False, run: RunId | None = None
    ) -> tuple[Trouble, ...]:
        """Change these instances, or all, from what runs there."""
        changes = tuple(Change(name, self.process(name).release, start, keep=keep) for name in names or self.names)
        return self.hosts.switch(self.service, changes, run or self.run)

    def process(self, name: InstanceName, *, answered: bool = False) -> Process:
        """Return what the driver knows of an instance's process."""
        return self.hosts.process(self.service, self.instance(name), answered=answered)

    def started(self, version: Version, *names: InstanceName) -> dict[InstanceName, str]:
        """Switch these instances, or all, to a version, and return the identities of their living processes."""
        assert self.switch(version, *names) == ()
        return {name: self.runs(version, name) for name in names or self.names}

    def runs(self, version: Version, name: InstanceName) -> str:
        """Wait until an instance's process lives at a version, and return its identity."""
        now = self.settled(name, alive=True)
        assert now.alive is True, f"{name} should live, and the driver says {now}"
        assert now.release == version, f"{name} was started at {version}, and the driver says {now}"
        assert now.identity, f"{name} runs, and the driver does not name its process: {now}"
        self.really(version, name)
        return now.identity

    def really(self, version: Version | None, *names: InstanceName) -> None:
        """Find out whether instances run this version, or nothing, without asking the driver."""
        ask, end = self.seen, time.monotonic() + self.patience
        if ask is None:
            return
        for name in names:
            while (seen := ask(self.instance(name))) != version and time.monotonic() < end:
                time.sleep(0.02)
            assert seen == version, f"{name} should run {version or 'nothing'}, and really runs {seen or 'nothing'}"

    def settled(self, name: InstanceName, *, alive: bool) -> Process:
        """Return what is known of a process as soon as it is what it should be, or when the patience is over."""
        end = time.monotonic() + self.patience
        while (now := self.process(name)).alive is not alive and time.monotonic() < end:
            time.sleep(0.02)
        return now

    def _starts(self, *versions: Version) -> tuple[Start, ...]:
        return tuple(Start(name, version) for version in versions for name in self.names)


def instances(troubles: Iterable[Trouble]) -> list[InstanceName]:
    """Return whom troubles are with, each once."""
    return sorted({trouble.instance for trouble in troubles})
