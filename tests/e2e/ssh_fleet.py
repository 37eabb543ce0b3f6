"""A service on real hosts with disks of their own, and the driver that changes it; gone when the test is over."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest
from made import service
from processes.fleet import PYTHON, SERVICE

from deploygate.adapters.hosts.remote import RemoteKillStart
from deploygate.adapters.shells import Shells
from deploygate.endings import Goal
from deploygate.events import Change, Start, Trouble
from deploygate.inventory import Instance
from deploygate.names import PRODUCTION, InstanceName, RunId, Version
from deploygate.ports import Lease, Process
from deploygate.ways import Argv, KillStart, Ssh, killstart

from .sshd import FUSE, Sshd, missing, sshd

RUN = RunId("run-1")


def disks() -> str:
    """Say why hosts can't have disks of their own here, or nothing."""
    if not missing() and subprocess.run(["unshare", "-m", "true"], capture_output=True, check=False).returncode:
        return "hosts with disks of their own need root: run these tests as root, in a container"
    return missing()


needs_hosts = pytest.mark.skipif(bool(disks()), reason=disks())


class SshFleet:
    """Instances i1, i2, ... of one service, each on a host of its own; `root` is the same folder on each."""

    def __init__(
        self,
        folder: Path,
        number: int = 2,
        *,
        path: str = os.defpath,
        root: str = "srv/Svc",
        sharing: bool = False,
        environ: Mapping[str, str] | None = None,
        options: Sequence[str] = (),
        **way: Any,
    ) -> None:
        self.folder = folder
        self.mount = folder / "mnt"
        self.root = f"{self.mount}/{root}"
        self.sshd: Sshd = sshd(folder / "hosts", number, path=path, options=options, root=self.mount, sharing=sharing)
        self.shells = Shells(self.sshd.inputs)
        self.driver = RemoteKillStart(self.shells, folder, environ or {})
        deploy = KillStart(self.root, Argv(("./run", "{host}", "{port}")), grace=0.5, ssh=Ssh(port=self.sshd.port))
        port = self.sshd.port + 1
        self.service = service(
            deploy=replace(deploy, **way),
            artifact="dist/Svc-{version}",
            instances=tuple(
                Instance(InstanceName(f"i{number}"), PRODUCTION, f"http://{host}:{port}")
                for number, host in enumerate(self.sshd.hosts, start=1)
            ),
        )
        self.names = tuple(one.name for one in self.service.instances)
        for version in ("1.0", "2.0"):
            self.release(version)

    def release(self, version: str, **more: Any) -> Path:
        """Build a release whose program is a shell script, and which behaves as is said."""
        built = self.folder / "dist" / f"Svc-{version}"
        shutil.rmtree(built, ignore_errors=True)
        (built / "a folder").mkdir(parents=True)
        (built / "a folder" / "it's; a $(file)").write_text(version)
        (built / "latest").symlink_to("a folder")
        (built / "release.json").write_text(json.dumps({"version": version, **more}))
        (built / "run").write_text(f'#!/bin/sh\nFLEET={self.folder} exec {PYTHON} -I -S {SERVICE} "$1" "$2"\n')
        (built / "run").chmod(0o755)
        (self.folder / "ill").mkdir(exist_ok=True)
        return built

    def deployed(self, **way: Any) -> None:
        """Deploy in another way from now on."""
        self.service = replace(self.service, deploy=replace(killstart(self.service.deploy), **way))

    def disk(self, number: int = 0) -> Path:
        """Return the root folder of one host, seen from outside."""
        return self.sshd.disk(number) / Path(self.root).relative_to(self.mount)

    def lease_file(self, number: int = 0) -> Path:
        """Return where one host has its lease written down, seen from outside."""
        name = f"host-{number}" if self.sshd.sharing else socket.gethostname()
        return self.disk(number) / f".deploygate/lease-{name}"

    def lease(self, run: str = RUN, rank: Goal = Goal.DEPLOY, lasts: float = 60.0) -> Lease:
        return Lease(RunId(run), rank, "gate", "1-2", "2024-01-01T12:00:00+00:00", lasts)

    def claim(self, lease: Lease | None = None, *over: str) -> tuple[Lease, ...]:
        found = self.driver.claim(self.service, self.names, lease or self.lease(), [RunId(one) for one in over])
        return holders(found)

    def aged(self, number: int = 0, *, by: float = 0.0, boot: str = "", lasts: int | None = None) -> None:
        """Make a lease older, of another boot, or last for another time; in the host's own time."""
        words = self.lease_file(number).read_text().split()
        words[5] = words[5] if lasts is None else str(lasts)
        words[6] = boot or words[6]
        words[7] = str(int(words[7]) - round(by * 100))
        self.lease_file(number).write_text(" ".join(words) + "\n")

    def stage(self, version: str = "1.0") -> tuple[Trouble, ...]:
        return self.driver.stage(self.service, self.starts(version))

    def prove(self, version: str = "1.0", *, unchanged: bool = True) -> tuple[Trouble, ...]:
        return self.driver.prove(self.service, self.starts(version), unchanged=unchanged)

    def starts(self, version: str) -> list[Start]:
        return [Start(name, Version(version)) for name in self.names]

    def switch(
        self, start: str | None, stop: str | None = None, run: str = RUN, *, keep: bool = False, only: str = ""
    ) -> tuple[Trouble, ...]:
        was, to = (Version(one) if one else None for one in (stop, start))
        names = [InstanceName(only)] if only else self.names
        return self.driver.switch(self.service, [Change(name, was, to, keep) for name in names], RunId(run))

    def up(self, version: str = "1.0") -> "SshFleet":
        """Claim the hosts, and bring a version onto them."""
        assert self.claim() == ()
        assert self.stage(version) == ()
        assert self.prove(version) == ()
        assert self.switch(version) == ()
        return self

    def process(self, number: int = 0) -> Process:
        return self.driver.process(self.service, self.service.instances[number])

    def answers(self, number: int = 0) -> str:
        """Return the version that an instance answers with, asked until it listens."""
        one = self.service.instances[number]
        end = time.monotonic() + FUSE
        while True:
            try:
                with socket.create_connection((one.host, one.port), 1.0) as door:
                    door.sendall(b"GET /version HTTP/1.1\r\n\r\n")
                    said = b"".join(iter(lambda: door.recv(4096), b""))
                return str(json.loads(said.partition(b"\r\n\r\n")[2])["version"])
            except (OSError, ValueError):
                assert time.monotonic() < end, self.process(number)
                time.sleep(0.01)

    def until(self, true: Callable[[], bool]) -> None:
        """Wait for something, but not for ever."""
        end = time.monotonic() + FUSE
        while not true():
            assert time.monotonic() < end
            time.sleep(0.01)

    def down(self) -> None:
        """End everything, whatever it is that runs."""
        self.shells.close()
        self.sshd.down()
        for one in psutil.process_iter():
            try:
                if one.environ().get("DEPLOYGATE_ROOT", "").startswith(str(self.mount)):
                    one.kill()
            except psutil.Error:
                continue


def holders(found: Iterable[Lease]) -> tuple[Lease, ...]:
    """Return the leases that others still hold, of those that a claim has met."""
    return tuple(one for one in found if not one.taken)


def canary(folder: Path) -> list[Path]:
    """Return what exists only if a value became shell."""
    return [found for place in (folder, Path.home(), Path.cwd()) for found in place.glob("owned*")]


def pythonless(folder: Path) -> None:
    """Show that a PATH has no Python."""
    assert not [one for one in folder.iterdir() if "python" in one.name], sys.executable
