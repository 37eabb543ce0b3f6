"""A fleet: real processes, releases side by side, one pid file an instance; at free ports, or on hosts."""

import contextlib
import os
import shlex
import shutil
import signal
import socket
import subprocess
import time
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from sshd import Hosts, free_port

HERE = Path(__file__).parent
PORTS = range(20000, 32000)  # below the ports that the kernel gives to callers

START_ALL = """
cd "$BENCH_ROOT/$BENCH_VERSION"
while read -r name host port; do
    setsid "$BENCH_PYTHON" -I -S service.py --host "$host" --port "$port" --instance "$name" &
done <../fleet.tsv >/dev/null 2>&1
"""


@dataclass(frozen=True, slots=True)
class Instance:
    """One process, by name and address."""

    name: str
    host: str
    port: int

    def version(self) -> str | None:
        """Return the version that answers here, None where nothing does."""
        connection = HTTPConnection(self.host, self.port, timeout=2)
        try:
            connection.request("GET", "/version")
            return connection.getresponse().read().decode().split('"')[3]
        except (OSError, HTTPException, IndexError):
            return None
        finally:
            connection.close()


def free_ports(count: int, start: int) -> list[int]:
    """Return ports that nobody listens on, from `start` upwards."""
    found: list[int] = []
    for port in range(start, PORTS.stop):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            found.append(port)
        if len(found) == count:
            return found
    raise RuntimeError(f"no {count} free ports from {start} on")


class Fleet:
    """Instances under one root: releases in `ROOT/<version>/`, pid files in `ROOT/run/`."""

    def __init__(self, root: Path, size: int, first_port: int = PORTS.start, hosts: Hosts | None = None) -> None:
        self.root = root
        self.access = hosts.access if hosts else None
        if hosts:
            port = free_port(first_port)
            places = [(host, port) for host in hosts.addresses]
        else:
            places = [("127.0.0.1", port) for port in free_ports(size, first_port)]
        self.instances = tuple(Instance(f"bench-{at}", *place) for at, place in enumerate(places, 1))
        (root / "run").mkdir(parents=True)
        lines = [f"{one.name} {one.host} {one.port}\n" for one in self.instances]
        (root / "fleet.tsv").write_text("".join(lines))
        extra = f" ansible_port={self.access.port}" if self.access else " ansible_connection=local"
        inventory = [f"{one.name} ansible_host={one.host} bench_port={one.port}{extra}\n" for one in self.instances]
        (root / "hosts.ini").write_text("[bench]\n" + "".join(inventory))

    def install(self, version: str, ill: str = "") -> None:
        """Lay a release beside the others; `ill` is "INSTANCE N", see service.py."""
        folder = self.root / version
        folder.mkdir()
        shutil.copy(HERE / "service.py", folder)
        if ill:
            (folder / "ill").write_text(ill)

    def environment(self, version: str, python: str) -> dict[str, str]:
        """Return what every contestant is told: where the fleet is, and what to roll it to.

        What tells Python how to run is left out: without its compiled files a start-up is twice as long.
        """
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        told = {"BENCH_ROOT": str(self.root), "BENCH_VERSION": version, "BENCH_PYTHON": python}
        told |= {"BENCH_ROLLS": str(HERE / "rolls")}
        if self.access:
            there = " ".join(f"{name}={shlex.quote(value)}" for name, value in told.items())
            told |= {
                "BENCH_THERE": f'export {there}; . "$BENCH_ROLLS/steps.sh"',
                "BENCH_SSH_PORT": str(self.access.port),
                "BENCH_SSH_KEY": str(self.access.key),
                "BENCH_SSH_KNOWN_HOSTS": str(self.access.known_hosts),
                "BENCH_SSH_CONFIG": str(self.access.config),
                "ANSIBLE_SSH_ARGS": f"-F {self.access.config} -o ControlMaster=auto -o ControlPersist=60s",
            }
        return inherited | told

    def start(self, version: str, python: str) -> None:
        """Start every instance at once, as orphans, and wait until all of them answer."""
        env = self.environment(version, python)
        subprocess.run(["sh", "-c", START_ALL], check=True, env=env, start_new_session=True)
        fuse = time.monotonic() + 60
        while not self.all_answer(version):
            if time.monotonic() > fuse:
                raise RuntimeError(f"the fleet does not answer with {version}: {self.versions()}")
            time.sleep(0.05)

    def versions(self) -> list[str | None]:
        """Ask every instance for its version."""
        return [one.version() for one in self.instances]

    def all_answer(self, version: str) -> bool:
        """Tell whether every instance answers with this version."""
        return all(one.version() == version for one in self.instances)

    def pids(self) -> dict[str, int]:
        """Return the pid that each instance wrote last."""
        return {file.stem: int(file.read_text()) for file in (self.root / "run").glob("*.pid")}

    def stop(self) -> None:
        """Stop what this fleet started, and nothing else, and wait until it is gone."""
        ours = [pid for pid in self.pids().values() if self._owns(pid)]
        for pid in ours:
            os.kill(pid, signal.SIGTERM)
        fuse = time.monotonic() + 10
        while any(self._owns(pid) for pid in ours) and time.monotonic() < fuse:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(-1, os.WNOHANG)
            time.sleep(0.001)

    def _owns(self, pid: int) -> bool:
        """Tell whether the process works in one of this fleet's releases; a pid alone may be another's."""
        try:
            return Path(f"/proc/{pid}/cwd").resolve(strict=True).is_relative_to(self.root)
        except OSError:
            return False
