"""The gate's ports on a simulated fleet, with a fuse, and with a kill switch that works like SIGKILL."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from deploygate.endings import Ending, Goal
from deploygate.events import Action, Change, Event, Start, Switch, Trouble
from deploygate.inventory import BackKind, Instance, Service
from deploygate.names import Environment, InstanceName, RunId, ServiceName, Version
from deploygate.past import Beginning, End, Run, remembered
from deploygate.plan import Plan
from deploygate.ports import Lease, Process
from deploygate.probe import Sighting

from .fleet import Fleet
from .scenario import NEW, OLD, Fault

COUNTED = 0.5  # seconds that an answer may be old when the floor is counted, in a small fleet
FUSE = 20_000  # calls to the world; a livelock burns it


class Killed(BaseException):
    """The gate was killed here: nothing after this happens."""


class FuseBlownError(BaseException):
    """A run goes on for ever."""


@dataclass(slots=True)
class Calls:
    """Counts the gate's calls to the world; kills and stops it at the ones that were drawn."""

    fleet: Fleet
    killed_at: int | None = None
    stopped_at: int | None = None
    made: int = 0
    stopped: bool = False
    heard: bool = False
    meanwhile: Callable[[], None] = lambda: None  # what others do at each call

    def count(self) -> None:
        """Count one call."""
        self.made += 1
        self.fleet.calls += 1
        if self.made > FUSE:
            raise FuseBlownError
        if self.made == self.stopped_at:
            self.stopped = True
        if self.made == self.killed_at:
            raise Killed
        self.meanwhile()


@dataclass(slots=True)
class SimClock:
    """A clock that goes on only when somebody waits."""

    fleet: Fleet
    calls: Calls

    def now(self) -> float:
        return self.fleet.now

    def wait_until(self, when: float) -> None:
        if not self.calls.stopped:
            self.fleet.now = max(self.fleet.now, when)

    def stopped(self) -> str:
        self.calls.heard = self.calls.stopped
        return "SIGTERM" if self.calls.stopped else ""


@dataclass(slots=True)
class SimProber:
    """Asks the simulated instances; those that don't answer take their whole time-out."""

    fleet: Fleet
    calls: Calls
    looked: dict[InstanceName, list[float]] = field(default_factory=dict)

    def look(
        self, service: Service, instances: Sequence[Instance], *, in_passing: bool = False
    ) -> tuple[Sighting, ...]:
        del in_passing
        self.calls.count()
        self.fleet.now += 0.01
        sightings = tuple(self.fleet.ask(one.name) for one in instances)
        if any("within" in sighting.says for sighting in sightings):
            self.fleet.now += service.health.timeout
        for sighting in sightings:
            self.fleet.shown[sighting.instance] = sighting
            self.looked.setdefault(sighting.instance, []).append(sighting.at)
        return sightings


