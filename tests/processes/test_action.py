"""The five scenarios of the Action without containers: its entry points are processes, the fleet is on this machine."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from scenarios.as_processes import Processes
from scenarios.five import Five
from scenarios.fleet import NAMES, Hosts, ShopFleet
from scenarios.runner import Given
from scenarios.shop import Shop

from deploygate.fake_github import FakeGitHub


def here(folder: Path, instances: int = len(NAMES)) -> Hosts:
    """Return places of this machine that no other test has."""
    host = f"127.{random.randint(1, 250)}.{random.randint(1, 250)}.{random.randint(1, 250)}"
    first = random.randint(10_000, 29_000)
    return Hosts([(host, first + number) for number in range(instances)], str(folder / "srv"))


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    """A shop of which the fleet runs version 1.0; nothing of it is left afterwards."""
    fleet = ShopFleet(tmp_path / "fleet", here(tmp_path))
    with FakeGitHub() as hub:
        runner = Processes(tmp_path / "jobs", Given(hub, {}, {}))
        try:
            yield Shop(hub, fleet.up(), runner)
        finally:
            runner.close()
            fleet.down()


class TestAsProcesses(Five):
    """Each job is two processes of this machine."""
