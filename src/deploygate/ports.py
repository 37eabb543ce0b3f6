"""What the gate needs of the world, in its own words; adapters implement these, and none knows another."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Protocol, runtime_checkable

import msgspec

from deploygate.endings import Ending, Goal
from deploygate.events import Action, Change, Event, Start, Trouble
from deploygate.inventory import Instance, Service
from deploygate.names import InstanceName, RunId, ServiceName, Version
from deploygate.past import Run
from deploygate.plan import Plan
from deploygate.probe import Sighting


class Process(msgspec.Struct, frozen=True):
    """What a host knows of an instance's process; None where it can't tell.

    `release` is the version that was started last, also when its process is gone; `identity` names the
    process itself; `says` is how it ended, and the last lines of its log.
    """

    alive: bool | None = None
    release: Version | None = None
    identity: str | None = None
    says: str = ""


class Lease(msgspec.Struct, frozen=True):
    """Who holds the hosts of a service, as it is written on each of them; `lasts` is in seconds, from now.

    No word in it has a space. `process` is the gate's own, on `gate`, the machine that it runs on. A lease that was
    `taken` is held no more: whoever claimed the host has it now.
    """

    run: RunId
    rank: Goal
    gate: str
    process: str
    since: str
    lasts: float = 0.0
    taken: bool = False


class Clock(Protocol):
    """Time as a value, and waiting that can be cut short."""

    def now(self) -> float:
        """Return seconds since the epoch, never going backwards within a run."""

    def wait_until(self, when: float) -> None:
        """Return at `when` seconds, or at once when the run was asked to stop."""

    def stopped(self) -> str:
        """Say by what the run was asked to stop, or nothing."""


class Prober(Protocol):
    """Asks instances, each at its own address."""

    def look(
        self, service: Service, instances: Sequence[Instance], *, in_passing: bool = False
    ) -> tuple[Sighting, ...]:
        """Return one fresh sighting of each instance, asked at the same time, each within a bounded time.

        With `in_passing` nothing is going to be proven by it: where a service answers well, its word is enough.
        """


class Hosts(Protocol):
    """Where releases are installed and processes run."""

    def claim(
        self, service: Service, instances: Sequence[InstanceName], lease: Lease, over: Sequence[RunId]
    ) -> tuple[Lease, ...]:
        """Write the lease on every host that can be reached, over those of runs that are over; return who else holds.

        A rollback outranks a deploy: whose lease it has taken is returned as well, as `taken`. A host that can't be
        reached is no holder: what is asked of it next will fail.
        """

    def leave(self, service: Service, instances: Sequence[InstanceName], run: RunId) -> None:
        """Take the lease of a run off the hosts, where it is still this run's."""

    def lost(self, service: Service, instances: Sequence[InstanceName], run: RunId) -> str:
        """Name another run that has one of these hosts now, which this run had claimed; nothing where all is well."""

    def stage(self, service: Service, releases: Sequence[Start]) -> tuple[Trouble, ...]:
        """Install each release beside the others; say where that failed."""

    def prove(self, service: Service, releases: Sequence[Start], *, unchanged: bool) -> tuple[Trouble, ...]:
        """Say which of these releases could not be started; with `unchanged`, also which are not as staged."""

    def switch(self, service: Service, changes: Sequence[Change], run: RunId) -> tuple[Trouble, ...]:
        """Kill and start, for all changes at once; say where that failed.

        A run that has lost the lease of a host is refused there, and the trouble names who has it.
        """

    def process(self, service: Service, instance: Instance, *, answered: bool) -> Process:
        """Return what the host knows of the process of an instance.

        With `answered` the service's own word is enough, mostly since it names its process: a host that costs a new
        connection may say nothing, and what one said a while ago is good enough, where it agrees with the service.
        """

    def prune(
        self, service: Service, instances: Sequence[InstanceName], protect: Sequence[Version]
    ) -> tuple[Version, ...]:
        """Remove old releases, never a running nor a protected one; return those that are gone."""


class Locks(Protocol):
    """Who may change a service. A lock names its run and is stale exactly when that run is over."""

    def take(self, service: ServiceName, rank: Goal) -> tuple[str, str]:
        """Take the lock; return (the run it was taken over from, the living run that holds it), either empty."""

    def guard(self, service: ServiceName) -> AbstractContextManager[str]:
        """Keep the lock from being taken over during one change; give the run that has it instead, or nothing."""

    def release(self, service: ServiceName) -> None:
        """Let go of the lock, if this run still holds it."""

    def lease(self, rank: Goal, lasts: float) -> Lease:
        """Return what this run writes on the hosts that it claims, for so many seconds."""

    def over(self, service: ServiceName, lease: Lease) -> bool:
        """Tell whether the run of a lease is known to be over."""


class Balancer(Protocol):
    """What sends traffic to instances."""

    def drain(self, service: Service, instances: Sequence[Instance], patience: float) -> tuple[Trouble, ...]:
        """Take instances out and wait until their connections are gone, for `patience` seconds at the most.

        Trouble is only what could not be taken out; connections that stay are cut off, as the service's own
        stopping does.
        """

    def restore(self, service: Service, instances: Sequence[Instance]) -> tuple[Trouble, ...]:
        """Put instances back, and wait until they are in service, for a bounded time; say where that failed."""

    def in_service(self, service: Service, instances: Sequence[Instance]) -> Mapping[InstanceName, bool]:
        """Say of each instance whether it is sent traffic; those that can't be told are not in it."""


class Journal(Protocol):
    """What is written down before and after it is done."""

    def begin(self, plan: Plan, baseline: tuple[Sighting, ...]) -> None:
        """Write down what is going to be done."""

    def before(self, action: Action) -> None:
        """Write down that an action is about to be done."""

    def after(self, event: Event) -> None:
        """Write down what came of it."""

    def end(self, ending: Ending, cause: str, *, bad: bool, debts: tuple[InstanceName, ...]) -> None:
        """Write down how the run ended."""

    def past(self, service: ServiceName) -> tuple[Run, ...]:
        """Return the earlier runs of a service, oldest first."""


class Forge(Protocol):
    """Where people look: statuses, a comment, a summary; and where rollbacks are raised."""

    def status(self, context: str, state: str, says: str) -> None:
        """Show a state (pending, success, failure, error) with one line."""

    def comment(self, key: str, markdown: str) -> None:
        """Show a comment, in place of the earlier one with this key."""

    def summary(self, markdown: str) -> None:
        """Show the summary of this run."""

    def raise_rollback(self, service: ServiceName, of_run: RunId, budget: float) -> tuple[RunId, Ending | None, str]:
        """Start the rollback of a run and follow it to its end; return its id, its ending if known, and a line."""


@runtime_checkable
class Telling(Balancer, Protocol):
    """A balancer that can tell what a gate takes out from what somebody else does; others need not have this."""

    def drained(self, service: Service, instances: Sequence[Instance]) -> frozenset[InstanceName]:
        """Return those that are out in the way of `drain`, whichever run it was, and in nobody's maintenance."""
