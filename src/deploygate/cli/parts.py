"""The driver and the balancer of each service, made once, by the way in which the inventory deploys it."""

import os
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import assert_never

from deploygate.adapters.balancers import Means, balancer_of
from deploygate.adapters.hosts.killstart import LocalKillStart
from deploygate.adapters.hosts.programs import ProgramsDriver
from deploygate.adapters.hosts.remote import RemoteKillStart
from deploygate.adapters.plugins import balancer_named, driver_named
from deploygate.adapters.shells import Shells
from deploygate.inventory import Service
from deploygate.names import InstanceName, RunId, ServiceName
from deploygate.ports import Balancer, Hosts, Telling
from deploygate.ways import KillStart, Plugin, Programs, Workflow


class Parts:
    """Makes the parts of services, and keeps them: drivers know what they have started."""

    def __init__(self, folder: Path, run: RunId, shells: Shells, workflows: Callable[[], Hosts]) -> None:
        self._folder = folder
        self._shells = shells
        self._here = LocalKillStart(folder)
        self._there = RemoteKillStart(shells, folder, os.environ)
        self._programs = ProgramsDriver(folder, run)
        self._workflows = cache(workflows)  # made where there is a service that needs it: it is slow to be imported
        self._drivers: dict[ServiceName, Hosts] = {}
        self._balancers: dict[ServiceName, Balancer] = {}

    def make(self, services: Iterable[Service]) -> None:
        """Make the parts of services before they are needed, so that what is missing is said before a run begins.

        Raises:
            GateError: A plug-in is not installed, or does not do what it must.
        """
        for service in services:
            self.driver(service)
            if service.balancer:
                self.balancer(service)

    def driver(self, service: Service) -> Hosts:
        """Return the driver of a service."""
        if service.name not in self._drivers:
            self._drivers[service.name] = self._driver(service)
        return self._drivers[service.name]

    def balancer(self, service: Service) -> Balancer:
        """Return the balancer of a service that has one."""
        if service.balancer is None:
            raise ValueError(f"{service.name} has no balancer")
        if service.name not in self._balancers:
            means = Means(self._shells, self._folder, lambda plugin: balancer_named(plugin, self._folder))
            self._balancers[service.name] = balancer_of(service.balancer, means)
        return self._balancers[service.name]

    def drained(self, service: Service) -> frozenset[InstanceName]:
        """Return who is out of a service's balancer in the way in which a gate takes out, where that can be told."""
        balancer = self.balancer(service) if service.balancer else None
        return balancer.drained(service, service.behind) if isinstance(balancer, Telling) else frozenset()

    def close(self) -> None:
        """Let go of the shells on other machines."""
        self._shells.close()

    def _driver(self, service: Service) -> Hosts:
        way = service.deploy
        match way:
            case KillStart(ssh=None, pid=None):
                return self._here
            case KillStart():
                return self._there
            case Programs():
                return self._programs
            case Workflow():
                return self._workflows()
            case Plugin():
                return driver_named(way, self._folder)
            case _:
                assert_never(way)
