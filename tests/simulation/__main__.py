"""`python -m simulation --count 100000 --seed 1`: many rollouts, how they ended, and how often a promise was broken."""

import argparse
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor

from .gate import simulate
from .scenario import drawn

_CHUNK = 500


def _chunk(seeds: range) -> tuple[Counter[str], list[str]]:
    endings: Counter[str] = Counter()
    broken = []
    for seed in seeds:
        simulation = simulate(drawn(seed))
        for told in simulation.told:
            if told.state is not None:
                endings[f"{told.goal}: {told.state.ending}"] += 1
            elif told.killed:
                endings[f"{told.goal}: killed"] += 1
            else:
                endings[f"{told.goal}: {'refused before its start' if told.refused else 'nothing to do'}"] += 1
        broken += [f"seed {seed}: {violation}" for violation in simulation.fleet.violations]
    return endings, broken


def main() -> int:
    """Run the simulation and return 1 if a promise was broken."""
    parser = argparse.ArgumentParser(prog="simulation")
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    end = asked.seed + asked.count
    chunks = [range(start, min(start + _CHUNK, end)) for start in range(asked.seed, end, _CHUNK)]
    endings: Counter[str] = Counter()
    broken: list[str] = []
    began = time.monotonic()
    with ProcessPoolExecutor() as pool:
        for number, (some, wrong) in enumerate(pool.map(_chunk, chunks), start=1):
            endings += some
            broken += wrong
            if sys.stderr.isatty():
                sys.stderr.write(f"\r{min(number * _CHUNK, asked.count)} of {asked.count}, {len(broken)} violations")
    if sys.stderr.isatty():
        sys.stderr.write("\r\033[K")
    verdict = "✔" if not broken else "✘"
    spent = time.monotonic() - began
    print(f"{verdict} {asked.count} simulated rollouts, {len(broken)} violations (seed {asked.seed}, {spent:.0f} s)\n")
    for ending, number in sorted(endings.items()):
        print(f"  {number:>8}  {ending}")
    for line in broken[:20]:
        print(f"  ✘ {line}")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
