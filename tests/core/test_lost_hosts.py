"""A run that has lost its hosts changes nothing more: neither what runs there, nor who is sent traffic."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from contract.drivers_in_memory import Right
from made import service

from deploygate.adapters.clock import SystemClock
from deploygate.adapters.locks import FileLocks
from deploygate.endings import Goal
from deploygate.events import Change, Drain, Drained, LockLost, Restore, Restored, Switch
from deploygate.names import InstanceName, RunId, ServiceName, Version
from deploygate.perform import World, perform
from deploygate.ports import Lease

I1, RUN = InstanceName("i1"), RunId("run-1")
NAMES = (I1,)


@dataclass
class Told:
    """A balancer that writes down what it is told."""

    what: list[str] = field(default_factory=list)

    def drain(self, *_: object) -> tuple[()]:
        self.what.append("drain")
        return ()

    def restore(self, *_: object) -> tuple[()]:
        self.what.append("restore")
        return ()

    def in_service(self, *_: object) -> dict[InstanceName, bool]:
        return {}


def held_by(run: str, folder: Path) -> tuple[World, Told]:
    """Return the world of run-1, which has the lock, while the hosts are held by a run."""
    hosts, balancer, locks = Right(), Told(), FileLocks(folder, RUN)
    hosts.lease = Lease(RunId(run), Goal.DEPLOY, "gate", "1-2", "12:00")
    assert locks.take(ServiceName(service().name), Goal.DEPLOY) == ("", "")
    nothing: Any = None
    return World(RUN, SystemClock(), nothing, hosts, locks, balancer, nothing), balancer


@pytest.mark.parametrize(
    "action",
    [Drain(NAMES, 1.0), Restore(NAMES), Switch((Change(I1, None, Version("1.0")),))],
    ids=lambda one: type(one).__name__,
)
def test_without_the_hosts_nothing_is_changed_and_the_run_is_told_who_has_them(
    tmp_path: Path, action: Drain | Restore | Switch
) -> None:
    world, balancer = held_by("run-2", tmp_path)
    event = perform(world, service(), action)
    assert isinstance(event, LockLost)
    assert (event.by, balancer.what) == ("run-2", [])


def test_with_the_hosts_traffic_is_changed(tmp_path: Path) -> None:
    world, balancer = held_by(RUN, tmp_path)
    assert isinstance(perform(world, service(), Drain(NAMES, 1.0)), Drained)
    assert isinstance(perform(world, service(), Restore(NAMES)), Restored)
    assert balancer.what == ["drain", "restore"]
