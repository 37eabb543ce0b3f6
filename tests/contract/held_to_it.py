"""Every driver and balancer in memory, held to the contract; pytest is run on this file, and most of it must fail."""

import inspect
from collections.abc import Callable

import pytest
from made import service as made_service

from contract import balancers_in_memory, drivers_in_memory
from deploygate.contract import BalancerContract, LeasesContract
from deploygate.inventory import Instance, Service
from deploygate.ports import Process


def kinds(module: object, right: type) -> list[type]:
    """Return the classes of a module that are the right one or break one of its rules."""
    return [one for _, one in inspect.getmembers(module, inspect.isclass) if issubclass(one, right)]


class TestDrivers(LeasesContract):
    patience = 0.1

    @pytest.fixture(params=kinds(drivers_in_memory, drivers_in_memory.Right), ids=lambda kind: kind.__name__)
    def hosts(self, request: pytest.FixtureRequest) -> drivers_in_memory.Right:
        driver: drivers_in_memory.Right = request.param()
        return driver

    @pytest.fixture
    def service(self) -> Service:
        return made_service()

    @pytest.fixture
    def seen(self, hosts: drivers_in_memory.Right) -> Callable[[Instance], str | None]:
        return lambda one: hosts.world.get(one.name)

    @pytest.fixture
    def lose(self, hosts: drivers_in_memory.Right) -> Callable[[Instance], None]:
        def gone(one: Instance) -> None:
            if not isinstance(hosts, drivers_in_memory.MissesNothing):
                hosts.running[one.name] = Process(alive=False, release=hosts.running[one.name].release)

        return gone


class TestBalancers(BalancerContract):
    patience = 0.1
    fuse = 2.0

    @pytest.fixture(params=kinds(balancers_in_memory, balancers_in_memory.Right), ids=lambda kind: kind.__name__)
    def balancer(self, request: pytest.FixtureRequest) -> balancers_in_memory.Right:
        balancer: balancers_in_memory.Right = request.param()
        return balancer

    @pytest.fixture
    def service(self) -> Service:
        return made_service()