@dataclass(slots=True)
class SimHosts:
    """Kills and starts simulated processes, and writes down what a promise forbids."""

    fleet: Fleet
    calls: Calls
    goal: Goal
    floors: dict[str, int]
    leases: dict[InstanceName, RunId]
    mine: set[InstanceName] = field(default_factory=set)
    proven: set[tuple[InstanceName, str]] = field(default_factory=set)

    def claim(
        self, _service: Service, instances: Sequence[InstanceName], lease: Lease, _over: Sequence[RunId]
    ) -> tuple[Lease, ...]:
        """Take the hosts: who may, the lock has decided, and a rollback on another machine may always."""
        self.leases.update(dict.fromkeys(instances, lease.run))
        self.mine |= set(instances)
        return ()

    def leave(self, _service: Service, instances: Sequence[InstanceName], run: RunId) -> None:
        self.calls.count()
        for name in instances:
            if self.leases.get(name) == run:
                del self.leases[name]

    def lost(self, _service: Service, instances: Sequence[InstanceName], run: RunId) -> str:
        gone = any(self.leases.get(name) != run for name in instances if name in self.mine)
        return "another run" if gone else ""

    def stage(self, _service: Service, releases: Sequence[Start]) -> tuple[Trouble, ...]:
        self.calls.count()
        troubles = []
        for start in releases:
            if self.fleet.fault(start.instance) is Fault.NEVER_STAGED:
                troubles.append(Trouble(start.instance, "no space left on the device"))
            else:
                self.fleet.boxes[start.instance].installed.add(start.version)
        return tuple(troubles)

    def prove(self, _service: Service, releases: Sequence[Start], *, unchanged: bool) -> tuple[Trouble, ...]:
        self.calls.count()
        assert isinstance(unchanged, bool)
        self.proven |= {(start.instance, start.version) for start in releases}
        return tuple(
            Trouble(start.instance, f"{start.version} is not installed")
            for start in releases
            if start.version not in self.fleet.boxes[start.instance].installed
        )

    def switch(self, service: Service, changes: Sequence[Change], run: RunId) -> tuple[Trouble, ...]:
        self.calls.count()
        by = self.lost(service, [change.instance for change in changes], run)
        if by:
            return tuple(Trouble(change.instance, f"{by} took over the lock", by) for change in changes)
        if self.calls.heard:
            self.fleet.violations.append("promise 1: something was started after an abort")
        self._hold_against_promises(service, changes)
        troubles = []
        for change in changes:
            trouble = self._change(service, change)
            if trouble:
                troubles.append(Trouble(change.instance, trouble))
        return tuple(troubles)

    def process(self, _service: Service, _instance: Instance, *, answered: bool) -> Process:
        assert isinstance(answered, bool)
        raise AssertionError("the simulated prober knows the processes itself")

    def prune(
        self,
        _service: Service,
        _instances: Sequence[InstanceName],
        protect: Sequence[Version],
    ) -> tuple[Version, ...]:
        self.calls.count()
        assert OLD in protect or not protect or len(protect) == 1
        return ()

    def _change(self, service: Service, change: Change) -> str:
        self._lose([change.instance])
        box, fault = self.fleet.boxes[change.instance], self.fleet.fault(change.instance)
        if change.keep and box.process and box.process.release == change.start:
            return ""
        if change.start is not None and change.start not in box.installed:
            return f"{change.start} is not installed"
        if fault is Fault.HOST_LOST and self.fleet.calls > 25:
            return "the host does not answer"
        if fault is Fault.NO_STOP and box.process:
            self.fleet.now += service.deploy.grace
            return "the process does not die"
        box.process = None
        self.fleet.now += 0.03
        self.calls.count()  # a kill between the two
        if change.start is not None:
            if fault is Fault.NO_START and change.start != OLD:
                box.started = change.start
                return "the program is not executable"
            self.fleet.start(change.instance, change.start)
        else:
            box.started = None
        return ""

    def went_back_proven(self, name: InstanceName) -> bool:
        """Tell whether the old release of an instance was shown to be startable, or there is none."""
        box = self.fleet.boxes[name]
        return (name, OLD) in self.proven or (box.process is not None and box.process.release == NEW)

    def _lose(self, names: Iterable[InstanceName]) -> None:
        for name in names:
            if self.fleet.fault(name) is Fault.OLD_LOST and self.fleet.calls > 25:
                self.fleet.boxes[name].installed.discard(OLD)

    def _hold_against_promises(self, service: Service, changes: Sequence[Change]) -> None:
        """Promises 1 and 5, at the moment of a kill, by what the gate was shown."""
        for change in changes:
            self._hold_traffic(service, change)
        well = [change for change in changes if self._is_well(change)]
        if self.goal is Goal.ROLLBACK or not well:
            return
        for change in well:
            if (change.instance, str(change.start)) not in self.proven:
                self.fleet.violations.append("promise 1: a healthy process was stopped for a release never proven")
            waived = self.fleet.scenario.back is BackKind.FORBIDDEN
            if self.calls.killed_at is None and not waived and not self.went_back_proven(change.instance):
                self.fleet.violations.append("promise 5: an instance was changed whose way back was never proven")
        going = {change.instance for change in well}
        for environment in {one.environment for one in service.instances if one.name in going}:
            self._hold_floor(service, environment, going)

    def _hold_traffic(self, service: Service, change: Change) -> None:
        """Nothing is killed that the balancer sends traffic to; on the way back, unless it does not obey."""
        box = self.fleet.boxes[change.instance]
        stays = change.keep and box.process is not None and box.process.release == change.start
        behind = service.balancer is not None and change.instance.startswith("i")
        if behind and not stays and not box.out and not (change.keep and self.fleet.jammed(change.instance)):
            self.fleet.violations.append(f"promise 1: {change.instance} was killed while it was sent traffic")

    def _is_well(self, change: Change) -> bool:
        seen = self.fleet.shown.get(change.instance)
        return not change.keep and seen is not None and seen.health == "healthy"

    def _hold_floor(self, service: Service, environment: Environment, going: set[InstanceName]) -> None:
        names = {one.name for one in service.instances if one.environment == environment}
        counted = [name for name in names if self.fleet.serves(name)]
        age = self.fleet.now - min((self.fleet.shown[name].at for name in counted), default=self.fleet.now)
        if age > COUNTED + 0.1 + service.health.timeout:
            self.fleet.violations.append(f"promise 1: the floor was counted from answers {age:.1f} s old")
        serving = len(set(counted) - going)
        if serving < self.floors.get(environment, 0):
            self.fleet.violations.append(f"promise 1: {serving} left serving, under the floor")


