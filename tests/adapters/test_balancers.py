"""A service's balancer is asked for all its instances at once, and not again for each of many quick looks."""

from collections.abc import Mapping, Sequence

from made import service

from deploygate.adapters.balancers import Balancers
from deploygate.events import Trouble
from deploygate.inventory import Instance, Service
from deploygate.names import InstanceName
from deploygate.ways import Balancing, Plugin


class Counting:
    """A balancer that counts how often it is asked, and forgets nothing."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, ...]] = []
        self.out: set[str] = set()

    def drain(self, _service: Service, instances: Sequence[Instance], _patience: float) -> tuple[Trouble, ...]:
        self.out |= {one.name for one in instances}
        return ()

    def restore(self, _service: Service, instances: Sequence[Instance]) -> tuple[Trouble, ...]:
        self.out -= {one.name for one in instances}
        return ()

    def in_service(self, _service: Service, instances: Sequence[Instance]) -> Mapping[InstanceName, bool]:
        self.asked.append(tuple(one.name for one in instances))
        return {one.name: one.name not in self.out for one in instances if one.name != "i3"}


SERVICE = service(balancer=Balancing(Plugin("counting")))
ALL = SERVICE.instances
NOW = [100.0]


def test_looks_within_a_moment_ask_once_and_for_all_of_them() -> None:
    counting = Counting()
    balancers = Balancers(lambda _service: counting, lambda: NOW[0])
    assert balancers.in_service(SERVICE, ALL[1:2]) == {"i1": True}
    NOW[0] += 0.2
    assert balancers.in_service(SERVICE, ALL) == {"i1": True, "i2": True}
    assert counting.asked == [("i1", "i2", "i3")]
    NOW[0] += 0.2
    balancers.in_service(SERVICE, ALL)
    assert len(counting.asked) == 2


def test_what_was_changed_is_asked_for_again_at_once() -> None:
    counting = Counting()
    balancers = Balancers(lambda _service: counting, lambda: NOW[0])
    assert balancers.in_service(SERVICE, ALL[1:2]) == {"i1": True}
    balancers.drain(SERVICE, ALL[1:2], 1.0)
    assert balancers.in_service(SERVICE, ALL[1:2]) == {"i1": False}
    balancers.restore(SERVICE, ALL[1:2])
    assert balancers.in_service(SERVICE, ALL[1:2]) == {"i1": True}


def test_what_stands_before_no_balancer_is_not_asked_about() -> None:
    counting = Counting()
    balancers = Balancers(lambda _service: counting, lambda: NOW[0])
    assert balancers.in_service(SERVICE, ALL[:1]) == {}
    assert balancers.drain(SERVICE, ALL[:1], 1.0) == ()
    assert (counting.asked, counting.out) == ([], set())
