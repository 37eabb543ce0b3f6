"""The plug-in keeps deploygate's contract: `python -m pytest` in this folder, where both are installed."""

import os
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from deploygate_pidfile import balancer, driver

from deploygate.contract import BalancerContract, HostsContract
from deploygate.inventory import Instance, Owners, Service
from deploygate.names import PRODUCTION, InstanceName, ServiceName, Version
from deploygate.ports import Balancer, Hosts
from deploygate.ways import Plugin

RUN = f"""#!{sys.executable} -IS
import socket, sys
door = socket.create_server((sys.argv[1], int(sys.argv[2])))
while True:
    door.accept()[0].close()
"""


def three_instances() -> Service:
    """A service with three instances, each at a free port."""
    doors = [socket.create_server(("127.0.0.1", 0)) for _ in range(3)]
    ports = [door.getsockname()[1] for door in doors]
    for door in doors:
        door.close()
    return Service(
        name=ServiceName("Svc"),
        purpose="Answers.",
        owners=Owners("nathan", "cory", "obaid"),
        wanted=Version("1.0"),
        provides=frozenset(),
        consumes=frozenset(),
        releases={},
        deploy=Plugin("pidfile", {"root": "srv"}, grace=2.0),
        instances=tuple(
            Instance(InstanceName(f"s-{number}"), PRODUCTION, f"http://127.0.0.1:{port}")
            for number, port in enumerate(ports, start=1)
        ),
    )


class TestDriver(HostsContract):
    @pytest.fixture
    def hosts(self, tmp_path: Path) -> Hosts:
        for version in ("1.0", "2.0"):
            run = tmp_path / "srv" / version / "run"
            run.parent.mkdir(parents=True)
            run.write_text(RUN)
            run.chmod(0o755)
        return driver({"root": "srv"}, tmp_path)

    @pytest.fixture
    def service(self) -> Service:
        return three_instances()

    @pytest.fixture
    def lose(self, hosts: Hosts, service: Service) -> Callable[[Instance], None]:
        def kill(one: Instance) -> None:
            identity = hosts.process(service, one, answered=False).identity
            assert identity
            os.kill(int(identity.partition("-")[0]), signal.SIGKILL)

        return kill


class TestBalancer(BalancerContract):
    @pytest.fixture
    def balancer(self, tmp_path: Path) -> Balancer:
        return balancer({"file": "out.txt"}, tmp_path)

    @pytest.fixture
    def service(self) -> Service:
        return three_instances()

    @pytest.fixture
    def served(self, tmp_path: Path, service: Service) -> Callable[[], set[InstanceName]]:
        """Read the file as the balancer that it is written for would."""
        file = tmp_path / "out.txt"
        return lambda: {one.name for one in service.instances} - set(file.read_text().split())
