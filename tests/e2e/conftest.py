"""What all end-to-end tests share: a test whose parts can't be had is skipped, and that is said last, and loudly."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from .engine import UnobtainableError
from .parts import missing
from .systemd_hosts import SystemdHost, systemd_hosts, without_releases

SKIPPED = pytest.StashKey[dict[str, list[str]]]()


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "needs(*parts): is skipped where one of these (see parts.py) is not there")
    config.stash[SKIPPED] = {}


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a test whose parts are not there, with what is missing and how to get it."""
    names = [name for marker in item.iter_markers("needs") for name in marker.args]
    gone = missing(names)
    if gone:
        pytest.skip("; ".join(f"{name} is missing ({how})" for name, how in gone.items()))


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> Iterator[None]:
    """List what was skipped by its reason, beyond everything else that there is to say."""
    yield
    skipped = config.stash[SKIPPED]
    for report in terminalreporter.getreports("skipped"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        skipped.setdefault(reason.removeprefix("Skipped: "), []).append(report.nodeid)
    if not skipped:
        return
    terminalreporter.section("SKIPPED, AND NOT SHOWN TO WORK", sep="!", red=True, bold=True)
    for reason, tests in skipped.items():
        terminalreporter.line(reason, red=True)
        for test in tests:
            terminalreporter.line(f"  {test}")


def pytest_unconfigure(config: pytest.Config) -> None:
    """Say in the very last line whether everything was tested."""
    skipped = config.stash.get(SKIPPED, {})
    if skipped and not hasattr(config, "workerinput"):
        number = sum(len(tests) for tests in skipped.values())
        print(f"\nNOT EVERYTHING WAS TESTED: {number} skipped, because: {' | '.join(skipped)}")  # noqa: T201


@pytest.fixture(scope="session")
def systemd_fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[SystemdHost, ...]]:
    """Three hosts with systemd, for the whole session."""
    with ExitStack() as stack:
        try:
            hosts = stack.enter_context(
                systemd_hosts(("host-1", "host-2", "host-3"), tmp_path_factory.mktemp("systemd"))
            )
        except UnobtainableError as error:
            pytest.skip(f"no hosts with systemd: {error}")
        yield hosts


@pytest.fixture
def unit_hosts(systemd_fleet: tuple[SystemdHost, ...]) -> tuple[SystemdHost, ...]:
    """Three hosts with systemd that have the unit, and nothing that runs, nor any release."""
    without_releases(systemd_fleet)
    return systemd_fleet


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    """What a test starts and does not end itself; all of it ends with the test."""
    with ExitStack() as stack:
        yield stack