@dataclass(slots=True)
class SimBalancer:
    """Sends traffic to the simulated instances."""

    fleet: Fleet
    calls: Calls

    def drain(self, service: Service, instances: Sequence[Instance], patience: float) -> tuple[Trouble, ...]:
        self.calls.count()
        assert service.balancer is not None
        assert patience <= service.balancer.drain
        self.fleet.now += min(patience, 0.2)
        return self._set(instances, out=True)

    def restore(self, service: Service, instances: Sequence[Instance]) -> tuple[Trouble, ...]:
        self.calls.count()
        assert service.balancer is not None
        self.fleet.now += 0.01
        return self._set(instances, out=False)

    def in_service(self, _service: Service, instances: Sequence[Instance]) -> Mapping[InstanceName, bool]:
        return {one.name: not self.fleet.boxes[one.name].out for one in instances}

    def _set(self, instances: Sequence[Instance], *, out: bool) -> tuple[Trouble, ...]:
        for one in instances:
            if not self.fleet.jammed(one.name):
                self.fleet.boxes[one.name].out = out
                self.calls.count()  # a kill between two of them
        return tuple(Trouble(one.name, "permission denied") for one in instances if self.fleet.jammed(one.name))


@dataclass(slots=True)
class SimLocks:
    """One lock; a rollback outranks a deploy, and a dead run's lock is stale."""

    run: RunId
    holder: dict[str, tuple[RunId, Goal, bool]]
    guarded: set[RunId] = field(default_factory=set)

    def take(self, service: ServiceName, rank: Goal) -> tuple[str, str]:
        held = self.holder.get(service)
        if held and held[0] != self.run and held[2] and not (rank is Goal.ROLLBACK and held[1] is Goal.DEPLOY):
            return "", f"run {held[0]}"
        self.holder[service] = (self.run, rank, True)
        return (held[0] if held and held[0] != self.run else ""), ""

    @contextmanager
    def guard(self, service: ServiceName) -> Iterator[str]:
        held = self.holder.get(service)
        self.guarded.add(self.run)
        try:
            yield "" if held and held[0] == self.run else "another run"
        finally:
            self.guarded.discard(self.run)

    def lease(self, rank: Goal, lasts: float) -> Lease:
        return Lease(self.run, rank, "here", "1-1", "then", lasts)

    def over(self, _service: ServiceName, _lease: Lease) -> bool:
        return False

    def release(self, service: ServiceName) -> None:
        if self.holder.get(service, ("",))[0] == self.run:
            del self.holder[service]


@dataclass(slots=True)
class SimJournal:
    """Keeps what is written, as a killed process would leave it."""

    run: RunId
    calls: Calls
    runs: list["SimJournal"]
    beginning: Beginning | None = None
    actions: list[Action] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    ended: End | None = None
    alive: bool = True

    def begin(self, plan: Plan, baseline: tuple[Sighting, ...]) -> None:
        self.calls.count()
        self.beginning = Beginning(1, self.run, "then", "somebody", "here", "1-1", plan, baseline)
        self.runs.append(self)

    def before(self, action: Action) -> None:
        self.actions.append(action)
        if isinstance(action, Switch):
            self.calls.count()

    def after(self, event: Event) -> None:
        self.events.append(event)

    def end(self, ending: Ending, cause: str, *, bad: bool, debts: tuple[InstanceName, ...]) -> None:
        self.calls.count()
        self.ended = End("then", ending, cause, bad, debts)

    def past(self, _service: ServiceName) -> tuple[Run, ...]:
        return tuple(
            remembered(one.beginning, one.actions, one.events, one.ended, alive=one.alive)
            for one in self.runs
            if one.beginning and one is not self
        )
