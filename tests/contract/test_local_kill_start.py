"""Kill-start on this machine keeps the contract of drivers."""

from collections.abc import Callable
from pathlib import Path

import pytest

from contract.real_service import answered, deployed_by, kill, release
from deploygate.adapters.hosts.killstart import LocalKillStart
from deploygate.contract import HostsContract
from deploygate.inventory import Instance, Service
from deploygate.ports import Hosts
from deploygate.ways import Argv, KillStart


class TestLocalKillStart(HostsContract):
    @pytest.fixture
    def hosts(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Hosts:
        monkeypatch.setenv("FLEET", str(tmp_path))
        for version in ("1.0", "2.0"):
            release(tmp_path / "dist" / f"Svc-{version}", version)
        return LocalKillStart(tmp_path)

    @pytest.fixture
    def service(self) -> Service:
        return deployed_by(KillStart("srv", Argv(("./run", "{host}", "{port}")), grace=2.0))

    @pytest.fixture
    def seen(self) -> Callable[[Instance], str | None]:
        return answered

    @pytest.fixture
    def lose(self, hosts: Hosts, service: Service) -> Callable[[Instance], None]:
        return lambda one: kill(hosts.process(service, one, answered=False).identity)
