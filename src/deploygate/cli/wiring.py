"""Puts the parts together: the one place that knows which adapter stands behind which port."""

import getpass
import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from deploygate.adapters.balancers import Balancers
from deploygate.adapters.clock import SystemClock
from deploygate.adapters.commands import environment
from deploygate.adapters.hosts.drivers import Drivers
from deploygate.adapters.journal import FileJournal
from deploygate.adapters.local_forge import LocalForge
from deploygate.adapters.locks import FileLocks
from deploygate.adapters.prober import HttpProber
from deploygate.adapters.shells import Shells
from deploygate.cli.given import SshGiven
from deploygate.cli.loading import load_inventory
from deploygate.cli.parts import Parts
from deploygate.errors import InventoryError
from deploygate.inventory import Inventory
from deploygate.names import RunId
from deploygate.perform import World
from deploygate.ports import Forge, Hosts, Journal, Locks


@dataclass(frozen=True, slots=True)
class Places:
    """Where a run finds its inventory and keeps its state, and what ssh is given."""

    inventory: Path
    state: Path | None
    ssh: SshGiven = field(default=SshGiven(), repr=False)

    @property
    def folder(self) -> Path:
        """What paths in the inventory are relative to."""
        return self.inventory if self.inventory.is_dir() else self.inventory.parent

    @property
    def kept(self) -> Path:
        """The folder of journals, locks and reports."""
        return (self.state or self.folder / ".deploygate").resolve()


def _same_journal(journal: Journal, _run: RunId) -> Journal:
    return journal


def _same_locks(locks: Locks) -> Locks:
    return locks


def _workflows(clock: SystemClock, run: RunId) -> Hosts:
    from deploygate.adapters.github.workflow_driver import workflow_driver  # noqa: PLC0415 - few services need PyGithub

    return workflow_driver(os.environ, run, clock)


@dataclass(frozen=True, slots=True)
class Beyond:
    """What stands around a gate where there is more than this machine: it wraps the parts that remember and hold.

    `forge` is used in place of the files of the state folder, `workflows` to dispatch those that deploy.
    """

    journal: Callable[[Journal, RunId], Journal] = _same_journal
    locks: Callable[[Locks], Locks] = _same_locks
    forge: Callable[[SystemClock, RunId], Forge] | None = None
    clock: Callable[[], SystemClock] = SystemClock
    github_run: int | None = None
    workflows: Callable[[SystemClock, RunId], Hosts] = _workflows


@dataclass(frozen=True, slots=True)
class Gate:
    """All that a verb works with."""

    inventory: Inventory
    world: World
    journal: Journal
    clock: SystemClock
    prober: HttpProber
    parts: Parts
    github_run: int | None = None

    def close(self) -> None:
        """Let go of what was opened."""
        self.prober.close()
        self.parts.close()


_HERE = Beyond()


def open_gate(places: Places, take_over: str | None = None, beyond: Beyond = _HERE) -> Gate:
    """Return a gate on an inventory; `beyond` is what there is besides this machine.

    Raises:
        InventoryError: The inventory has errors.
    """
    loaded = load_inventory(places.inventory)
    if loaded.inventory is None:
        raise InventoryError(loaded.findings)
    run = RunId(f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(3)}")
    clock = beyond.clock()
    kept = {name for service in loaded.inventory.services.values() for name in service.secrets}
    around = {name: value for name, value in environment({}).items() if name not in kept}
    shells = Shells(places.ssh.inputs(), around)
    parts = Parts(places.folder.resolve(), run, shells, lambda: beyond.workflows(clock, run))
    hosts = Drivers(parts.driver)
    journal = FileJournal(places.kept / "runs", run, _actor())
    prober = HttpProber(hosts.process, clock.now, verify=os.environ.get("SSL_CERT_FILE") or True)
    locks = FileLocks(places.kept / "locks", run, RunId(take_over) if take_over else None, journal.ended)
    options = ("--inventory", str(places.inventory.resolve()), "--state", str(places.kept))
    forge: Forge = LocalForge(places.kept / "forge", options, clock.stopped, places.ssh.exported())
    if beyond.forge is not None:
        forge = beyond.forge(clock, run)
    world = World(
        run=run,
        clock=clock,
        prober=prober,
        hosts=hosts,
        locks=beyond.locks(locks),
        balancer=Balancers(parts.balancer),
        forge=forge,
    )
    return Gate(loaded.inventory, world, beyond.journal(journal, run), clock, prober, parts, beyond.github_run)


def _actor() -> str:
    try:
        return os.environ.get("GITHUB_ACTOR") or getpass.getuser()
    except (KeyError, OSError):  # no such user in this container
        return str(os.getuid())
