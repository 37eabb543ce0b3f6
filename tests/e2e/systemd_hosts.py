"""Hosts with systemd, sshd and rsync, and no Python: containers with fixed addresses on a network of their own."""

import random
import shlex
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from .engine import LABEL, UnobtainableError, docker, engine
from .images import host_image
from .parts import found

FUSE = 60.0  # seconds that a host may take for anything
CGROUPS = Path("/sys/fs/cgroup")
PORT = 8080  # at which the unit lets a release answer
LET_IN = """
umask 077
mkdir -p /root/.ssh /home/deploy/.ssh
tee /root/.ssh/authorized_keys >/home/deploy/.ssh/authorized_keys
chown -R deploy: /home/deploy/.ssh
"""
UNIT = f"""
[Unit]
Description=Demo %i

[Service]
WorkingDirectory=/srv/demo/%i
ExecStart=/usr/bin/perl service.pl 0.0.0.0 {PORT}
Restart=always
RestartSec=100ms
"""


@dataclass(frozen=True, slots=True)
class Done:
    """What a command on a host came to."""

    code: int
    out: str
    err: str


@dataclass(frozen=True, slots=True)
class SystemdHost:
    """One host: its name for ssh, its address, and the key by which it is known."""

    name: str
    address: str
    container: str
    key: str
    config: Path

    def run(self, command: str, give: str = "", config: Path | None = None) -> Done:
        """Run a command of the shell over ssh, as root."""
        words = [found("ssh"), "-F", str(config or self.config), self.name, command]
        done = subprocess.run(words, input=give, capture_output=True, text=True, timeout=FUSE, check=False)
        return Done(done.returncode, done.stdout.strip(), done.stderr.strip())

    def do(self, command: str, give: str = "") -> str:
        """Run a command that must succeed, and return what it prints."""
        done = self.run(command, give)
        assert done.code == 0, f"{self.name}: {command}: {done.err or done.out}"
        return done.out

    def put(self, path: str, content: str) -> None:
        """Write a file."""
        quoted = shlex.quote(path)
        self.do(f'mkdir -p "$(dirname {quoted})" && cat >{quoted}', give=content)


def without_releases(hosts: tuple[SystemdHost, ...]) -> None:
    """Stop what runs on the hosts, remove every release, and leave the unit, and a folder that is `deploy`'s."""
    for host in hosts:
        host.do(
            "systemctl stop 'demo@*.service' && systemctl reset-failed && rm -rf /srv/demo && "
            "install -d -o deploy /srv/demo && "
            "cat >/etc/systemd/system/demo@.service && systemctl daemon-reload",
            give=UNIT,
        )


@contextmanager
def systemd_hosts(names: tuple[str, ...], folder: Path) -> Iterator[tuple[SystemdHost, ...]]:
    """Have hosts that have booted and can be reached by name with the ssh configuration that is in `folder`.

    Raises:
        UnobtainableError: This machine can't have them.
    """
    with engine():
        image = host_image()
        run = f"deploygate-e2e-{random.randbytes(4).hex()}"
        subnet = _network(run)
        addresses = [f"{subnet}.{number}" for number in range(2, 2 + len(names))]
        for name, address in zip(names, addresses, strict=True):
            _boot(image, run, name, address)
        yield _known(run, names, addresses, folder)


def _network(run: str) -> str:
    """Make a network at addresses that are free, and return its first three numbers."""
    for _ in range(20):
        subnet = f"10.{random.randint(100, 250)}.{random.randint(0, 250)}"
        try:
            docker("network", "create", "--label", LABEL, "--subnet", f"{subnet}.0/24", run)
        except UnobtainableError as error:
            if "overlap" not in str(error):
                raise
        else:
            return subnet
    raise UnobtainableError("docker network create: twenty networks in 10.0.0.0/8 were all taken")


def _boot(image: str, run: str, name: str, address: str) -> None:
    # systemd needs a hierarchy of its own to write to: in version 1 it mounts that itself, in version 2 it is the one.
    unified = (CGROUPS / "cgroup.controllers").exists()
    docker(
        *("run", "--detach", "--label", LABEL, "--name", f"{run}-{name}"),
        *("--hostname", name, "--network", run, "--ip", address),
        *("--cap-add", "SYS_ADMIN", "--security-opt", "seccomp=unconfined", "--security-opt", "apparmor=unconfined"),
        *("--volume", f"{CGROUPS}:{CGROUPS}:rw" if unified else f"{CGROUPS}:{CGROUPS}:ro"),
        *(("--cgroupns", "host") if unified else ()),
        *("--tmpfs", "/run", "--tmpfs", "/run/lock", "--env", "container=docker", image, "/sbin/init"),
    )


def _known(run: str, names: tuple[str, ...], addresses: list[str], folder: Path) -> tuple[SystemdHost, ...]:
    """Let our key in, learn the hosts' keys from the engine (never from the network), and write both down for ssh."""
    mine = folder / "key"
    subprocess.run(
        ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(mine)], check=True, timeout=FUSE, capture_output=True
    )
    hosts = []
    for name, address in zip(names, addresses, strict=True):
        container = f"{run}-{name}"
        _booted(container)
        docker("exec", "--interactive", container, "sh", "-c", LET_IN, give=mine.with_suffix(".pub").read_text())
        key = " ".join(docker("exec", container, "cat", "/etc/ssh/ssh_host_ed25519_key.pub").split()[:2])
        hosts.append(SystemdHost(name, address, container, key, folder / "ssh_config"))
    write_ssh_config(tuple(hosts), mine, folder / "ssh_config", {host.name: host.key for host in hosts})
    return tuple(hosts)


def write_ssh_config(hosts: tuple[SystemdHost, ...], mine: Path, config: Path, keys: dict[str, str]) -> None:
    """Write a configuration of ssh that knows the hosts by these keys, and accepts no other."""
    known = config.with_name(f"{config.name}.known_hosts")
    known.write_text("".join(f"{host.name} {keys[host.name]}\n" for host in hosts))
    strict = {
        "User": "root",
        "IdentityFile": str(mine),
        "IdentitiesOnly": "yes",
        "UserKnownHostsFile": str(known),
        "GlobalKnownHostsFile": "/dev/null",
        "StrictHostKeyChecking": "yes",
        "BatchMode": "yes",
        "ConnectTimeout": "10",
    }
    about = "".join(f"  {key} {value}\n" for key, value in strict.items())
    config.write_text(
        "".join(f"Host {host.name}\n  HostName {host.address}\n  HostKeyAlias {host.name}\n{about}" for host in hosts)
    )


def _booted(container: str) -> None:
    """Wait until systemd is up and sshd runs.

    Raises:
        UnobtainableError: They did not come: systemd wants something of this machine's kernel that it has not.
    """
    end = time.monotonic() + FUSE
    asked = "systemctl is-system-running; systemctl start ssh.service && systemctl is-active ssh.service; true"
    said = ""
    while time.monotonic() < end:
        try:
            said = docker("exec", container, "sh", "-c", asked)
        except UnobtainableError as error:
            if "not running" in str(error):
                log = docker("logs", "--tail", "1", container)
                raise UnobtainableError(f"systemd does not start in a container here: {log or error}") from None
            said = str(error)
        state, _, ssh = said.partition("\n")
        if state in {"running", "degraded"} and ssh == "active":
            return
        time.sleep(0.1)
    raise UnobtainableError(f"systemd was not up in a container within {FUSE:g} s, it said: {' '.join(said.split())}")
