"""A process supervisor on a host: it starts, stops and restarts the releases, and the gate tells it to over ssh."""

import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from .asked import ask, until
from .demo import Demo, Place
from .parts import found
from .sshd import sshd

pytestmark = pytest.mark.needs("sshd", "ssh", "rsync", "perl", "supervisor")

NAMES = ("p-1", "s-1", "s-2")
FIRST_PORT = 18_000
FUSE = 30.0
SUPERVISORD = """
[supervisord]
nodaemon=true
logfile={folder}/supervisord.log
pidfile={folder}/supervisord.pid
[unix_http_server]
file={socket}
[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface
[supervisorctl]
serverurl=unix://{socket}
"""
PROGRAM = """
[program:demo-{name}-{version}]
command=perl service.pl {host} {port}
directory={folder}/srv/{version}
autostart=false
autorestart=true
"""


@dataclass(frozen=True, slots=True)
class Supervised:
    """A supervisor that knows a program for each instance and version, and the service that it runs."""

    demo: Demo
    control: list[str]

    def running(self) -> list[str]:
        """Return the programs that run, or try to."""
        words = [*self.control, "status"]
        said = subprocess.run(words, capture_output=True, text=True, timeout=FUSE, check=False).stdout
        states = [line.split()[:2] for line in said.splitlines()]
        return [name for name, state in states if state not in {"STOPPED", "EXITED", "FATAL"}]


@pytest.fixture
def supervised(tmp_path: Path) -> Iterator[Supervised]:
    """A host with a supervisor, and the service at 1.0 on it."""
    hosts = sshd(tmp_path / "sshd", 1)
    (host,) = hosts.hosts
    ports = {name: FIRST_PORT + number for number, name in enumerate(NAMES)}
    config = tmp_path / "supervisord.conf"
    with tempfile.TemporaryDirectory() as short:  # a socket's path must be
        text = SUPERVISORD.format(folder=tmp_path, socket=f"{short}/socket")
        for name, port in ports.items():
            for version in ("1.0", "2.0"):
                text += PROGRAM.format(name=name, version=version, host=host, port=port, folder=tmp_path)
        config.write_text(text)
        program = found("supervisor")
        control = [str(Path(program).with_name("supervisorctl")), "-c", str(config)]
        with (tmp_path / "said").open("wb") as said:
            supervisor = subprocess.Popen([program, "-c", str(config)], stdout=said, stderr=said)
        try:
            _answers(supervisor, control)
            killstart = {
                "root": str(tmp_path / "srv"),
                "start": [*control, "start", "demo-{instance}-{version}"],
                "stop": [*control, "stop", "demo-{instance}-{version}"],
                "pid": [*control, "pid", "demo-{instance}-{version}"],
                "ssh": {"port": hosts.port},
            }
            inputs = hosts.inputs
            options = ["--ssh-known-hosts", inputs.known_hosts, "--ssh-key", inputs.key, "--ssh-config", inputs.config]
            places = [Place(host, host, port) for port in ports.values()]
            yield Supervised(Demo(tmp_path, places, killstart, [str(one) for one in options]).up(), control)
        finally:
            supervisor.terminate()  # it stops what it has started, and then itself
            supervisor.wait(FUSE)
            hosts.down()


def test_a_version_goes_through_the_supervisor_and_the_way_back_does_too(supervised: Supervised) -> None:
    demo, before = supervised.demo, supervised.demo.said()
    demo.deploy("2.0", ends=(0, "deployed"))
    assert demo.versions() == demo.all_at("2.0")
    assert supervised.running() == [f"demo-{name}-2.0" for name in NAMES]
    demo.rollback(ends=(0, "rolled_back"))
    assert demo.versions() == demo.all_at("1.0")
    assert supervised.running() == [f"demo-{name}-1.0" for name in NAMES]
    after = demo.said()
    assert not [name for name in before if before[name] == after[name]]  # other processes, not the ones from before


@pytest.mark.parametrize("mark", ["ill", "dies"])
def test_a_bad_version_is_stopped_although_its_supervisor_would_restart_it(mark: str, supervised: Supervised) -> None:
    demo = supervised.demo
    demo.release("2.0", mark)
    demo.deploy("2.0", ends=(6, "rolled_back"))
    assert demo.versions() == demo.all_at("1.0")
    assert supervised.running() == [f"demo-{name}-1.0" for name in NAMES]


def test_what_the_supervisor_has_restarted_is_known_and_can_be_replaced(supervised: Supervised) -> None:
    demo = supervised.demo
    place = demo.places["s-1"]
    first = demo.said()["s-1"]
    assert first is not None
    os.kill(int(first["started"].partition("-")[0]), signal.SIGKILL)
    until(lambda: (now := ask(place.address, place.port)) != first and now)
    demo.deploy("2.0", ends=(0, "deployed"))
    assert demo.versions() == demo.all_at("2.0")
    assert supervised.running() == [f"demo-{name}-2.0" for name in NAMES]


def _answers(supervisor: "subprocess.Popen[bytes]", control: list[str]) -> None:
    end = time.monotonic() + FUSE
    words = [*control, "pid"]
    while subprocess.run(words, capture_output=True, timeout=FUSE, check=False).returncode:
        assert supervisor.poll() is None, "supervisord did not start"
        assert time.monotonic() < end, f"supervisord did not answer within {FUSE:g} s"
        time.sleep(0.05)
