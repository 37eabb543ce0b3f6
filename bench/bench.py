"""Roll real fleets with deploygate, its peers and the lower limit, here and over ssh, and print what each takes.

`python bench/bench.py --heats local,ssh --sizes 10,50,200 --only limit,deploygate --json figures.json`

The heats: `local` and `ssh` roll fleets, `wayback` lets releases fall ill in both ways, `balancer` counts requests
that fail behind HAProxy, `observe` looks at 3,500 instances, `scale` checks the inventories of large fleets, `memory`
rolls with deploygate alone where the others do not. What a heat needs and this machine lacks is said, and the heat is
left out.
"""

import argparse
import json
import os
import platform
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import balancing
import clock
import gate
import observing
import peers
import rolling
import scale
import sshd
import table
import wayback
from contestants import GATE, LOCAL, PYTHON, SSH
from fleet import PORTS, Fleet
from sshd import Hosts

HEATS = ("local", "ssh", "wayback", "balancer", "observe", "scale", "memory")


@dataclass
class Figures:
    """What all heats gave; `left_out` says which were not run, and why."""

    here: list[table.Row] = field(default_factory=list)
    there: list[table.Row] = field(default_factory=list)
    back_here: list[wayback.WayBack] = field(default_factory=list)
    back_there: list[wayback.WayBack] = field(default_factory=list)
    lost: list[balancing.Case] = field(default_factory=list)
    looks: list[observing.Look] = field(default_factory=list)
    checks: list[scale.Checked] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    failed: bool = False


class Run:
    """One run of the bench, heat by heat."""

    def __init__(self, options: argparse.Namespace, folder: Path) -> None:
        self.options = options
        self.folder = folder
        self.figures = Figures()

    def heats(self) -> None:
        """Run the heats that were asked for."""
        asked = self.options.heats
        no_ssh, no_haproxy = sshd.missing(), balancing.missing()
        if "local" in asked or "memory" in asked:
            self.figures.here = self._roll("here", self._names(list(LOCAL), alone="local" not in asked))
        if "ssh" in asked or "memory" in asked:
            names = self._names(list(SSH), alone="ssh" not in asked)
            self._unless(no_ssh, "ssh", lambda: setattr(self.figures, "there", self._roll("there", names)))
        if "wayback" in asked:
            self.figures.back_here = self._back(None)
            self._unless(no_ssh, "wayback over ssh", lambda: setattr(self.figures, "back_there", self._back_over_ssh()))
        if "balancer" in asked:
            self._unless(no_haproxy, "balancer", lambda: self._lost(balancing.measure))
            self._unless(no_haproxy or no_ssh, "balancer over ssh", lambda: self._lost(balancing.over_ssh))
        if "observe" in asked:
            self.figures.looks = observing.measure(self.folder / "observe", self.options.rounds)
        if "scale" in asked:
            self.figures.checks = scale.measure(self.folder / "scale", self.options.rounds, full=self.options.full)
            self.figures.failed |= any(check.failed for check in self.figures.checks)

    def _unless(self, lacking: str, heat: str, run: Callable[[], None]) -> None:
        if not lacking:
            run()
            return
        self.figures.left_out.append(f"NOT MEASURED: {heat}: {lacking}")
        print(self.figures.left_out[-1], file=sys.stderr)

    def _names(self, names: list[str], *, alone: bool) -> list[str]:
        if alone:
            return [GATE]
        return [name for name in names if not self.options.only or name in self.options.only]

    def _roll(self, where: str, names: Sequence[str]) -> list[table.Row]:
        over_ssh = where == "there"
        known = SSH if over_ssh else LOCAL
        able = [name for name in names if not known[name].peer or peers.installed()]
        options, rows = self.options, []
        for size in options.sizes:
            rounds = options.rounds if not over_ssh else min(2, options.rounds)
            pace = rolling.Pace(rounds, options.slow_cap)
            rows += rolling.run(size, able, pace, self.folder / where / str(size), over_ssh=over_ssh)
        self.figures.failed |= any(row.failed.startswith("FAILED") for row in rows)
        return rows

    def _back(self, hosts: Hosts | None) -> list[wayback.WayBack]:
        print(f"the way back {'over ssh' if hosts else 'here'}", file=sys.stderr, flush=True)
        root = self.folder / ("back-there" if hosts else "back-here")
        fleet = Fleet(root, wayback.SIZE, PORTS.start + 2000, hosts)
        try:
            return wayback.measure(fleet, PYTHON)
        except RuntimeError as error:  # no starting state: the other figures are worth printing all the same
            print(error, file=sys.stderr)
            self.figures.failed = True
            return []
        finally:
            fleet.stop()

    def _back_over_ssh(self) -> list[wayback.WayBack]:
        hosts = Hosts(self.folder / "back-hosts", wayback.SIZE, self.folder / "back-there" / ".deploygate")
        try:
            hosts.up()
            return self._back(hosts)
        finally:
            hosts.down()

    def _lost(self, measure: Callable[[Path], list[balancing.Case]]) -> None:
        self.figures.lost += measure(self.folder / f"balancer-{len(self.figures.lost)}")
        self.figures.failed |= not all(case.arrived for case in self.figures.lost)


