"""Requests that are lost: a fleet behind HAProxy is rolled under load, with draining and without."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import clock
import gate
import peers
from contestants import ANSIBLE, GATE, LOCAL, PYTHON, ROLLS
from fleet import PORTS, Fleet
from load import Count, Load
from rolling import VERSIONS
from sshd import Hosts, free_port
from tabulate import tabulate

SIZE = 10
QUIET = 0.5  # seconds of load before and after
RETRIES: Mapping[str, str] = {
    "none": "retries 0",
    "3, elsewhere": "retries 3\n    option redispatch 1",
}


@dataclass(frozen=True, slots=True)
class Case:
    """One roll under load: how HAProxy tries again, what it took, and what became of the requests."""

    name: str
    retries: str
    count: Count
    wall: float
    arrived: bool


def missing() -> str:
    """Say what this machine lacks, or nothing."""
    return "" if shutil.which("haproxy") else "haproxy not found on PATH: install it"


def measure(folder: Path) -> list[Case]:
    """Roll under load, each contestant with each way of HAProxy to try again."""
    cases = []
    for number, (said, setting) in enumerate(RETRIES.items()):
        cases += _measure(folder / str(number), said, setting)
    return cases


def over_ssh(folder: Path) -> list[Case]:
    """Roll a fleet on hosts under load, to and fro, where HAProxy does not try again."""
    hosts = Hosts(folder / "hosts", SIZE, folder / "gate" / ".deploygate")
    said, setting = next(iter(RETRIES.items()))
    try:
        hosts.up()
        fleet = Fleet(folder / "gate", SIZE, PORTS.start + 5000, hosts)
        try:
            return _by_the_gate(fleet, said, setting, " over ssh")
        finally:
            fleet.stop()
    finally:
        hosts.down()


def _measure(folder: Path, said: str, setting: str) -> list[Case]:
    gates, shared = Fleet(folder / "gate", SIZE, PORTS.start + 3000), Fleet(folder / "shared", SIZE, PORTS.start + 4000)
    try:
        cases = _by_the_gate(gates, said, setting)
        for version in VERSIONS:
            shared.install(version)
        with _haproxy(shared, setting) as (port, admin):
            shared.start(VERSIONS[0], PYTHON)
            cases += [_case(shared, port, roll, said, admin) for roll in _others(shared, installed=peers.installed())]
    finally:
        gates.stop()
        shared.stop()
    return cases


def _by_the_gate(fleet: Fleet, said: str, setting: str, where: str = "") -> list[Case]:
    for version in VERSIONS:
        fleet.install(version)
    old, new = VERSIONS
    with _haproxy(fleet, setting) as (port, admin):
        gate.start(fleet, old, PYTHON, balancer=_before(admin))
        rolls = (
            (f"{GATE} deploy{where}", gate.deploy(fleet, new), new),
            (f"{GATE} rollback{where}", gate.rollback(fleet), old),
        )
        return [_case(fleet, port, roll, said) for roll in rolls]


def _others(fleet: Fleet, *, installed: bool) -> Iterator[tuple[str, Sequence[str], str]]:
    old, new = VERSIONS
    yield "bash+curl with drain", ["bash", str(ROLLS / "bash_haproxy.sh")], new
    yield "bash+curl", LOCAL["bash+curl"].command(fleet, old), old
    if installed:
        yield f"{ANSIBLE} serial: 1", LOCAL[ANSIBLE].command(fleet, new), new


def _case(fleet: Fleet, port: int, roll: tuple[str, Sequence[str], str], said: str, admin: int = 0) -> Case:
    name, argv, target = roll
    print(f"behind HAProxy, retries {said}: {name}", file=sys.stderr, flush=True)
    env = fleet.environment(target, PYTHON) | dict(LOCAL[ANSIBLE].env) | {"BENCH_HAPROXY": str(admin)}
    log = fleet.root / "roll.log"
    with Load(port) as load:
        time.sleep(QUIET)
        reading = clock.run(list(argv), env, log)
        time.sleep(QUIET)
    arrived = fleet.all_answer(target)
    if not arrived:
        print(log.read_text(errors="replace")[-2000:], file=sys.stderr)
    return Case(name, said, load.count(), reading.wall, arrived)


def _before(admin: int) -> dict[str, object]:
    return {"haproxy": {"sockets": [f"127.0.0.1:{admin}"], "backend": "bench"}, "drain": "5s"}


@contextmanager
def _haproxy(fleet: Fleet, setting: str) -> Iterator[tuple[int, int]]:
    """Run HAProxy before a fleet, and give its port and that of its runtime API."""
    port, admin = free_port(33000), free_port(34000)
    servers = "".join(
        f"    server {one.name} {one.host}:{one.port} check inter 200ms rise 1 fall 1\n" for one in fleet.instances
    )
    config = fleet.root / "haproxy.cfg"
    config.write_text(
        f"global\n    stats socket ipv4@127.0.0.1:{admin} level admin\n"
        f"defaults\n    mode http\n    timeout connect 2s\n    timeout client 10s\n"
        f"    timeout server 10s\n    {setting}\n"
        f"frontend front\n    bind 127.0.0.1:{port}\n    default_backend bench\n"
        f"backend bench\n    balance roundrobin\n    option httpchk GET /health\n{servers}",
    )
    with (fleet.root / "haproxy.log").open("wb") as log:
        words = ["haproxy", "-db", "-f", str(config)]
        server = subprocess.Popen(
            words, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=os.environ | {"LC_ALL": "C"}
        )
    try:
        time.sleep(0.3)
        if server.poll() is not None:
            raise RuntimeError(f"haproxy did not start: {(fleet.root / 'haproxy.log').read_text()[-500:]}")
        yield port, admin
    finally:
        server.terminate()
        server.wait(10)


def told(cases: Sequence[Case]) -> str:
    """Return the verdict and the table."""
    ours = [case for case in cases if case.name.startswith(GATE)]
    failed, sent = sum(case.count.failed for case in ours), sum(case.count.sent for case in ours)
    lines = [
        [
            case.retries,
            case.name,
            f"{case.count.failed:,} of {case.count.sent:,}",
            f"{case.count.failed / max(1, case.count.sent) * 1000:.2f}",
            f"{case.wall:.1f}",
            "yes" if case.arrived else "NO",
        ]
        for case in cases
    ]
    headers = ("HAProxy's\nretries", "roll of 10", "requests failed\nof all sent", "of a\nthousand", "s", "arrived")
    verdict = f"deploygate loses no request: {failed:,} failed of {sent:,} {'met' if not failed else 'MISSED'}"
    return f"{verdict}\n\n{tabulate(lines, headers=headers, disable_numparse=True)}"
