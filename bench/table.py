"""The tables: the verdicts against the aims first, then the figures that they come from."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from contestants import ANSIBLE, FABRIC, GATE, LIMIT
from tabulate import tabulate
from wayback import WayBack

WALL_AIM, CPU_AIM, ANSIBLE_AIM = 1.7, 20.0, 25.0
FABRIC_AIM, ANSIBLE_SSH_AIM = 1.0, 4.0  # over ssh
FLAT = 1.1  # times the memory on the smallest fleet


@dataclass(frozen=True, slots=True)
class Row:
    """The runs of one contestant on one size of fleet; times in milliseconds an instance, peaks of memory in MiB.

    `restart` is what only the limit knows: the part of a roll that is the service's own stop and start.
    """

    name: str
    size: int
    walls: tuple[float, ...]
    cpus: tuple[float, ...]
    peaks: tuple[float, ...]
    restart: float | None = None
    failed: str = ""

    @property
    def wall(self) -> float | None:
        """The median wall time, where there is one."""
        return median(self.walls) if self.walls else None

    @property
    def cpu(self) -> float | None:
        """The median CPU time, where there is one."""
        return median(self.cpus) if self.cpus else None


class Rows:
    """All rows of a run."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self.rows = tuple(rows)
        self.sizes = sorted({row.size for row in rows})

    def wall(self, name: str, size: int) -> float | None:
        """Return a contestant's wall time on one size."""
        return next((row.wall for row in self.rows if (row.name, row.size) == (name, size)), None)

    def cpu(self, name: str, size: int) -> float | None:
        """Return a contestant's CPU time on one size."""
        return next((row.cpu for row in self.rows if (row.name, row.size) == (name, size)), None)

    def peak(self, size: int) -> float | None:
        """Return the gate's greatest memory on one size, in MiB."""
        found = next((row.peaks for row in self.rows if (row.name, row.size) == (GATE, size)), ())
        return median(found) if found else None

    def restart(self, size: int) -> float | None:
        """Return what the restart itself costs on one size."""
        return next((row.restart for row in self.rows if (row.name, row.size) == (LIMIT, size)), None)

    def ansible(self, size: int) -> tuple[float | None, str]:
        """Return ansible's wall time, with a mark where it is the next smaller size's."""
        own = self.wall(ANSIBLE, size)
        if own is not None:
            return own, ""
        smaller = [self.wall(ANSIBLE, other) for other in self.sizes if other < size]
        known = [wall for wall in smaller if wall is not None]
        return (known[-1], "*") if known else (None, "")


def ratio(above: float | None, below: float | None) -> float | None:
    """Divide, where both are known."""
    return None if above is None or below is None else above / below


def judged(value: float | None, aim: float, unit: str, *, at_least: bool = False, mark: str = "") -> str:
    """Return a figure with its verdict."""
    if value is None:
        return "not measured"
    met = value >= aim if at_least else value <= aim
    return f"{value:.2f}{mark}{unit} {'met' if met else 'MISSED'}"


def verdicts_over_ssh(rows: Rows) -> str:
    """Return the aims over ssh, and what was measured of them."""
    lines: list[list[str]] = [
        ["wall not above fabric's"],
        [f"CPU at most {CPU_AIM:.0f} ms an instance"],
        [f"at least {ANSIBLE_SSH_AIM:.0f} times faster than ansible"],
    ]
    for size in rows.sizes:
        wall = rows.wall(GATE, size)
        other, mark = rows.ansible(size)
        lines[0].append(judged(ratio(wall, rows.wall(FABRIC, size)), FABRIC_AIM, "x"))
        lines[1].append(judged(rows.cpu(GATE, size), CPU_AIM, " ms"))
        lines[2].append(judged(ratio(other, wall), ANSIBLE_SSH_AIM, "x", at_least=True, mark=mark))
    return tabulate(lines, headers=["deploygate's aims over ssh", *(f"N = {size}" for size in rows.sizes)])


