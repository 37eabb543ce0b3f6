"""The command driver keeps the contract of drivers, with the very program that its page shows."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from contract.real_service import answered, deployed_by, executable, kill, release
from deploygate.adapters.hosts.programs import ProgramsDriver
from deploygate.contract import HostsContract
from deploygate.inventory import Instance, Service
from deploygate.names import RunId
from deploygate.ports import Hosts
from deploygate.ways import Argv, Command, Programs, Script

PAGE = Path(__file__).parents[2] / "docs" / "command-driver.md"
DEPLOY: Command = Argv(("./deploy",))


def shown() -> str:
    """Return the program on the page."""
    (program,) = re.findall(r"^```sh\n(#!/bin/sh\n.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    return str(program)


class TestProgramsDriver(HostsContract):
    command: Command = DEPLOY

    @pytest.fixture
    def hosts(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Hosts:
        monkeypatch.setenv("FLEET", str(tmp_path))
        executable(tmp_path / "deploy", shown())
        for version in ("1.0", "2.0"):
            release(tmp_path / "dist" / f"Svc-{version}", version)
        return ProgramsDriver(tmp_path, RunId("contract-1"))

    @pytest.fixture
    def service(self) -> Service:
        one = self.command
        return deployed_by(Programs(one, one, one, stage=one, prove=one, prune=one, timeout=30.0, grace=2.0))

    @pytest.fixture
    def seen(self) -> Callable[[Instance], str | None]:
        return answered

    @pytest.fixture
    def lose(self, hosts: Hosts, service: Service) -> Callable[[Instance], None]:
        return lambda one: kill(hosts.process(service, one, answered=False).identity)


class TestScripts(TestProgramsDriver):
    """The same as scripts of the inventory, without a program for what may be left out."""

    command = Script("./deploy")
    proves = False

    @pytest.fixture
    def service(self, tmp_path: Path) -> Service:
        for version in ("1.0", "2.0"):
            release(tmp_path / "srv" / "Svc" / version, version)
        one = self.command
        return deployed_by(Programs(one, one, one, timeout=30.0, grace=2.0), count=2)
