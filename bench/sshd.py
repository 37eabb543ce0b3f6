"""Hosts to roll over ssh: an sshd each, at a loopback address of its own; the gate's records lie apart, too."""

import os
import shutil
import socket
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

PROGRAM = "/usr/sbin/sshd"
FUSE = 30.0
KEX = "curve25519-sha256,curve25519-sha256@libssh.org"  # the same for everybody; paramiko knows none that is newer
OWN = 'mount --bind "$0" "$1" && shift && exec "$@"'


@dataclass(frozen=True, slots=True)
class Access:
    """What a client needs to reach the hosts: everybody gets the same, and checks the hosts' keys by it."""

    port: int
    key: Path
    known_hosts: Path
    config: Path


class Hosts:
    """Some hosts. They are one machine, and share its processors and its disk, but for what is at `own` on each.

    There the gate keeps its leases and records, which are of one host alone.
    """

    def __init__(self, folder: Path, size: int, own: Path) -> None:
        self._folder = folder
        self._own = own
        self._daemons: list[subprocess.Popen[bytes]] = []
        self.addresses = tuple(f"127.91.{at // 250}.{at % 250 + 1}" for at in range(size))
        self.access = Access(free_port(22000), folder / "key", folder / "known_hosts", folder / "config")

    def up(self) -> None:
        """Start, and wait until every daemon listens."""
        self._folder.mkdir(parents=True)
        for name in ("key", "host_key"):
            words = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(self._folder / name)]
            subprocess.run(words, check=True)
        access, public = self.access, " ".join((self._folder / "host_key.pub").read_text().split()[:2])
        access.known_hosts.write_text("".join(f"[{one}]:{access.port} {public}\n" for one in self.addresses))
        shutil.copy(self._folder / "key.pub", self._folder / "authorized_keys")
        access.config.write_text(
            f"Port {access.port}\nIdentityFile {access.key}\nIdentitiesOnly yes\nBatchMode yes\n"
            f"UserKnownHostsFile {access.known_hosts}\nGlobalKnownHostsFile none\nStrictHostKeyChecking yes\n",
        )
        if os.geteuid() == 0:
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
        self._own.mkdir(parents=True)
        for at, address in enumerate(self.addresses):
            self._daemon(at, address)
        for at, address in enumerate(self.addresses):
            self._listens(at, address)

    def down(self) -> None:
        """Stop the daemons; connections of clients that are gone end by themselves."""
        for one in self._daemons:
            one.terminate()
        for one in self._daemons:
            one.wait(FUSE)
        self._daemons.clear()

    def _daemon(self, number: int, address: str) -> None:
        config = self._folder / f"sshd_config_{number}"
        lines = [
            f"ListenAddress {address}",
            f"Port {self.access.port}",
            f"HostKey {self._folder / 'host_key'}",
            f"PidFile {self._folder / f'sshd_{number}.pid'}",
            f"AuthorizedKeysFile {self._folder / 'authorized_keys'}",
            f"KexAlgorithms {KEX}",
            "UsePAM no",
            "PasswordAuthentication no",
            "StrictModes no",
            "MaxStartups 500",
            "PermitRootLogin yes",
            f"SetEnv PATH={os.defpath}",
        ]
        config.write_text("\n".join(lines) + "\n")
        disk = self._folder / f"disk_{number}"
        disk.mkdir()
        with (self._folder / f"sshd_{number}.log").open("wb") as log:
            words = [
                "unshare",
                "-m",
                "sh",
                "-c",
                OWN,
                str(disk),
                str(self._own),
                PROGRAM,
                "-D",
                "-e",
                "-f",
                str(config),
            ]
            self._daemons.append(subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log, stderr=log))

    def _listens(self, number: int, address: str) -> None:
        end = time.monotonic() + FUSE
        while True:
            with suppress(OSError), socket.create_connection((address, self.access.port), 1.0):
                return
            if time.monotonic() > end:
                raise RuntimeError(f"no sshd at {address}: {(self._folder / f'sshd_{number}.log').read_text()[-500:]}")
            time.sleep(0.01)


def missing() -> str:
    """Say what this machine lacks, or nothing."""
    lacking = [one for one in ("ssh", "ssh-keygen", PROGRAM) if not shutil.which(one)]
    if lacking:
        return f"{', '.join(lacking)} not found: install openssh-server and openssh-client"
    if subprocess.run(["unshare", "-m", "true"], check=False, capture_output=True).returncode:
        return "hosts with disks of their own are mount namespaces: run it as root"
    return ""


def free_port(start: int) -> int:
    """Return a port, from `start` upwards, at which nobody listens on any address of this machine."""
    for port in range(start, start + 2000):
        with socket.socket() as probe, suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("0.0.0.0", port))
            return port
    raise RuntimeError(f"no free port from {start} on")
