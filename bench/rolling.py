"""Rolls: all contestants on one size of fleet, interleaved, on this machine or over ssh."""

import json
import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import clock
import gate
import table
from contestants import GATE, LIMIT, LOCAL, PYTHON, SSH, Contestant
from fleet import PORTS, Fleet
from sshd import Hosts

VERSIONS = ("v1", "v2")


@dataclass(frozen=True, slots=True)
class Pace:
    """How often each contestant runs; the slow ones once, up to a size."""

    rounds: int
    slow_cap: int


class Track:
    """A fleet that is rolled to and fro; each roll starts with one version all over."""

    def __init__(self, fleet: Fleet, *, by_gate: bool) -> None:
        self.fleet = fleet
        self.by_gate = by_gate
        self.version = VERSIONS[0]
        for version in VERSIONS:
            self.fleet.install(version)

    def settle(self) -> None:
        """Put the fleet into the starting state, outside the clock."""
        if self.fleet.all_answer(self.version):
            return
        if self.by_gate:
            gate.start(self.fleet, self.version, PYTHON)
            return
        self.fleet.stop()
        self.fleet.start(self.version, PYTHON)

    def roll(self, name: str, contestant: Contestant) -> tuple[clock.Reading, Path, bool]:
        """Roll to the other version; return the reading, the log, and whether the fleet really got there."""
        self.settle()
        target = VERSIONS[1] if self.version == VERSIONS[0] else VERSIONS[0]
        env = self.fleet.environment(target, PYTHON) | dict(contestant.env)
        log = self.fleet.root / f"{name}.log"
        reading = clock.run(contestant.command(self.fleet, target), env, log)
        arrived = reading.code == 0 and self.fleet.all_answer(target)
        if arrived:
            self.version = target
        return reading, log, arrived


class Heat:
    """All contestants on one size of fleet, interleaved."""

    def __init__(self, size: int, folder: Path, contestants: Mapping[str, Contestant], hosts: Hosts | None) -> None:
        self.size = size
        self.contestants = contestants
        self.where = "over ssh" if hosts else "here"
        self.shared = Track(Fleet(folder / "shared", size, PORTS.start, hosts), by_gate=False)
        self.gates = Track(Fleet(folder / "gate", size, PORTS.start + 1000, hosts), by_gate=True)
        self.readings: dict[str, list[clock.Reading]] = defaultdict(list)
        self.restarts: list[float] = []
        self.failed: dict[str, str] = {}

    def round(self, name: str) -> None:
        """Let one contestant roll once."""
        track = self.gates if name == GATE else self.shared
        print(f"{self.where}, N = {self.size}: {name}", file=sys.stderr, flush=True)
        try:
            reading, log, arrived = track.roll(name, self.contestants[name])
        except RuntimeError as error:  # no starting state
            print(error, file=sys.stderr)
            self.failed[name] = "FAILED before the start"
            return
        if not arrived:
            print(_told(log.read_text(errors="replace")), file=sys.stderr)
            self.failed[name] = f"FAILED, exit {reading.code}"
            return
        if name == LIMIT:
            own = json.loads(log.read_text())
            reading = clock.Reading(own["wall"], own["cpu"], 0)
            self.restarts.append(own["restart"] / self.size * 1000)
        self.readings[name].append(reading)

    def row(self, name: str) -> table.Row:
        """Return what one contestant took."""
        restart = median(self.restarts) if name == LIMIT and self.restarts else None
        readings = self.readings[name]
        failed = self.failed.get(name, "" if readings else "not measured: slow, see --full")
        return table.Row(
            name,
            self.size,
            tuple(one.wall / self.size * 1000 for one in readings),
            tuple(one.cpu / self.size * 1000 for one in readings),
            tuple(one.peak / 1024 for one in readings),
            restart,
            failed,
        )

    def close(self) -> None:
        """Stop both fleets."""
        self.shared.fleet.stop()
        self.gates.fleet.stop()


def _told(log: str) -> str:
    """Return what is said of a failure: from the gate's verdict on, else the end."""
    verdict = log.rfind("\n✘ ")
    return log[verdict:][:2000] if verdict >= 0 else log[-2000:]


def run(size: int, names: Sequence[str], pace: Pace, folder: Path, *, over_ssh: bool) -> list[table.Row]:
    """Run every contestant on one size."""
    hosts = Hosts(folder / "hosts", size, folder / "gate" / ".deploygate") if over_ssh else None
    contestants = SSH if over_ssh else LOCAL
    heat = None
    try:
        if hosts:
            hosts.up()
        heat = Heat(size, folder, contestants, hosts)
        for at in range(pace.rounds):
            for name in names:
                slow = contestants[name].slow
                if name not in heat.failed and (not slow or (at == 0 and size <= pace.slow_cap)):
                    heat.round(name)
        return [heat.row(name) for name in names]
    finally:
        if heat:
            heat.close()
        if hosts:
            hosts.down()
