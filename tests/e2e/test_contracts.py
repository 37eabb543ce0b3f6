"""Our own drivers on real hosts, and our own balancers before real instances, keep the contract that plug-ins keep."""

import os
import signal
import sys
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from urllib.request import urlopen

import pytest
from contract.real_service import answered

from deploygate.adapters.balancers.haproxy import HAProxies
from deploygate.adapters.balancers.nginx import NginxServers
from deploygate.adapters.balancers.programs import OwnPrograms
from deploygate.adapters.hosts.remote import RemoteKillStart
from deploygate.adapters.shells import Shells, SshInputs
from deploygate.contract import BalancerContract, LeasesContract
from deploygate.events import Change, Start, Trouble
from deploygate.inventory import Instance, Service
from deploygate.names import InstanceName, RunId, Version
from deploygate.ports import Balancer, Hosts, Lease, Process
from deploygate.ways import Argv, BalancerPrograms, Balancing, HAProxy, Nginx

from .balancing import FUSE, NO_HAPROXY, NO_NGINX, Backend, HAProxyServer, NginxServer, behind, held, until
from .ssh_fleet import SshFleet, needs_hosts

SUPERVISOR = Path(__file__).parent / "supervise.sh"

Starts = Sequence[Start]
Changes = Sequence[Change]
Names = Sequence[InstanceName]


class OneDriverARun:
    """A driver for each run, as each gate has one of its own; what is asked for no run, any may answer."""

    def __init__(self, fleet: SshFleet) -> None:
        self._fleet = fleet
        self._drivers: dict[RunId, RemoteKillStart] = {}

    def claim(self, service: Service, instances: Names, lease: Lease, over: Sequence[RunId]) -> tuple[Lease, ...]:
        return self._of(lease.run).claim(service, instances, lease, over)

    def leave(self, service: Service, instances: Names, run: RunId) -> None:
        self._of(run).leave(service, instances, run)

    def lost(self, service: Service, instances: Names, run: RunId) -> str:
        return self._of(run).lost(service, instances, run)

    def switch(self, service: Service, changes: Changes, run: RunId) -> tuple[Trouble, ...]:
        return self._of(run).switch(service, changes, run)

    def stage(self, service: Service, releases: Starts) -> tuple[Trouble, ...]:
        return self._fleet.driver.stage(service, releases)

    def prove(self, service: Service, releases: Starts, *, unchanged: bool) -> tuple[Trouble, ...]:
        return self._fleet.driver.prove(service, releases, unchanged=unchanged)

    def process(self, service: Service, instance: Instance, *, answered: bool) -> Process:
        return self._fleet.driver.process(service, instance, answered=answered)

    def prune(self, service: Service, instances: Names, protect: Sequence[Version]) -> tuple[Version, ...]:
        return self._fleet.driver.prune(service, instances, protect)

    def _of(self, run: RunId) -> RemoteKillStart:
        return self._drivers.setdefault(run, RemoteKillStart(self._fleet.shells, self._fleet.folder, {}))


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SshFleet]:
    """Three hosts, each with a disk of its own."""
    made = SshFleet(tmp_path_factory.mktemp("hosts"), 3)
    yield made
    made.down()


@pytest.fixture(scope="module")
def supervised(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SshFleet]:
    """Two hosts, whose supervisor starts, stops and brings back what dies."""
    made = SshFleet(tmp_path_factory.mktemp("supervised"), 2)
    made.deployed(**{verb: Argv((str(SUPERVISOR), verb, "{version}")) for verb in ("start", "stop", "pid")})
    yield made
    made.down()


@needs_hosts
class TestKillStartOverSsh(LeasesContract):
    """Over a real ssh; each test finds the releases that the ones before have staged, and nothing that runs."""

    @pytest.fixture
    def fleet(self, plain: SshFleet) -> SshFleet:
        return plain

    @pytest.fixture
    def hosts(self, fleet: SshFleet) -> Hosts:
        return OneDriverARun(fleet)

    @pytest.fixture
    def service(self, fleet: SshFleet) -> Service:
        return fleet.service

    @pytest.fixture
    def seen(self) -> Callable[[Instance], str | None]:
        return answered

    @pytest.fixture
    def lose(self, fleet: SshFleet) -> Callable[[Instance], None]:
        return lambda one: os.killpg(pid_of(fleet, one), signal.SIGKILL)


class TestSupervisedOverSsh(TestKillStartOverSsh):
    """The same through the commands of a supervisor."""

    @pytest.fixture
    def fleet(self, supervised: SshFleet) -> SshFleet:
        return supervised

    @pytest.fixture
    def lose(self, fleet: SshFleet) -> Callable[[Instance], None]:
        def lost(one: Instance) -> None:
            for unit in fleet.disk(fleet.names.index(one.name)).glob("unit-*.on"):
                unit.unlink()  # or it would be there again
            os.kill(pid_of(fleet, one), signal.SIGKILL)

        return lost


def pid_of(fleet: SshFleet, one: Instance) -> int:
    return int(str(fleet.driver.process(fleet.service, one, answered=False).identity).split(":")[1])


NAMES = ("adcaster-1", "adcaster-2", "adcaster-3")


