"""Balancers without any connection: one that keeps the contract, and others that break a single rule each."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from deploygate.events import Trouble
from deploygate.inventory import Instance, Service
from deploygate.names import InstanceName


@dataclass
class Right:
    """Who is out is a set's word; it keeps every rule."""

    out: set[InstanceName] = field(default_factory=set)

    def drain(self, service: Service, instances: Sequence[Instance], patience: float) -> tuple[Trouble, ...]:
        del patience
        self.out |= _known(service, instances)
        return _strangers(service, instances)

    def restore(self, service: Service, instances: Sequence[Instance]) -> tuple[Trouble, ...]:
        self.out -= _known(service, instances)
        return _strangers(service, instances)

    def in_service(self, service: Service, instances: Sequence[Instance]) -> Mapping[InstanceName, bool]:
        known = _known(service, instances)
        return {one.name: one.name not in self.out for one in instances if one.name in known}

    def drained(self, service: Service, instances: Sequence[Instance]) -> frozenset[InstanceName]:
        return frozenset(self.out & _known(service, instances))


class TellsOfNobody(Right):
    def drained(self, service: Service, instances: Sequence[Instance]) -> frozenset[InstanceName]:
        del service, instances
        return frozenset()


class TellsOfAll(Right):
    def drained(self, service: Service, instances: Sequence[Instance]) -> frozenset[InstanceName]:
        return frozenset(_known(service, instances))


class NeverDrains(Right):
    def drain(self, service: Service, instances: Sequence[Instance], patience: float) -> tuple[Trouble, ...]:
        del patience
        return _strangers(service, instances)


class DrainsAll(Right):
    def drain(self, service: Service, instances: Sequence[Instance], patience: float) -> tuple[Trouble, ...]:
        super().drain(service, service.instances if instances else (), patience)
        return _strangers(service, instances)


class DrainsOne(Right):
    def drain(self, service: Service, instances: Sequence[Instance], patience: float) -> tuple[Trouble, ...]:
        super().drain(service, instances[-1:], patience)
        return _strangers(service, instances)


class NeverRestores(Right):
    """It restores what it has not drained."""

    def restore(self, service: Service, instances: Sequence[Instance]) -> tuple[Trouble, ...]:
        return _strangers(service, instances)


class RestoresAll(Right):
    def restore(self, service: Service, instances: Sequence[Instance]) -> tuple[Trouble, ...]:
        super().restore(service, service.instances if instances else ())
        return _strangers(service, instances)


class DrainsOnlyOnce(Right):
    def drain(self, service: Service, instances: Sequence[Instance], patience: float) -> tuple[Trouble, ...]:
        again = [Trouble(one.name, "it is out already") for one in instances if one.name in self.out]
        return (*super().drain(service, instances, patience), *again)


class HasAllThePatience(Right):
    """It waits for connections until they are gone, however long that takes (here: longer than the fuse)."""

    def drain(self, service: Service, instances: Sequence[Instance], patience: float) -> tuple[Trouble, ...]:
        time.sleep(3.0 if patience == 0.5 and instances else 0.0)
        return super().drain(service, instances, patience)


class PassesOverStrangers(Right):
    def drain(self, service: Service, instances: Sequence[Instance], patience: float) -> tuple[Trouble, ...]:
        super().drain(service, instances, patience)
        return ()


class RaisesForStrangers(Right):
    def drain(self, service: Service, instances: Sequence[Instance], patience: float) -> tuple[Trouble, ...]:
        if _strangers(service, instances):
            raise KeyError(instances[0].name)
        return super().drain(service, instances, patience)


class KnowsStrangers(Right):
    def in_service(self, service: Service, instances: Sequence[Instance]) -> Mapping[InstanceName, bool]:
        del service
        return {one.name: one.name not in self.out for one in instances}


def _known(service: Service, instances: Sequence[Instance]) -> set[InstanceName]:
    return {one.name for one in service.instances} & {one.name for one in instances}


def _strangers(service: Service, instances: Sequence[Instance]) -> tuple[Trouble, ...]:
    known = _known(service, instances)
    return tuple(Trouble(one.name, "no such server") for one in instances if one.name not in known)
