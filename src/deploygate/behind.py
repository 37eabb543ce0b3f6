"""Who stands behind a service's balancer, and who is out of it, by whose doing."""

from collections.abc import Container
from typing import TypedDict

from deploygate.inventory import Service
from deploygate.names import InstanceName
from deploygate.probe import Health
from deploygate.wish import Known


class Traffic(TypedDict):
    """What a plan says of the balancer."""

    balanced: tuple[InstanceName, ...]
    drain: float
    back_in: float
    out: tuple[InstanceName, ...]
    apart: tuple[InstanceName, ...]


def left_out(service: Service, known: Known) -> tuple[InstanceName, ...]:
    """Return those that an earlier run took out of the balancer and that were not put back, as far as can be told."""
    ours = known.past.drained() | known.drained
    return tuple(one.name for one in service.behind if one.name in ours and known.seen[one.name].in_service is not True)


def apart(service: Service, known: Known) -> tuple[InstanceName, ...]:
    """Return those that somebody else has taken out of the balancer: healthy, and sent no traffic."""
    ours = known.past.drained() | known.drained
    return tuple(
        one.name
        for one in service.behind
        if one.name not in ours
        and known.seen[one.name].in_service is False
        and known.seen[one.name].health is Health.HEALTHY
    )


def patience(service: Service) -> float:
    """Return the seconds that the connections of an instance may take to go."""
    return service.balancer.drain if service.balancer else 0.0


def back_in(service: Service) -> float:
    """Return the seconds that one order to put instances back may take."""
    return service.balancer.back_in if service.balancer else 0.0


def traffic(service: Service, known: Known, names: Container[InstanceName]) -> Traffic:
    """Return what a plan for these instances says of the balancer."""
    behind = tuple(one.name for one in service.behind if one.name in names)
    return Traffic(
        balanced=behind,
        drain=patience(service),
        back_in=back_in(service),
        out=tuple(name for name in left_out(service, known) if name in names),
        apart=tuple(name for name in apart(service, known) if name in names),
    )
