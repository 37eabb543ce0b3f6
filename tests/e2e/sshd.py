"""Real hosts on loopback: sshd daemons of this user, each with keys of its own, stopped by their number."""

import contextlib
import os
import random
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from deploygate.adapters.shells import SshInputs

FUSE = 30.0
_A_DAEMON = 16  # addresses that one sshd listens at
TOOLS = ("sh", "cat", "mkdir", "mv", "rm", "sleep", "ls", "tr", "grep", "find", "sort", "wc", "head", "tail", "tar",
         "readlink", "flock", "setsid", "sha256sum", "chmod", "date", "rsync", "env", "touch", "cut", "sed",
         "xargs", "cp")  # fmt: skip


def missing() -> str:
    """Say what this machine lacks for real hosts, or nothing."""
    for program in ("ssh", "ssh-keygen", "/usr/sbin/sshd"):
        if not shutil.which(program):
            return f"{program} is not installed: apt-get install openssh-server openssh-client rsync"
    return ""


@dataclass
class Sshd:
    """Some hosts, each an address of its own; what they run finds only `path`.

    With `root` each is a daemon of its own, with a disk of its own at that folder; those that are `sharing` have one
    disk between them, and are machines of their own by their names, host-0 and so on, and by their boots.
    """

    folder: Path
    hosts: tuple[str, ...]
    port: int
    path: str = os.defpath
    options: Sequence[str] = ()
    root: Path | None = None
    sharing: bool = False
    daemons: list["subprocess.Popen[bytes]"] = field(default_factory=list)

    @property
    def inputs(self) -> SshInputs:
        """What the gate is given to reach these hosts."""
        config = self.folder / "ssh_config"
        config.write_text("KexAlgorithms curve25519-sha256\n")  # a seventh of the time that ssh's own choice takes
        return SshInputs(self.folder / "known_hosts", self.folder / "key", config)

    def up(self) -> "Sshd":
        """Start, and wait until every host listens."""
        for name in ("key", "host_key"):
            if not (self.folder / name).exists():
                words = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(self.folder / name)]
                subprocess.run(words, check=True)
        public = (self.folder / "host_key.pub").read_text().split()[:2]
        lines = [f"[{host}]:{self.port} {' '.join(public)}\n" for host in self.hosts]
        (self.folder / "known_hosts").write_text("".join(lines))
        shutil.copy(self.folder / "key.pub", self.folder / "authorized_keys")
        with contextlib.suppress(OSError):  # who is not root needs none
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
        step = _A_DAEMON if self.root is None else 1
        for number in range(0, len(self.hosts), step):
            self._daemon(number, self.hosts[number : number + step])
        for host in self.hosts[::step]:
            self._listens(host)
        return self

    def disk(self, number: int) -> Path:
        """Return the folder that is at `root` on one host."""
        return self.folder / f"disk-{0 if self.sharing else number}"

    def sessions(self) -> list[psutil.Process]:
        """Return the processes that serve connections now."""
        found = [child for one in self.daemons for child in psutil.Process(one.pid).children(recursive=True)]
        return [one for one in found if one.is_running() and one.status() != psutil.STATUS_ZOMBIE]

    def cut(self) -> None:
        """Break every connection, as a host does that dies; what runs on it for the gate dies, too."""
        for daemon in self.daemons:
            for child in psutil.Process(daemon.pid).children():
                with contextlib.suppress(psutil.Error):
                    child.kill()

    def dies(self, number: int) -> None:
        """End a daemon with every connection to it, for good."""
        daemon = self.daemons.pop(number)
        doomed = [psutil.Process(daemon.pid), *psutil.Process(daemon.pid).children()]
        for one in doomed:
            with contextlib.suppress(psutil.Error):
                one.kill()
        daemon.wait(FUSE)

    def revives(self, number: int) -> None:
        """Start a daemon again that has died."""
        step = _A_DAEMON if self.root is None else 1
        self._daemon(number * step, self.hosts[number * step : (number + 1) * step])
        self.daemons.insert(number, self.daemons.pop())
        self._listens(self.hosts[number * step])

    def freezes(self, number: int) -> None:
        """Make a host silent: what it is asked goes nowhere, and no connection to it breaks."""
        for one in self.of(number):
            with contextlib.suppress(psutil.NoSuchProcess):
                one.suspend()

    def thaws(self, number: int) -> None:
        """Let a silent host go on where it stopped."""
        for one in self.of(number):
            with contextlib.suppress(psutil.NoSuchProcess):
                one.resume()

    def of(self, number: int) -> list[psutil.Process]:
        """Return a daemon, and what runs below it: connections, and the shells of those who are connected."""
        daemon = psutil.Process(self.daemons[number].pid)
        return [daemon, *daemon.children(recursive=True)]

    def down(self) -> None:
        """Stop all, with what is still connected."""
        for number, one in enumerate(self.daemons):
            with contextlib.suppress(psutil.Error):
                self.thaws(number)
                for child in psutil.Process(one.pid).children(recursive=True):
                    if child.name().startswith("sshd"):
                        with contextlib.suppress(psutil.Error):
                            child.kill()
            one.send_signal(signal.SIGTERM)
            one.wait(FUSE)
        self.daemons.clear()

    def _daemon(self, number: int, hosts: Sequence[str]) -> None:
        config = self.folder / f"sshd_config_{number}"
        lines = [
            *(f"ListenAddress {host}" for host in hosts),
            f"Port {self.port}",
            f"HostKey {self.folder / 'host_key'}",
            f"PidFile {self.folder / f'sshd_{number}.pid'}",
            f"AuthorizedKeysFile {self.folder / 'authorized_keys'}",
            "UsePAM no",
            "PasswordAuthentication no",
            "StrictModes no",
            "PermitRootLogin yes",
            "MaxStartups 500",
            *self.options,
            f"SetEnv PATH={self.path} HOME={self.folder}",  # where no profile adds to the PATH
        ]
        config.write_text("\n".join(lines) + "\n")
        with (self.folder / f"sshd_{number}.log").open("ab") as log:
            words = ["/usr/sbin/sshd", "-D", "-e", "-f", str(config)]
            if self.root is not None:
                self.root.mkdir(exist_ok=True)
                self.disk(number).mkdir(exist_ok=True)
                mount = 'mount --bind "$0" "$1" && shift && exec "$@"'
                words = ["unshare", "-m", "sh", "-c", mount, str(self.disk(number)), str(self.root), *words]
                words = [*self._machine(number), *words] if self.sharing else words
            self.daemons.append(subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log, stderr=log))

    def _machine(self, number: int) -> list[str]:
        """Return the call for a command that finds another name of its machine, and another boot."""
        boot = self.folder / f"boot-{number}"
        boot.write_text(f"{number:08}-0000-4000-8000-000000000000\n")
        another = 'echo "$0" >/proc/sys/kernel/hostname && mount --bind "$1" /proc/sys/kernel/random/boot_id && shift'
        return ["unshare", "-m", "-u", "sh", "-c", f'{another} && exec "$@"', f"host-{number}", str(boot)]

    def _listens(self, host: str) -> None:
        end = time.monotonic() + FUSE
        while True:
            with contextlib.suppress(OSError), socket.create_connection((host, self.port), 1.0):
                return
            assert time.monotonic() < end, (self.folder / "sshd_0.log").read_text()
            time.sleep(0.01)


def hosts(number: int) -> tuple[str, ...]:
    """Return addresses of this machine that nobody else uses."""
    net = f"127.{random.randint(1, 250)}.{random.randint(1, 250)}"
    return tuple(f"{net}.{last}" for last in range(1, number + 1))


def sshd(
    folder: Path,
    number: int = 3,
    *,
    path: str = os.defpath,
    options: Sequence[str] = (),
    root: Path | None = None,
    sharing: bool = False,
) -> Sshd:
    """Start some hosts at a port of their own."""
    folder.mkdir(parents=True, exist_ok=True)
    return Sshd(folder, hosts(number), random.randint(10_000, 29_000), path, options, root, sharing).up()


def tools(folder: Path, *without: str) -> Path:
    """Make a folder for a PATH that has what a host needs, but for what it is to lack."""
    folder.mkdir(parents=True)
    for name in TOOLS:
        found = shutil.which(name)
        if found and name not in without:
            (folder / name).symlink_to(found)
    return folder
