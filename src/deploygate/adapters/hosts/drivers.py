"""The drivers by the way in which a service is deployed: the one place that knows which is whose."""

from collections.abc import Callable, Sequence

from deploygate.events import Change, Start, Trouble
from deploygate.inventory import Instance, Service
from deploygate.names import InstanceName, RunId, Version
from deploygate.ports import Hosts, Lease, Process

Pick = Callable[[Service], Hosts]


class Drivers:
    """`Hosts` for services that are deployed in different ways; `pick` finds the driver of a service."""

    def __init__(self, pick: Pick) -> None:
        self._pick = pick

    def claim(
        self, service: Service, instances: Sequence[InstanceName], lease: Lease, over: Sequence[RunId]
    ) -> tuple[Lease, ...]:
        """Claim the hosts of a service."""
        return self._pick(service).claim(service, instances, lease, over)

    def leave(self, service: Service, instances: Sequence[InstanceName], run: RunId) -> None:
        """Let go of the hosts of a service."""
        self._pick(service).leave(service, instances, run)

    def lost(self, service: Service, instances: Sequence[InstanceName], run: RunId) -> str:
        """Name another run that has hosts of a service now."""
        return self._pick(service).lost(service, instances, run)

    def stage(self, service: Service, releases: Sequence[Start]) -> tuple[Trouble, ...]:
        """Install releases."""
        return self._pick(service).stage(service, releases)

    def prove(self, service: Service, releases: Sequence[Start], *, unchanged: bool) -> tuple[Trouble, ...]:
        """Show that releases could be started."""
        return self._pick(service).prove(service, releases, unchanged=unchanged)

    def switch(self, service: Service, changes: Sequence[Change], run: RunId) -> tuple[Trouble, ...]:
        """Kill and start."""
        return self._pick(service).switch(service, changes, run)

    def process(self, service: Service, instance: Instance, *, answered: bool) -> Process:
        """Return what the host knows of a process."""
        return self._pick(service).process(service, instance, answered=answered)

    def prune(
        self, service: Service, instances: Sequence[InstanceName], protect: Sequence[Version]
    ) -> tuple[Version, ...]:
        """Remove old releases."""
        return self._pick(service).prune(service, instances, protect)
