"""The truth of a simulated fleet: which process runs where, what it answers, and what must never be done to it."""

from dataclasses import dataclass, field

from deploygate.names import InstanceName
from deploygate.probe import Health, Sighting

from .scenario import NEW, OLD, Fault, Scenario

SLOW_FOR = 4.0


@dataclass(slots=True)
class Process:
    """A running process of a release."""

    release: str
    identity: str
    began: float
    first: bool
    answers: int = 0


@dataclass(slots=True)
class Box:
    """One instance: what is installed, what runs, what was started last, and whether the balancer leaves it out."""

    installed: set[str]
    process: Process | None
    started: str | None
    out: bool = False


@dataclass(slots=True)
class Fleet:
    """All instances; `now` is the simulated time in seconds, `violations` what was done that must never be."""

    scenario: Scenario
    now: float = 1_000.0
    calls: int = 0
    identities: int = 0
    boxes: dict[InstanceName, Box] = field(default_factory=dict)
    shown: dict[InstanceName, Sighting] = field(default_factory=dict)
    violations: list[str] = field(default_factory=list)
    healed: bool = False

    def __post_init__(self) -> None:
        for name in self.scenario.names:
            gone = self.scenario.faults.get(name) is Fault.OLD_GONE
            box = Box(set() if gone else {OLD}, None, OLD)
            self.boxes[name] = box
            if name not in self.scenario.down:
                self.start(name, OLD, first=True)

    def fault(self, name: InstanceName) -> Fault | None:
        """Return what is wrong with an instance, until all faults are taken away."""
        return None if self.healed else self.scenario.faults.get(name)

    def start(self, name: InstanceName, release: str, *, first: bool = False) -> None:
        """Start a process of a release."""
        self.identities += 1
        self.boxes[name].process = Process(release, f"process-{self.identities}", self.now, first)
        self.boxes[name].started = release

    def ask(self, name: InstanceName) -> Sighting:
        """Return what an instance answers now."""
        box, fault = self.boxes[name], self.fault(name)
        process = box.process
        if process is None:
            return Sighting(name, self.now, Health.ILL, says="connection refused", alive=False, release=box.started)
        process.answers += 1
        health, version, says = self._answer(process, fault)
        if fault is Fault.HOST_LOST and self.calls > 25:
            return Sighting(name, self.now, Health.UNKNOWN, says="no answer within 1 s")
        alive = True
        if self._dead(process, fault):
            box.process, alive = None, False
            health, version, says = Health.ILL, None, "exited with 1"
        return Sighting(
            name,
            self.now,
            health,
            version=version,
            identity=process.identity if alive else None,
            says=says,
            alive=alive,
            release=process.release,
        )

    def jammed(self, name: InstanceName) -> bool:
        """Tell whether the balancer does not obey for an instance."""
        return not self.healed and name in self.scenario.jammed

    def serves(self, name: InstanceName) -> bool:
        """Tell whether an instance was last seen healthy, and is sent traffic."""
        seen = self.shown.get(name)
        return seen is not None and seen.health is Health.HEALTHY and not self.boxes[name].out

    def release(self, name: InstanceName) -> str:
        """Return the release that runs on an instance, or nothing."""
        process = self.boxes[name].process
        return process.release if process else ""

    def truly_good(self, name: InstanceName, release: str) -> bool:
        """Tell whether an instance runs a release and would answer well now."""
        process = self.boxes[name].process
        if process is None or process.release != release or self._dead(process, self.fault(name)):
            return False
        health, version, _ = self._answer(process, self.fault(name))
        return health is Health.HEALTHY and version == release

    def _dead(self, process: Process, fault: Fault | None) -> bool:
        age = self.now - process.began
        return process.release == NEW and (
            fault is Fault.DIES or (fault is Fault.LATE_DEATH and age > self.scenario.good_for)
        )

    def _answer(self, process: Process, fault: Fault | None) -> tuple[Health, str | None, str]:
        good: tuple[Health, str | None, str] = (Health.HEALTHY, process.release, "")
        ill: tuple[Health, str | None, str] = (Health.ILL, process.release, "answered 503")
        age = self.now - process.began
        if process.release == OLD:
            late = fault is Fault.OLD_LATE and age > self.scenario.good_for / 10
            return ill if not process.first and (late or fault is Fault.OLD_ILL) else good
        match fault:
            case Fault.ILL:
                return ill
            case Fault.WRONG:
                return Health.HEALTHY, OLD, ""
            case Fault.NAMELESS:
                return Health.HEALTHY, None, "the body is not JSON"
            case Fault.SILENT:
                return Health.UNKNOWN, None, "no answer within 1 s"
            case Fault.LATE:
                return good if age <= self.scenario.good_for else ill
            case Fault.FLAPS:
                return good if process.answers % 2 else ill
            case Fault.SLOW:
                return (Health.ILL, None, "connection refused") if age < SLOW_FOR else good
            case _:
                return good
