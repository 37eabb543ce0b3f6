"""Roll real local fleets with deploygate, its peers and the lower limit, and print what each takes.

`python bench/bench.py --sizes 10,50,200 --only limit,deploygate --json figures.json`
"""

import argparse
import json
import os
import platform
import shutil
import signal
import sys
import tempfile
from collections import defaultdict
from dataclasses import asdict
from pathlib import Path
from statistics import median

import clock
import gate
import peers
import table
import wayback
from contestants import CONTESTANTS, GATE, LIMIT, PYTHON, Contestant
from fleet import PORTS, Fleet

VERSIONS = ("v1", "v2")


class Track:
    """A fleet that is rolled to and fro; each roll starts with one version all over."""

    def __init__(self, root: Path, size: int, first_port: int, *, by_gate: bool) -> None:
        self.fleet = Fleet(root, size, first_port)
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

    def __init__(self, size: int, folder: Path) -> None:
        self.size = size
        self.shared = Track(folder / "shared", size, PORTS.start, by_gate=False)
        self.gates = Track(folder / "gate", size, PORTS.start + 1000, by_gate=True)
        self.walls: dict[str, list[float]] = defaultdict(list)
        self.cpus: dict[str, list[float]] = defaultdict(list)
        self.restarts: list[float] = []
        self.failed: dict[str, str] = {}

    def round(self, name: str) -> None:
        """Let one contestant roll once."""
        track = self.gates if name == GATE else self.shared
        print(f"N = {self.size}: {name}", file=sys.stderr, flush=True)
        try:
            reading, log, arrived = track.roll(name, CONTESTANTS[name])
        except RuntimeError as error:  # no starting state
            print(error, file=sys.stderr)
            self.failed[name] = "FAILED before the start"
            return
        if not arrived:
            print(log.read_text(errors="replace")[-2000:], file=sys.stderr)
            self.failed[name] = f"FAILED, exit {reading.code}"
            return
        wall, cpu = reading.wall, reading.cpu
        if name == LIMIT:
            own = json.loads(log.read_text())
            wall, cpu = own["wall"], own["cpu"]
            self.restarts.append(own["restart"] / self.size * 1000)
        self.walls[name].append(wall / self.size * 1000)
        self.cpus[name].append(cpu / self.size * 1000)

    def row(self, name: str) -> table.Row:
        """Return what one contestant took."""
        restart = median(self.restarts) if name == LIMIT and self.restarts else None
        walls, cpus = tuple(self.walls[name]), tuple(self.cpus[name])
        failed = self.failed.get(name, "" if walls else "not measured: slow, see --full")
        return table.Row(name, self.size, walls, cpus, restart, failed)

    def close(self) -> None:
        """Stop both fleets."""
        self.shared.fleet.stop()
        self.gates.fleet.stop()


def run_heat(size: int, names: list[str], options: argparse.Namespace, folder: Path) -> list[table.Row]:
    """Run every contestant on one size."""
    heat = Heat(size, folder)
    try:
        for at in range(options.rounds):
            for name in names:
                slow = CONTESTANTS[name].slow
                if name not in heat.failed and (not slow or (at == 0 and size <= options.slow_cap)):
                    heat.round(name)
        return [heat.row(name) for name in names]
    finally:
        heat.close()


def run_wayback(folder: Path) -> list[wayback.WayBack]:
    """Measure the way back on a fleet of its own."""
    print("the way back", file=sys.stderr, flush=True)
    fleet = Fleet(folder, wayback.SIZE, PORTS.start + 2000)
    fleet.install(wayback.OLD)
    try:
        return wayback.measure(fleet, PYTHON)
    except RuntimeError as error:  # no starting state: the figures of the rolls are worth printing all the same
        print(error, file=sys.stderr)
        return []
    finally:
        fleet.stop()


def contenders(only: str) -> list[str]:
    """Return the contestants that are asked for and that can be had here."""
    asked = only.split(",") if only else list(CONTESTANTS)
    if unknown := set(asked) - set(CONTESTANTS):
        raise SystemExit(f"unknown: {', '.join(sorted(unknown))}; there are {', '.join(CONTESTANTS)}")
    if GATE in asked and not gate.PROGRAM.exists():
        raise SystemExit(f"{gate.PROGRAM} is not there: install the project into this environment first")
    if any(CONTESTANTS[name].peer for name in asked) and not peers.install():
        asked = [name for name in asked if not CONTESTANTS[name].peer]
    return asked


def report(rows: list[table.Row], cases: list[wayback.WayBack], options: argparse.Namespace) -> None:
    """Print the tables, and write the figures where that is asked for."""
    ordered = table.Rows(rows)
    print(table.verdicts(ordered), table.figures(ordered), table.restarts(ordered), clock.COUNTED, sep="\n\n")
    print(f"* ansible's figure of the next smaller fleet; measured up to N = {options.slow_cap}, see --full.")
    if any(CONTESTANTS[row.name].peer for row in rows):
        print(peers.versions())
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores; medians.")
    print(f"Load before the start: {options.load:.1f}; what else runs on the machine lengthens every wall time.")
    if cases:
        print("\nA release that falls ill during the roll of 10 instances: two good answers are a pass;")
        print(f"one that is never healthy has {wayback.DEADLINE} s to become so.\n")
        print(table.way_back(cases))
    if options.json:
        figures = {"rows": [asdict(row) for row in rows], "way_back": [asdict(case) for case in cases]}
        options.json.write_text(json.dumps(figures, indent=1))


def main() -> int:
    """Run the bench; 1 means that a contestant failed at its job, never that it was slow."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", default="10,50,200")
    parser.add_argument("--only", default="", metavar="NAME,...", help=f"of {', '.join(CONTESTANTS)}")
    parser.add_argument("--rounds", type=int, default=3, help="runs of each, interleaved; slow ones run once")
    parser.add_argument("--slow-cap", type=int, default=50, help="largest fleet for the slow ones")
    parser.add_argument("--full", action="store_true", help="slow ones on every size")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    sizes = [int(size) for size in options.sizes.split(",")]
    options.slow_cap = max(sizes) if options.full else options.slow_cap
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the fleets are stopped
    clock.adopt_orphans()
    options.load = os.getloadavg()[0]
    names = contenders(options.only)
    folder = Path(tempfile.mkdtemp(prefix="deploygate-bench-")).resolve()
    try:
        rows = [row for size in sizes for row in run_heat(size, names, options, folder / str(size))]
        cases = run_wayback(folder / "wayback") if GATE in names else []
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    report(rows, cases, options)
    incomplete = GATE in names and not cases
    return 1 if incomplete or any(row.failed.startswith("FAILED") for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
