"""The balancers by their kind: the one place that knows which stands before a service."""

import time
from collections.abc import Callable, Mapping, Sequence

from deploygate.events import Trouble
from deploygate.inventory import Instance, Service
from deploygate.names import InstanceName, ServiceName
from deploygate.ports import Balancer

Pick = Callable[[Service], Balancer]

_MOMENT = 0.25  # seconds for which an answer counts, unless something is changed: half of what the floor allows


class Balancers:
    """A `Balancer` for services with different ones, and with none; `pick` finds that of a service which has one."""

    def __init__(self, pick: Pick, now: Callable[[], float] = time.monotonic) -> None:
        self._pick = pick
        self._now = now
        self._known: dict[ServiceName, tuple[float, Mapping[InstanceName, bool]]] = {}

    def drain(self, service: Service, instances: Sequence[Instance], patience: float) -> tuple[Trouble, ...]:
        """Take out those that the service's balancer sends traffic to."""
        self._known.pop(service.name, None)
        behind = [one for one in instances if service.balances(one)]
        return self._pick(service).drain(service, behind, patience) if behind else ()

    def restore(self, service: Service, instances: Sequence[Instance]) -> tuple[Trouble, ...]:
        """Put back those that the service's balancer sends traffic to."""
        self._known.pop(service.name, None)
        behind = [one for one in instances if service.balances(one)]
        return self._pick(service).restore(service, behind) if behind else ()

    def in_service(self, service: Service, instances: Sequence[Instance]) -> Mapping[InstanceName, bool]:
        """Say who is sent traffic, of those behind the service's balancer; as it was a moment ago at the oldest.

        Looks follow each other within milliseconds, and a program of the user's own is not started for each.
        """
        behind = [one for one in instances if service.balances(one)]
        told = self._told(service) if behind else {}
        return {one.name: told[one.name] for one in behind if one.name in told}

    def _told(self, service: Service) -> Mapping[InstanceName, bool]:
        known = self._known.get(service.name)
        if known is None or self._now() >= known[0] + _MOMENT:
            told = self._pick(service).in_service(service, service.behind)
            known = self._known[service.name] = (self._now(), told)
        return known[1]
