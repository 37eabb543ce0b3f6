"""A look at thousands of instances: `deploygate observe`, timed."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import clock
import gate
from contestants import PYTHON, ROLLS
from sshd import free_port
from table import judged
from tabulate import tabulate

SIZE = 3500
AIM = 5.0  # seconds
CORES = 2


@dataclass(frozen=True, slots=True)
class Look:
    """One `observe` of all instances, in seconds; `good` is how many were seen as wanted.

    `named` tells whether the service names its own process.
    """

    named: bool
    wall: float
    cpu: float
    peak: float
    good: int


def measure(folder: Path, rounds: int) -> list[Look]:
    """Observe a fleet that one process plays, at an address an instance."""
    folder.mkdir(parents=True)
    port = free_port(25000)
    words = [PYTHON, "-I", "-S", str(ROLLS / "many.py"), str(port), "v1"]
    with subprocess.Popen(words, stdout=subprocess.PIPE) as server:
        try:
            assert server.stdout is not None
            if server.stdout.readline() != b"ready\n":
                raise RuntimeError("many.py did not start")
            looks = []
            for named in (True, False):
                _inventory(folder, port, named=named)
                looks += [_look(folder, named=named) for _ in range(rounds)]
            return looks
        finally:
            server.terminate()


def _inventory(folder: Path, port: int, *, named: bool) -> None:
    instances = [
        {"name": f"bench-{at}", "address": f"http://127.92.{at // 250}.{at % 250 + 1}:{port}"} for at in range(SIZE)
    ]
    probe: dict[str, object] = {"path": "/version", "json": "/version"}
    if named:
        probe["identity"] = {"json": "/boot"}
    way = {"root": "/srv/bench", "start": ["./run"], "ssh": {}}
    gate.write_document(folder, gate.Written(instances, probe, way, gate.FIRST_ANSWER, "v1"))


def _look(folder: Path, *, named: bool) -> Look:
    print(f"observe, N = {SIZE}", file=sys.stderr, flush=True)
    log = folder / "observe.log"
    words = [str(gate.PROGRAM), "observe", "Bench", "--inventory", str(folder / "services.yml"), "--format", "json"]
    env = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, sorted(cores)[:CORES])  # the server keeps to all of them
    try:
        reading = clock.run(words, env, log)
    finally:
        os.sched_setaffinity(0, cores)
    seen = json.loads(log.read_text())["instances"] if reading.code == 0 else []
    return Look(named, reading.wall, reading.cpu, reading.peak / 1024, sum(one["as_wanted"] for one in seen))


def told(looks: Sequence[Look]) -> str:
    """Return the verdict and the table."""
    wall = median(one.wall for one in looks)
    whole = all(one.good == SIZE for one in looks)
    verdict = f"{SIZE:,} instances observed within {AIM:.0f} s on two cores: {judged(wall, AIM, ' s')}"
    lines = [
        [
            "yes" if one.named else "no",
            f"{one.wall:.2f}",
            f"{one.cpu:.2f}",
            f"{one.peak:.0f}",
            f"{one.good:,} of {SIZE:,}",
        ]
        for one in looks
    ]
    headers = ("names its\nprocess", "wall s", "CPU s", "peak MiB", "seen as they are")
    table = tabulate(lines, headers=headers, disable_numparse=True)
    return f"{verdict if whole else 'FAILED: not all instances were seen as they are'}\n\n{table}"