def memory(here: Rows, there: Rows) -> str:
    """Return the gate's memory, as ratios to that on the smallest fleet."""
    sizes = sorted({*here.sizes, *there.sizes})
    lines: list[list[str]] = []
    for name, rows in (("here", here), ("over ssh", there)):
        peaks = [rows.peak(size) for size in sizes]
        first = next((peak for peak in peaks if peak is not None), None)
        if first is not None:
            ratios = [judged(ratio(peak, first), FLAT, "x") for peak in peaks]
            lines.append([f"memory at most {FLAT} times the smallest fleet's, {name} ({first:.0f} MiB)", *ratios])
    return tabulate(lines, headers=["deploygate's greatest memory in a roll", *(f"N = {size}" for size in sizes)])


def verdicts(rows: Rows) -> str:
    """Return the aims, and what was measured of them."""
    lines: list[list[str]] = [
        [f"wall at most {WALL_AIM} times the limit's"],
        [f"CPU at most {CPU_AIM:.0f} ms an instance"],
        [f"at least {ANSIBLE_AIM:.0f} times faster than ansible"],
    ]
    for size in rows.sizes:
        wall = rows.wall(GATE, size)
        other, mark = rows.ansible(size)
        lines[0].append(judged(ratio(wall, rows.wall(LIMIT, size)), WALL_AIM, "x"))
        lines[1].append(judged(rows.cpu(GATE, size), CPU_AIM, " ms"))
        lines[2].append(judged(ratio(other, wall), ANSIBLE_AIM, "x", at_least=True, mark=mark))
    return tabulate(lines, headers=["deploygate's aims", *(f"N = {size}" for size in rows.sizes)])


def figures(rows: Rows) -> str:
    """Return the big table."""
    headers = (
        "N",
        "contestant",
        "runs",
        "wall ms\nan instance",
        "CPU ms\nan instance",
        "times the\nlimit's wall",
        "ansible's wall\nis so many times",
        "ms above\nthe restart",
        "",
    )
    lines: list[list[object]] = []
    for row in sorted(rows.rows, key=lambda row: row.size):
        restart, (ansible, mark) = rows.restart(row.size), rows.ansible(row.size)
        times = ratio(ansible, row.wall)
        above = None if row.wall is None or restart is None else row.wall - restart
        lines.append(
            [
                row.size,
                row.name,
                len(row.walls),
                number(row.wall),
                number(row.cpu),
                number(ratio(row.wall, rows.wall(LIMIT, row.size)), 2),
                number(times) + (mark if times else ""),
                number(above),
                row.failed,
            ],
        )
    sides = ("right", "left", *["right"] * 6, "left")
    return tabulate(lines, headers=headers, disable_numparse=True, colalign=sides)


def number(value: float | None, digits: int = 1) -> str:
    """Return a figure, or a dash."""
    return "-" if value is None else f"{value:.{digits}f}"


def restarts(rows: Rows) -> str:
    """Return one line about the restart itself."""
    parts = [f"{number(rows.restart(size))} ms (N = {size})" for size in rows.sizes]
    return f"The restart itself, SIGTERM to the first accepted connection, in the limit: {', '.join(parts)}."


def way_back(cases: Sequence[WayBack]) -> str:
    """Return the table of the releases that fell ill."""
    headers = (
        "ill instance",
        "good answers\nbefore",
        "instances\nrestarted",
        "all answer old, ms after\nthe first ill answer",
        "times a bare\nrestart of as many",
        "command returns, ms after\nthe first ill answer",
        "exit",
        "fleet at\nthe old version",
    )
    lines = [
        [
            f"{case.instance} of 10",
            case.good_answers,
            case.restarted,
            number(case.all_old, 0),
            number(ratio(case.all_old, case.bare)),
            number(case.returned, 0),
            case.code,
            "yes" if case.restored else "NO",
        ]
        for case in cases
    ]
    return tabulate(lines, headers=headers, disable_numparse=True)
