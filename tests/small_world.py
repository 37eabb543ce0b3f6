"""A fleet behind a balancer in one small object that is all the ports at once, with a fuse; it logs every change."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from made import NEW, OLD, inventory, service

from deploygate.drive import drive
from deploygate.endings import Ending, Goal
from deploygate.events import Action, Change, Event, Start, Trouble
from deploygate.inventory import Instance, OnFailure, Rollout, Service, Wave
from deploygate.names import InstanceName, RunId, ServiceName, Version
from deploygate.past import Beginning, End, Past, Run, remembered
from deploygate.perform import World, look_at
from deploygate.plan import Plan, Planned
from deploygate.planning import plan_deploy
from deploygate.ports import Lease, Process
from deploygate.probe import Health, Sighting
from deploygate.returning import plan_restore, plan_rollback
from deploygate.rollout import Rollout as State
from deploygate.ways import Balancing, Plugin
from deploygate.wish import Known, Wish

FUSE = 5_000


class KilledError(BaseException):
    """The gate was killed here: nothing after this happens."""


def behind(*waves: int, floor: int | None = None, budget: int = 0, on_failure: OnFailure = OnFailure.UNDO) -> Service:
    """Return a service whose three production instances stand behind a balancer."""
    sizes = tuple(Wave(size) for size in waves)
    rollout = Rollout(bake=0.0, floor=floor, waves=sizes, failure_budget=budget, on_failure=on_failure)
    return service(rollout=rollout, balancer=Balancing(Plugin("small"), drain=5.0))


@dataclass(slots=True)
class SmallWorld:
    """`log` has every change; `ill` are releases that are not well on an instance,
    `dead` ones end at once, `slow` instances are not well until a time; `tells` is the balancer's word.

    `before` is called with each change before it is made, and may raise, or take a lock away.
    """

    service: Service
    version: str = OLD
    ill: set[tuple[str, str]] = field(default_factory=set)
    dead: set[tuple[str, str]] = field(default_factory=set)
    slow: dict[str, float] = field(default_factory=dict)
    out: set[str] = field(default_factory=set)
    tells: Callable[[str, bool], bool | None] = lambda _name, serving: serving
    trouble: Callable[[str, str], str] = lambda _what, _name: ""
    before: Callable[[str], None] = lambda _change: None
    log: list[str] = field(default_factory=list)
    running: dict[str, tuple[str, str]] = field(default_factory=dict)
    runs: list[Run] = field(default_factory=list)
    overtaken: str = ""
    stop: str = ""
    time: float = 1_000.0
    calls: int = 0
    identities: int = 0

    def __post_init__(self) -> None:
        for one in self.service.instances:
            self.start(one.name, self.version)

    def start(self, name: str, version: str) -> None:
        self.identities += 1
        self.running[name] = (version, f"process-{self.identities}")

    def run(self, goal: Goal = Goal.DEPLOY, version: str | None = NEW, **wish: object) -> State:
        """Plan and drive one run; it must have a plan."""
        planned = self.planned(goal, version, **wish)
        assert isinstance(planned, Plan), planned
        seen = look_at(self._world(), self.service, list(planned.instances)).sightings
        journal = _Journal(RunId(f"r{len(self.runs) + 1}"), planned, seen)
        try:
            return drive(self._world(), self.service, planned, seen, journal, lambda _state, _action, _event: None)
        finally:
            self.runs.append(journal.run())

    def planned(self, goal: Goal = Goal.DEPLOY, version: str | None = NEW, **wish: object) -> Planned:
        seen = look_at(self._world(), self.service, [one.name for one in self.service.instances]).sightings
        known = Known({one.instance: one for one in seen}, (), Past(tuple(self.runs)))
        wanted = Wish(self.service, Version(version) if version else None, goal=goal, **wish)  # type: ignore[arg-type]
        match goal:
            case Goal.DEPLOY:
                return plan_deploy(inventory(self.service), wanted, known)
            case Goal.ROLLBACK:
                return plan_rollback(inventory(self.service), wanted, known)
            case Goal.RESTORE:
                return plan_restore(wanted, known)

    def _world(self) -> World:
        return World(RunId("this"), self, self, self, self, self, self)

    def _do(self, change: str) -> None:
        self.calls += 1
        if self.calls > FUSE:
            raise AssertionError("a run that never ends")
        self.time += 0.1
        self.before(change)
        self.log.append(change)

    # The clock

    def now(self) -> float:
        return self.time

    def wait_until(self, when: float) -> None:
        self.time = max(self.time, when)

    def stopped(self) -> str:
        return self.stop

    # The prober

    def look(
        self, _service: Service, instances: Sequence[Instance], *, in_passing: bool = False
    ) -> tuple[Sighting, ...]:
        del in_passing
        self.calls += 1
        if self.calls > FUSE:
            raise AssertionError("a run that never ends")
        self.time += 0.01
        return tuple(self._sighting(one.name) for one in instances)

    def _sighting(self, name: InstanceName) -> Sighting:
        version, identity = self.running[name]
        ill = (name, version) in self.ill or self.time < self.slow.get(name, 0.0)
        gone = (name, version) in self.dead
        health = Health.ILL if ill or gone else Health.HEALTHY
        says = "answered 503" if health is Health.ILL else ""
        return Sighting(name, self.time, health, version=version, identity=identity, says=says, alive=not gone)

    # The hosts

    def claim(
        self, _service: Service, _instances: Sequence[InstanceName], _lease: Lease, _over: Sequence[RunId]
    ) -> tuple[Lease, ...]:
        return ()

    def leave(self, _service: Service, _instances: Sequence[InstanceName], _run: RunId) -> None:
        """There are no leases here."""

    def lost(self, _service: Service, _instances: Sequence[InstanceName], _run: RunId) -> str:
        return ""

    def stage(self, _service: Service, _releases: Sequence[Start]) -> tuple[Trouble, ...]:
        return ()

    def prove(self, _service: Service, _releases: Sequence[Start], *, unchanged: bool) -> tuple[Trouble, ...]:
        assert isinstance(unchanged, bool)
        return ()

    def switch(self, _service: Service, changes: Sequence[Change], _run: RunId) -> tuple[Trouble, ...]:
        self._do(f"switch {' '.join(f'{one.instance}={one.start}' for one in changes)}")
        for one in changes:
            assert one.start is not None
            self.start(one.instance, one.start)
        return ()

    def process(self, _service: Service, _instance: Instance, *, answered: bool) -> Process:
        raise AssertionError(answered)

    def prune(
        self, _service: Service, _instances: Sequence[InstanceName], _protect: Sequence[Version]
    ) -> tuple[Version, ...]:
        return ()

    # The lock

    def take(self, _service: ServiceName, _rank: Goal) -> tuple[str, str]:
        self.time += 0.01
        return "", ""

    @contextmanager
    def guard(self, _service: ServiceName) -> Iterator[str]:
        yield self.overtaken

    def release(self, _service: ServiceName) -> None:
        """Nobody else waits for it."""

    def lease(self, rank: Goal, lasts: float) -> Lease:
        return Lease(RunId("this"), rank, "here", "1-1", "then", lasts)

    def over(self, _service: ServiceName, _lease: Lease) -> bool:
        return False

    # The balancer

    def drain(self, _service: Service, instances: Sequence[Instance], _patience: float) -> tuple[Trouble, ...]:
        return self._turn("drain", instances, self.out.add)

    def restore(self, _service: Service, instances: Sequence[Instance]) -> tuple[Trouble, ...]:
        return self._turn("restore", instances, self.out.discard)

    def in_service(self, _service: Service, instances: Sequence[Instance]) -> Mapping[InstanceName, bool]:
        said = {one.name: self.tells(one.name, one.name not in self.out) for one in instances}
        return {name: serving for name, serving in said.items() if serving is not None}

    def _turn(self, what: str, instances: Sequence[Instance], turn: Callable[[str], None]) -> tuple[Trouble, ...]:
        self._do(f"{what} {' '.join(one.name for one in instances)}")
        troubles = []
        for one in instances:
            says = self.trouble(what, one.name)
            if says:
                troubles.append(Trouble(one.name, says))
            else:
                turn(one.name)
        return tuple(troubles)

    # The forge

    def status(self, context: str, state: str, says: str) -> None:
        """Show nothing."""

    def comment(self, key: str, markdown: str) -> None:
        """Show nothing."""

    def summary(self, markdown: str) -> None:
        """Show nothing."""

    def raise_rollback(self, _service: ServiceName, _run: RunId, _budget: float) -> tuple[RunId, Ending | None, str]:
        return RunId(""), None, "nobody to raise it"


@dataclass(slots=True)
class _Journal:
    """What a run writes down, as a killed one leaves it."""

    name: RunId
    plan: Plan
    baseline: tuple[Sighting, ...]
    actions: list[Action] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    ended: End | None = None

    def begin(self, plan: Plan, baseline: tuple[Sighting, ...]) -> None:
        assert (plan, baseline) == (self.plan, self.baseline)

    def before(self, action: Action) -> None:
        self.actions.append(action)

    def after(self, event: Event) -> None:
        self.events.append(event)

    def end(self, ending: Ending, cause: str, *, bad: bool, debts: tuple[InstanceName, ...]) -> None:
        self.ended = End("then", ending, cause, bad, debts)

    def past(self, _service: ServiceName) -> tuple[Run, ...]:
        return ()

    def run(self) -> Run:
        begin = Beginning(1, self.name, "then", "nathan", "here", "1-1", self.plan, self.baseline)
        return remembered(begin, self.actions, self.events, self.ended, alive=False)
