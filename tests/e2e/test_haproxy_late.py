"""HAProxy whose checks pass late: what is back is waited for until the deadline, and then sent requests."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field

import pytest
from made import NEW, OLD
from small_world import SmallWorld

from deploygate.adapters.balancers.haproxy import HAProxies
from deploygate.adapters.balancers.runtime_api import servers
from deploygate.endings import Ending, Goal
from deploygate.events import Change, Trouble
from deploygate.inventory import Instance, Service
from deploygate.names import InstanceName, RunId
from deploygate.probe import Sighting
from deploygate.ways import Balancing, HAProxy
from e2e.balancing import NO_HAPROXY, Backend, HAProxyServer, behind, until

pytestmark = pytest.mark.skipif(bool(NO_HAPROXY), reason=NO_HAPROXY)
NAMES = ("adcaster-1", "adcaster-2")
ONE_ORDER = 0.1  # seconds that are waited after each; the checks need nine times that, as 15 s are more than 10 s


@dataclass(slots=True)
class Checked(SmallWorld):
    """Its time and its balancer are real, and HAProxy checks what it has switched."""

    way: HAProxy = field(default_factory=lambda: HAProxy((), "adcaster"))
    backends: Mapping[str, Backend] = field(default_factory=dict)
    late: list[InstanceName] = field(default_factory=list)

    def now(self) -> float:
        return time.time()

    def wait_until(self, when: float) -> None:
        time.sleep(max(0.0, when - time.time()))

    def look(
        self, service: Service, instances: Sequence[Instance], *, in_passing: bool = False
    ) -> tuple[Sighting, ...]:
        del in_passing
        self.time = time.time()
        return SmallWorld.look(self, service, instances)

    def switch(self, service: Service, changes: Sequence[Change], run: RunId) -> tuple[Trouble, ...]:
        for one in changes:
            self.backends[one.instance].kill()
            until(lambda name=one.instance: self.says(name) == "DOWN", "the check to fail")  # type: ignore[misc]
            self.backends[one.instance].start(f"{one.instance} {one.start}")
        return SmallWorld.switch(self, service, changes, run)

    def says(self, name: InstanceName) -> str:
        return servers(self.way.sockets[0], "adcaster")[name].status.split(" ")[0]

    def drain(self, service: Service, instances: Sequence[Instance], patience: float) -> tuple[Trouble, ...]:
        return HAProxies(self.way).drain(service, instances, patience)

    def restore(self, service: Service, instances: Sequence[Instance]) -> tuple[Trouble, ...]:
        troubles = HAProxies(self.way, up=ONE_ORDER).restore(service, instances)
        self.late += [one.instance for one in troubles]
        return troubles

    def in_service(self, service: Service, instances: Sequence[Instance]) -> Mapping[InstanceName, bool]:
        return HAProxies(self.way).in_service(service, instances)


@pytest.fixture
def world() -> Iterator[Checked]:
    with ExitStack() as opened:
        backends = {name: opened.enter_context(Backend(name)) for name in NAMES}
        ports = {name: one.port for name, one in backends.items()}
        checks = dict.fromkeys(NAMES, "check inter 300ms fall 1 rise 3")
        server = opened.enter_context(HAProxyServer(ports, checks))
        way = HAProxy((server.unix,), "adcaster")
        yield Checked(behind(Balancing(way), ports), NEW, way=way, backends=backends)


def test_a_rollback_waits_for_the_checks_of_what_is_back_and_is_no_failure(world: Checked) -> None:
    state = world.run(Goal.ROLLBACK, OLD)
    assert world.late  # one order was not enough
    assert (state.ending, {world.says(InstanceName(name)) for name in NAMES}) == (Ending.ROLLED_BACK, {"UP"})
