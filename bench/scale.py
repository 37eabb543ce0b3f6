"""The check of whole inventories: the talk's fleet and larger ones, beside what PyYAML and jsonschema alone take."""

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import clock
import fleets
import gate
from contestants import ROLLS
from table import judged, ratio
from tabulate import tabulate

from deploygate.adapters.shipped import shipped

AIM = 0.5  # seconds of CPU for the talk's fleet, start-up included
GROWTH = 10.0  # times the talk's CPU for ten times its fleet
SIZES = (fleets.TALK, fleets.TENFOLD, fleets.MANY)


@dataclass(frozen=True, slots=True)
class Checked:
    """All checks of one fleet: CPU in seconds and peaks in MiB; `naive` is empty where that was left out."""

    services: int
    instances: int
    bytes: int
    cpus: tuple[float, ...]
    peaks: tuple[float, ...]
    naive: tuple[float, ...]
    failed: str = ""

    @property
    def cpu(self) -> float | None:
        """The median CPU time."""
        return median(self.cpus) if self.cpus else None

    @property
    def times(self) -> float | None:
        """How many times the gate's CPU time the naive check takes."""
        return ratio(median(self.naive) if self.naive else None, self.cpu)


def measure(folder: Path, rounds: int, *, full: bool) -> list[Checked]:
    """Check each fleet in turns; the naive check of the largest takes minutes, and is made for `full` only."""
    folder.mkdir(parents=True)
    found = []
    for size in SIZES:
        file = folder / f"{size.services}.yml"
        fleets.write(size, file)
        found.append(_checked(size, file, rounds if size is fleets.TALK else 1, naive=full or size is not fleets.MANY))
    return found


def _checked(size: fleets.Size, file: Path, rounds: int, *, naive: bool) -> Checked:
    schema = shipped("schemas") / "service-inventory.schema.json"
    words = {
        "deploygate": [str(gate.PROGRAM), "check", "--inventory", str(file)],
        "naive": [sys.executable, str(ROLLS / "naive.py"), str(schema), str(file)],
    }
    if not naive:
        del words["naive"]
    readings: dict[str, list[clock.Reading]] = {"deploygate": [], "naive": []}
    failed = ""
    for _ in range(rounds):
        for who, argv in words.items():
            print(f"check by {who}, {size}", file=sys.stderr, flush=True)
            reading = clock.run(argv, dict(os.environ), file.with_suffix(".log"))
            readings[who].append(reading)
            failed = failed or (f"FAILED: {who} exited with {reading.code}" if reading.code else "")
    return Checked(
        size.services,
        size.instances,
        file.stat().st_size,
        tuple(one.cpu for one in readings["deploygate"]),
        tuple(one.peak / 1024 for one in readings["deploygate"]),
        tuple(one.cpu for one in readings["naive"]),
        failed,
    )


def told(checks: Sequence[Checked]) -> str:
    """Return the verdicts and the table."""
    talk, tenfold = checks[0], checks[1]
    growth = ratio(tenfold.cpu, talk.cpu)
    verdicts = (
        f"`check` of the talk's fleet in {AIM} s of CPU, start-up included: {judged(talk.cpu, AIM, ' s')}\n"
        f"ten times the fleet takes at most {GROWTH:.0f} times the CPU: {judged(growth, GROWTH, 'x')}"
    )
    head = (
        "services",
        "instances",
        "MiB",
        "CPU s",
        "us an\ninstance",
        "peak MiB",
        "naive CPU s",
        "times the\ngate's",
        "",
    )
    lines = [
        [
            f"{one.services:,}",
            f"{one.instances:,}",
            f"{one.bytes / 2**20:.1f}",
            _shown(one.cpu, 2),
            _shown(None if one.cpu is None else one.cpu / one.instances * 1e6, 0),
            _shown(max(one.peaks, default=None), 0),
            _shown(median(one.naive) if one.naive else None, 1),
            _shown(one.times, 1),
            one.failed,
        ]
        for one in checks
    ]
    return f"{verdicts}\n\n{tabulate(lines, headers=head, disable_numparse=True)}"


def _shown(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:.{digits}f}"
