"""A fleet for each test, gone with all its processes when the test is over, however it ended."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from .fleet import Fleet


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