@pytest.fixture(scope="module")
def running() -> Iterator[Mapping[str, Backend]]:
    with Backend(NAMES[0]) as first, Backend(NAMES[1]) as second, Backend(NAMES[2]) as third:
        yield {one.name: one for one in (first, second, third)}


@pytest.fixture
def backends(running: Mapping[str, Backend]) -> Mapping[str, Backend]:
    return {name: one.as_new() for name, one in running.items()}


@pytest.fixture
def ports(backends: Mapping[str, Backend]) -> dict[str, int]:
    return {name: one.port for name, one in backends.items()}


class BeforeRealInstances(BalancerContract):
    """Who is served is found out by asking, and a connection is a request that is not answered yet."""

    fuse = 20.0

    @pytest.fixture
    def served(self, server: HAProxyServer | NginxServer) -> Callable[[], Collection[InstanceName]]:
        def asked() -> set[InstanceName]:
            said = set()
            for _ in range(4 * len(NAMES)):
                with urlopen(server.url, timeout=FUSE) as answer:
                    said.add(InstanceName(answer.read().decode()))
            return said

        return asked

    @pytest.fixture
    def busy(
        self, server: HAProxyServer | NginxServer, backends: Mapping[str, Backend]
    ) -> Callable[[Instance], AbstractContextManager[object]]:
        @contextmanager
        def holding(one: Instance) -> Iterator[None]:
            asking = [held(server.url) for _ in range(4 * len(NAMES))]
            try:
                until(lambda: backends[one.name].begun, "a request to arrive")
                yield
                assert [said for _, said in asking if not said], "the request was not held"
            finally:
                for backend in backends.values():
                    backend.let_go()
                for thread, _ in asking:
                    thread.join(FUSE)

        return holding


@pytest.mark.skipif(bool(NO_HAPROXY), reason=NO_HAPROXY)
class TestHAProxies(BeforeRealInstances):
    @pytest.fixture
    def server(self, ports: dict[str, int]) -> Iterator[HAProxyServer]:
        with HAProxyServer(ports) as one:
            yield one

    @pytest.fixture
    def way(self, server: HAProxyServer) -> HAProxy:
        return HAProxy((server.unix, server.tcp), "adcaster")

    @pytest.fixture
    def balancer(self, way: HAProxy) -> Balancer:
        return HAProxies(way)

    @pytest.fixture
    def service(self, way: HAProxy, ports: dict[str, int]) -> Service:
        return behind(Balancing(way), ports)


@pytest.mark.skipif(bool(NO_NGINX), reason=NO_NGINX)
class TestNginxServers(BeforeRealInstances):
    @pytest.fixture
    def server(self, ports: dict[str, int]) -> Iterator[NginxServer]:
        with NginxServer(ports) as one:
            yield one

    @pytest.fixture
    def way(self, server: NginxServer) -> Nginx:
        test, reload = Argv((*server.words, "-t")), Argv((*server.words, "-s", "reload"))
        return Nginx(str(server.file), "adcaster", test, reload, str(server.pid_file))

    @pytest.fixture
    def balancer(self, way: Nginx) -> Iterator[Balancer]:
        shells = Shells(SshInputs())
        yield NginxServers(way, shells)
        shells.close()

    @pytest.fixture
    def service(self, way: Nginx, ports: dict[str, int]) -> Service:
        return behind(Balancing(way), ports)


LB = """\
import json, os, socket, sys

def told(command):
    with socket.socket(socket.AF_UNIX) as api:
        api.connect(sys.argv[1])
        api.sendall(command.encode() + b"\\n")
        return b"".join(iter(lambda: api.recv(65536), b"")).decode()

if sys.argv[2] == "status":
    rows = [line.split() for line in told("show servers state adcaster").splitlines()[2:] if line.strip()]
    print(json.dumps({"schema": 1, "in_service": {row[3]: row[6] == "0" for row in rows}}))
else:
    state = {"out": "drain", "in": "ready"}[sys.argv[2]]
    sys.exit(told(f"set server adcaster/{os.environ['DEPLOYGATE_INSTANCE']} state {state}").strip() or None)
"""


@pytest.mark.skipif(bool(NO_HAPROXY), reason=NO_HAPROXY)
class TestOwnPrograms(BeforeRealInstances):
    """A user's own program, which tells a real balancer."""

    @pytest.fixture
    def server(self, ports: dict[str, int]) -> Iterator[HAProxyServer]:
        with HAProxyServer(ports) as one:
            yield one

    @pytest.fixture
    def way(self, server: HAProxyServer, tmp_path: Path) -> BalancerPrograms:
        (tmp_path / "lb.py").write_text(LB)
        words = (sys.executable, "-I", "-S", "lb.py", server.unix)
        return BalancerPrograms(Argv((*words, "out")), Argv((*words, "in")), Argv((*words, "status")))

    @pytest.fixture
    def balancer(self, way: BalancerPrograms, tmp_path: Path) -> Balancer:
        return OwnPrograms(way, tmp_path)

    @pytest.fixture
    def service(self, way: BalancerPrograms, ports: dict[str, int]) -> Service:
        return behind(Balancing(way), ports)
