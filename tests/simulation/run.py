"""One run of a gate in a simulated world, in two halves: it plans, and then it takes the lock and drives."""

from collections.abc import Callable
from dataclasses import dataclass, field

from deploygate.drive import drive
from deploygate.endings import Goal
from deploygate.events import Action, Event
from deploygate.fencing import Found, fenced
from deploygate.findings import Finding
from deploygate.inventory import Inventory, Service
from deploygate.names import InstanceName, RunId, ServiceName
from deploygate.past import Past
from deploygate.perform import World, look_at
from deploygate.plan import Plan, Planned
from deploygate.planning import plan_deploy
from deploygate.ports import Forge
from deploygate.probe import Sighting
from deploygate.returning import plan_restore, plan_rollback
from deploygate.rollout import Rollout as State
from deploygate.wish import Known, Wish

from .fleet import Fleet
from .world import Calls, FuseBlownError, Killed, SimBalancer, SimClock, SimHosts, SimJournal, SimLocks, SimProber

SERVICE = ServiceName("AdCaster")


@dataclass(slots=True)
class Told:
    """How one run ended: a state, or the reasons of a refusal, or nothing when it was killed."""

    goal: Goal
    state: State | None = None
    plan: Plan | None = None
    refused: tuple[Finding, ...] = ()
    events: list[Event] = field(default_factory=list)
    actions: list[Action] = field(default_factory=list)
    baseline: tuple[Sighting, ...] = ()
    killed: bool = False
    looked: dict[InstanceName, list[float]] = field(default_factory=dict)
    planned: int = 0  # how often


@dataclass(slots=True)
class Shared:
    """What all runs of a scenario share: the fleet, the lock of each machine, the leases of hosts, the journals."""

    fleet: Fleet
    service: Service
    inventory: Inventory
    holder: dict[str, tuple[RunId, Goal, bool]] = field(default_factory=dict)
    holder_elsewhere: dict[str, tuple[RunId, Goal, bool]] = field(default_factory=dict)
    leases: dict[InstanceName, RunId] = field(default_factory=dict)
    guarded: set[RunId] = field(default_factory=set)
    journals: list[SimJournal] = field(default_factory=list)
    told: list[Told] = field(default_factory=list)


class SimGate:
    """A gate with one wish; with `elsewhere` it runs on a machine of its own, and only the hosts keep it apart."""

    def __init__(
        self,
        shared: Shared,
        wish: Wish,
        calls: Calls,
        forge: Forge,
        watch: Callable[[State, Event], None],
        *,
        elsewhere: bool = False,
    ) -> None:
        self.told = Told(wish.goal)
        shared.told.append(self.told)
        run = RunId(f"run-{len(shared.told)}")
        self.shared, self._wish, self._watch = shared, wish, watch
        self._holder = shared.holder_elsewhere if elsewhere else shared.holder
        self._journal = SimJournal(run, calls, shared.journals)
        self._hosts = SimHosts(shared.fleet, calls, wish.goal, {}, shared.leases)
        self._world = World(
            run,
            SimClock(shared.fleet, calls),
            SimProber(shared.fleet, calls, self.told.looked),
            self._hosts,
            SimLocks(run, self._holder, shared.guarded),
            SimBalancer(shared.fleet, calls),
            forge,
        )
        self._found: Found | None = None

    def plan(self) -> None:
        """Do the first half: observe, and plan."""
        self._unless_killed(self._plan)

    def go(self) -> None:
        """Do the second half: take the lock, and go on to the end."""
        if not self.told.killed:
            self._unless_killed(self._drive)

    def _plan(self) -> None:
        self._found = self._find()

    def _find(self) -> Found:
        self.told.planned += 1
        names = [one.name for one in self.shared.service.instances]
        seen = {one.instance: one for one in look_at(self._world, self.shared.service, names).sightings}
        known = Known(seen, (), Past(self._journal.past(SERVICE)))
        return known, self._planned(known)

    def _planned(self, known: Known) -> Planned:
        if self._wish.goal is Goal.RESTORE:
            return plan_restore(self._wish, known)
        return (plan_deploy if self._wish.goal is Goal.DEPLOY else plan_rollback)(
            self.shared.inventory, self._wish, known
        )

    def _drive(self) -> None:
        assert self._found is not None
        world, (known, planned) = fenced(self._world, self._wish, self._found, self._find)
        if isinstance(planned, tuple):
            self.told.refused = planned
            return
        self.told.plan = planned
        self._hosts.floors.update({str(name): floor for name, floor in planned.floors.items()})
        if self._wish.goal is not Goal.ROLLBACK and planned.idle:
            return
        self.told.baseline = tuple(known.seen[name] for name in planned.instances)
        service, baseline = self.shared.service, self.told.baseline
        self.told.state = drive(world, service, planned, baseline, self._journal, self._announce)

    def _announce(self, state: State, action: Action, event: Event | None) -> None:
        if event is not None:
            self.told.actions.append(action)
            self.told.events.append(event)
            self._watch(state, event)

    def _unless_killed(self, half: Callable[[], None]) -> None:
        try:
            half()
        except Killed:
            self.told.killed = True
            self._journal.alive = False
            held = self._holder.get(SERVICE)
            if held and held[0] == self._world.run:
                self._holder[SERVICE] = (held[0], held[1], False)
        except FuseBlownError:
            self.told.killed = True
            last = self.told.actions[-1] if self.told.actions else None
            self.shared.fleet.violations.append(f"promise 1: a run that never ends ({last})")
        else:
            if half == self._drive:
                self._journal.alive = False
