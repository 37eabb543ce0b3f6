"""The balancers by their kind: the one place that knows which stands before a service."""

from collections.abc import Callable, Mapping, Sequence

from deploygate.events import Trouble
from deploygate.inventory import Instance, Service
from deploygate.names import InstanceName
from deploygate.ports import Balancer

Pick = Callable[[Service], Balancer]


class Balancers:
    """A `Balancer` for services with different ones, and with none; `pick` finds that of a service which has one."""

    def __init__(self, pick: Pick) -> None:
        self._pick = pick

    def drain(self, service: Service, instances: Sequence[Instance], patience: float) -> tuple[Trouble, ...]:
        """Take out those that the service's balancer sends traffic to."""
        behind = _behind(service, instances)
        return self._pick(service).drain(service, behind, patience) if behind else ()

    def restore(self, service: Service, instances: Sequence[Instance]) -> tuple[Trouble, ...]:
        """Put back those that the service's balancer sends traffic to."""
        behind = _behind(service, instances)
        return self._pick(service).restore(service, behind) if behind else ()

    def in_service(self, service: Service, instances: Sequence[Instance]) -> Mapping[InstanceName, bool]:
        """Say who is sent traffic, of those behind the service's balancer."""
        behind = _behind(service, instances)
        return self._pick(service).in_service(service, behind) if behind else {}


def _behind(service: Service, instances: Sequence[Instance]) -> list[Instance]:
    if service.balancer is None:
        return []
    return [one for one in instances if one.environment in service.balancer.environments]
