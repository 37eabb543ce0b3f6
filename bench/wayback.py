"""The way back: from the first ill answer of a release to the last instance verified at the old version."""

import json
import threading
import time
from dataclasses import dataclass, replace
from pathlib import Path

import clock
import gate
from contestants import LIMIT, LOCAL
from fleet import Fleet

SIZE = 10
CASES = ((1, 1), (3, 1), (6, 1), (10, 1), (3, 2), (6, 0))  # ill instance, good answers before it falls ill
OLD = "v1"
DEADLINE = 5  # seconds

# Two good answers are a pass, so that an instance can fall ill while it is watched (one before), after it has
# passed (two before), or never be healthy (none before: it has until the deadline, as a slow starter has).
TWO_ANSWERS: gate.Health = gate.FIRST_ANSWER | {
    "passes": 2,
    "interval": "50ms",
    "timeout": "2s",
    "deadline": f"{DEADLINE}s",
}


@dataclass(frozen=True, slots=True)
class WayBack:
    """One release that fell ill, and the way back: times in milliseconds after the first ill answer.

    `bare` is what the lower limit takes to kill and start as many, one after the other, and to ask them.
    """

    instance: int
    good_answers: int
    code: int
    restored: bool
    restarted: int
    all_old: float | None
    returned: float | None
    bare: float


class Watch(threading.Thread):
    """Asks all instances from the first ill answer on, and notes when all answer with the old version."""

    def __init__(self, fleet: Fleet, ill: Path) -> None:
        super().__init__(daemon=True)
        self.fleet, self.ill = fleet, ill
        self.over = threading.Event()
        self.seen: float | None = None

    def run(self) -> None:
        """Watch until it is so, or the deploy is over and it still isn't."""
        while not self.ill.exists():
            if self.over.wait(0.001):
                return
        while self.seen is None:
            last_look = self.over.is_set()
            if self.fleet.all_answer(OLD):
                self.seen = time.monotonic()
            elif last_look:
                return
            else:
                time.sleep(0.005)


def measure(fleet: Fleet, python: str) -> list[WayBack]:
    """Deploy releases that fall ill, one a case, to a fleet that runs the old version."""
    fleet.install(OLD)
    gate.start(fleet, OLD, python, TWO_ANSWERS)
    found = [_one(fleet, instance, good, python) for instance, good in CASES]
    log = fleet.root / "limit.log"
    limit = clock.run(LOCAL[LIMIT].command(fleet, OLD), fleet.environment(OLD, python), log)
    if limit.code:
        raise RuntimeError(f"the lower limit could not restart the fleet: {log.read_text()[-500:]}")
    bare = json.loads(log.read_text())["wall"] / SIZE * 1000
    return [replace(one, bare=bare * one.instance) for one in found]


def _one(fleet: Fleet, instance: int, good: int, python: str) -> WayBack:
    if not fleet.all_answer(OLD):  # the case before did not find its way back
        gate.start(fleet, OLD, python, TWO_ANSWERS)
    version = f"ill-{instance}-{good}"
    fleet.install(version, ill=f"bench-{instance} {good}")
    ill = fleet.root / "run" / "ill"
    ill.unlink(missing_ok=True)
    before = fleet.pids()
    watch = Watch(fleet, ill)
    watch.start()
    log = fleet.root / f"{version}.log"
    reading = clock.run(gate.deploy(fleet, version), fleet.environment(version, python), log)
    returned = time.monotonic()
    watch.over.set()
    watch.join()
    after = fleet.pids()
    first = float(ill.read_text()) if ill.exists() else None
    return WayBack(
        instance,
        good,
        reading.code,
        fleet.all_answer(OLD),
        restarted=sum(after[name] != pid for name, pid in before.items()),
        all_old=None if first is None or watch.seen is None else (watch.seen - first) * 1000,
        returned=None if first is None else (returned - first) * 1000,
        bare=0.0,
    )
