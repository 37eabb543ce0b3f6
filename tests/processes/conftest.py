"""A fleet for each test, gone with all its processes when the test is over, however it ended."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from scenarios.as_processes import Processes
from scenarios.fleet import ShopFleet
from scenarios.runner import Given
from scenarios.shop import Shop

from deploygate.fake_github import FakeGitHub

from .fleet import Fleet
from .shops import here


@pytest.fixture
def built(tmp_path: Path) -> Iterator[Fleet]:
    """A fleet of which nothing runs yet."""
    fleet = Fleet(tmp_path)
    yield fleet
    fleet.down()


@pytest.fixture
def fleet(built: Fleet) -> Fleet:
    """A fleet that runs version 1.0."""
    return built.up()


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Fleet]:
    """A running fleet with two instances in production."""
    fleet = Fleet(tmp_path, production=2)
    try:
        yield fleet.up()
    finally:
        fleet.down()


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    """A shop of which the fleet runs version 1.0, and whose jobs are processes of this machine."""
    fleet = ShopFleet(tmp_path / "fleet", here(tmp_path))
    with FakeGitHub() as hub:
        runner = Processes(tmp_path / "jobs", Given(hub, {}, {}))
        try:
            yield Shop(hub, fleet.up(), runner)
        finally:
            runner.close()
            fleet.down()