def report(figures: Figures, options: argparse.Namespace) -> None:
    """Print the tables, and write the figures where that is asked for."""
    here, there = table.Rows(figures.here), table.Rows(figures.there)
    if "local" in options.heats:
        print(table.verdicts(here), table.figures(here), table.restarts(here), sep="\n\n", end="\n\n")
    if "ssh" in options.heats and figures.there:
        print(table.verdicts_over_ssh(there), table.figures(there), sep="\n\n", end="\n\n")
    if figures.here or figures.there:
        print(table.memory(here, there), end="\n\n")
    for where, cases in (("here", figures.back_here), ("over ssh", figures.back_there)):
        if cases:
            print(f"A release that falls ill during the roll of 10 instances {where}: two good answers are a pass;")
            print(f"one that is never healthy has {wayback.DEADLINE} s to become so.\n")
            print(table.way_back(cases), end="\n\n")
    if figures.lost:
        print(balancing.told(figures.lost), end="\n\n")
    if figures.looks:
        print(observing.told(figures.looks), end="\n\n")
    if figures.checks:
        print(scale.told(figures.checks), end="\n\n")
    print(clock.COUNTED)
    print(f"* ansible's figure of the next smaller fleet; measured up to N = {options.slow_cap}, see --full.")
    if peers.installed():
        print(peers.versions())
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores; medians.")
    print(f"Load before the start: {options.load:.1f}; what else runs on the machine lengthens every wall time.")
    print(*figures.left_out, sep="\n")
    if options.json:
        options.json.write_text(json.dumps(asdict(figures) | {"load": options.load}, indent=1))


def chosen() -> argparse.Namespace:
    """Read the command line."""
    what, _, more = (__doc__ or "").partition("\n\n")
    form = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=what, epilog=more, formatter_class=form)
    parser.add_argument("--heats", default=",".join(HEATS), type=_listed, metavar="NAME,...", help=", ".join(HEATS))
    parser.add_argument("--sizes", default="10,50,200", type=_sizes)
    names = list(dict.fromkeys([*LOCAL, *SSH]))
    parser.add_argument("--only", default="", type=_listed, metavar="NAME,...", help=f"of {', '.join(names)}")
    parser.add_argument("--rounds", type=int, default=3, help="runs of each, interleaved: two over ssh, slow ones one")
    parser.add_argument("--slow-cap", type=int, default=200, help="largest fleet for the slow ones")
    parser.add_argument("--full", action="store_true", help="slow ones on every size")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    for given, known in ((options.heats, HEATS), (options.only, names)):
        if unknown := set(given) - set(known):
            parser.error(f"unknown: {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    options.slow_cap = max(options.sizes) if options.full else options.slow_cap
    options.load = os.getloadavg()[0]
    return options


def _listed(text: str) -> list[str]:
    return [one for one in text.split(",") if one]


def _sizes(text: str) -> list[int]:
    return [int(one) for one in text.split(",")]


def main() -> int:
    """Run the bench; 1 means that a contestant failed at its job, never that it was slow."""
    options = chosen()
    if not gate.PROGRAM.exists():
        raise SystemExit(f"{gate.PROGRAM} is not there: install the project into this environment first")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the fleets are stopped
    clock.adopt_orphans()
    if any(known[name].peer for known in (LOCAL, SSH) for name in known if not options.only or name in options.only):
        peers.install()
    folder = Path(tempfile.mkdtemp(prefix="deploygate-bench-")).resolve()
    run = Run(options, folder)
    try:
        run.heats()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    report(run.figures, options)
    return 1 if run.figures.failed else 0


if __name__ == "__main__":
    sys.exit(main())
