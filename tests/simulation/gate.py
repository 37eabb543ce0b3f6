"""Whole runs in a simulated world: a deploy, what it raises, what comes after it, and the promises held against it."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

from deploygate.endings import Ending, Goal
from deploygate.events import Drained, Event, RaiseRollback, Seen, Switch, Switched
from deploygate.findings import Where
from deploygate.inventory import (
    BackKind,
    Instance,
    Inventory,
    OnFailure,
    Owners,
    Release,
    Rollout,
    Service,
    WayBack,
)
from deploygate.names import PARALLEL_CHAIN, PRODUCTION, InstanceName, RunId, ServiceName, Version
from deploygate.past import Past
from deploygate.plan import Plan
from deploygate.planning import plan_deploy
from deploygate.probe import HealthProbe
from deploygate.rollout import Phase, Standing, replay
from deploygate.rollout import Rollout as State
from deploygate.ways import Argv, Balancing, KillStart, Plugin
from deploygate.wish import Known, Wish

from .fleet import Fleet
from .overtaking import Overtaking
from .run import SERVICE, Shared, SimGate, Told
from .scenario import NEW, OLD, Fault, Raising, Scenario
from .world import Calls, SimJournal

HEALTH = HealthProbe(interval=1.0, timeout=1.0, passes=2, fails=2, min_healthy=2.0, deadline=10.0)


def service_of(scenario: Scenario) -> Service:
    """Return the service of a scenario."""
    return Service(
        name=SERVICE,
        purpose="Chooses the ad for a request.",
        owners=Owners("nathan", "cory", "obaid"),
        wanted=Version(NEW),
        provides=frozenset(),
        consumes=frozenset(),
        releases={
            Version(NEW): Release(
                Version(NEW), frozenset(), frozenset(), rollback=WayBack(scenario.back, "It says so.")
            )
        },
        deploy=KillStart(root="srv", start=Argv(("serve",)), grace=1.0),
        instances=tuple(
            Instance(name, PARALLEL_CHAIN if name.startswith("p") else PRODUCTION, f"http://{name}:80")
            for name in scenario.names
        ),
        health=HEALTH,
        rollout=Rollout(
            bake=3.0,
            on_failure=OnFailure.HALT if scenario.halt else OnFailure.UNDO,
            failure_budget=scenario.budget,
            floor=scenario.floor,
            waves=scenario.waves,
        ),
        balancer=Balancing(Plugin("simulated"), drain=1.0) if scenario.balanced else None,
        where=Where("services.yml", 1, 1),
    )


class Simulation:
    """One scenario: its fleet, its lock, its journals, and every run in it."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.fleet = Fleet(scenario)
        self.service = service_of(scenario)
        self.shared = Shared(self.fleet, self.service, Inventory((PARALLEL_CHAIN, PRODUCTION), {SERVICE: self.service}))

    @property
    def told(self) -> list[Told]:
        """Every run, in the order in which they began."""
        return self.shared.told

    def gate(
        self,
        wish: Wish,
        calls: Calls,
        *,
        raising: Raising = Raising.WORKS,
        watch: Callable[[State, Event], None] = lambda _state, _event: None,
        elsewhere: bool = False,
    ) -> SimGate:
        """Return a gate that is about to plan and drive one run."""

        def watched(state: State, event: Event) -> None:
            watch(state, event)
            _hold_capacity(self.fleet, state, event)

        return SimGate(self.shared, wish, calls, SimForge(self, raising), watched, elsewhere=elsewhere)

    def run(
        self,
        wish: Wish,
        calls: Calls,
        *,
        raising: Raising = Raising.WORKS,
        watch: Callable[[State, Event], None] = lambda _state, _event: None,
    ) -> Told:
        """Plan and drive one run, until its end or until it is killed."""
        one = self.gate(wish, calls, raising=raising, watch=watch)
        one.plan()
        one.go()
        return one.told


@dataclass(slots=True)
class SimForge:
    """Raises rollbacks in the same world, well or badly; shows nothing."""

    simulation: Simulation
    raising: Raising

    def status(self, context: str, state: str, says: str) -> None:
        """Show nothing."""

    def comment(self, key: str, markdown: str) -> None:
        """Show nothing."""

    def summary(self, markdown: str) -> None:
        """Show nothing."""

    def raise_rollback(self, _service: ServiceName, of_run: RunId, _budget: float) -> tuple[RunId, Ending | None, str]:
        if self.raising is Raising.CANNOT:
            return RunId(""), None, "nobody to raise it"
        calls = Calls(self.simulation.fleet, killed_at=9 if self.raising is Raising.DIES else None)
        wish = Wish(self.simulation.service, None, goal=Goal.ROLLBACK, of_run=of_run, raised=True)
        told = self.simulation.run(wish, calls, watch=_one_unproven(self.simulation))
        if told.state is None or told.killed:
            return RunId(""), None, "the raised rollback said nothing"
        return RunId("raised"), told.state.ending, "raised"


def simulate(scenario: Scenario) -> Simulation:
    """Deploy in a scenario; after a kill or a stop, do what it says next. Violations are in the fleet."""
    simulation = Simulation(scenario)
    broken = {"baseline": "--baseline broken"} if scenario.broken else {}
    if scenario.back is BackKind.FORBIDDEN:
        broken = broken | {"way-back": "we know"}
    wish = Wish(simulation.service, Version(NEW), waived=broken)
    calls = Calls(simulation.fleet, scenario.killed_at, scenario.stopped_at)
    by_hand = _by_hand(simulation, calls) if scenario.overtaken else None
    first = simulation.run(wish, calls, raising=scenario.raising, watch=_one_unproven(simulation))
    if not (by_hand and by_hand.over and first.state and first.state.ending is Ending.DEPLOYED):  # and then taken back
        _hold(simulation, first)
    if by_hand:
        by_hand.finish()
    interrupted = first.state is not None and first.state.ending is Ending.INTERRUPTED
    if scenario.then and (first.killed or interrupted):
        goal = Goal.DEPLOY if scenario.then == "deploy" else Goal.ROLLBACK
        version = Version(NEW) if goal is Goal.DEPLOY else None
        again = Wish(simulation.service, version, waived=broken if goal is Goal.DEPLOY else {}, goal=goal)
        simulation.fleet.healed = scenario.healed
        if scenario.restores:
            put_right = Wish(simulation.service, None, goal=Goal.RESTORE)
            _hold(simulation, simulation.run(put_right, Calls(simulation.fleet)))
        second = simulation.run(again, Calls(simulation.fleet), watch=_one_unproven(simulation))
        _hold(simulation, second)
        if scenario.healed:
            _hold_finished(simulation, second)
    return simulation


def _by_hand(simulation: Simulation, calls: Calls) -> Overtaking:
    """Have somebody roll back by hand in the middle of a deploy, on its machine or on another."""
    scenario = simulation.scenario
    wish = Wish(simulation.service, None, goal=Goal.ROLLBACK)
    gate = simulation.gate(wish, Calls(simulation.fleet), elsewhere=scenario.elsewhere)
    return Overtaking(gate, calls, scenario.overtaken or (0, 0), lambda told: _hold(simulation, told))


def _hold_finished(simulation: Simulation, told: Told) -> None:
    """Promise 4: once all faults are gone, the run after a kill brings the whole fleet to one version."""
    fleet, scenario = simulation.fleet, simulation.scenario
    if told.refused:
        allowed = {"bad-version", "baseline", "floor", "nothing-to-undo", "way-back"}
        odd = {finding.rule for finding in told.refused} - allowed
        if odd:
            fleet.violations.append(f"promise 4: the run after a kill was refused for {odd}")
        return
    gone = {Fault.OLD_GONE, Fault.OLD_LOST} & set(scenario.faults.values())
    if told.state is None or gone or scenario.down:
        return
    version = NEW if told.goal is Goal.DEPLOY else OLD
    out = [name for name in scenario.names if fleet.boxes[name].out]
    if out and not (told.plan and told.plan.skipped):
        fleet.violations.append(f"promise 4: after the second run ({told.state.ending}) {out} are out of the balancer")
    well = [name for name in scenario.names if fleet.truly_good(name, version)]
    if len(well) < len(scenario.names) and not (told.plan and told.plan.skipped):
        odd = {name for name in scenario.names if name not in well}
        fleet.violations.append(f"promise 4: after the second run ({told.state.ending}) {odd} are not at {version}")


def _one_unproven(simulation: Simulation) -> Callable[[State, Event], None]:
    scenario = simulation.scenario
    most = max((wave.of(scenario.production) for wave in scenario.waves), default=1)

    def watch(state: State, event: Event) -> None:
        unproven = state.standing(Standing.UNPROVEN)
        proven = any(track.standing is Standing.PROVEN for name, track in state.tracks.items() if name[0] == "i")
        held = any(move.instance[0] == "i" for move in state.plan.held)
        if len(unproven) > (most if proven or held or state.failures else 1):
            simulation.fleet.violations.append(f"promise 1: {len(unproven)} unproven instances")
        for name in set(state.plan.balanced) & set(state.standing(Standing.UNPROVEN)):
            served = not simulation.fleet.boxes[name].out and not simulation.fleet.jammed(name)
            if served and simulation.fleet.release(name) == NEW:
                simulation.fleet.violations.append(f"promise 1: {name} is sent traffic before it has passed")
        if isinstance(event, Switched):
            _hold_put_back(simulation.fleet, state)

    return watch


def _hold_put_back(fleet: Fleet, state: State) -> None:
    """Promise 6: what is verified at its old version is sent traffic again before the next ones are taken back."""
    if state.phase is not Phase.VERIFYING:
        return
    for name in (set(state.plan.balanced) & set(state.standing(Standing.BACK))) - set(state.batch):
        if fleet.boxes[name].out and not fleet.scenario.jammed and fleet.truly_good(name, OLD):
            fleet.violations.append(f"promise 6: {name} is back, and out of the balancer while others go")


def _hold(simulation: Simulation, told: Told) -> None:
    """Hold the promises against a run that has ended."""
    state, plan, fleet = told.state, told.plan, simulation.fleet
    if state is None or plan is None or told.killed:
        return
    say = fleet.violations.append
    if state.ending is None:
        say("promise 1: a run without a named ending")
    if replay(plan, told.baseline, told.events) != state:
        say("history: replaying it gives another rollout")
    _hold_looked(fleet, plan, told)
    switched = [change.instance for action in told.actions if isinstance(action, Switch) for change in action.changes]
    if (state.ending in {Ending.REFUSED, Ending.LOCKED} or told.goal is Goal.RESTORE) and switched:
        say(f"promise 1: {state.ending}, but something was touched")
    _hold_ending(fleet, plan, told, state, set(switched))
    _hold_one_way(fleet, plan, told)
    _hold_traffic(fleet, state)
    if told.goal is Goal.DEPLOY and state.cause and state.cause.verdict:
        _hold_remembered(simulation)


def _hold_ending(fleet: Fleet, plan: Plan, told: Told, state: State, switched: set[InstanceName]) -> None:
    touched = switched & {move.instance for move in plan.moves} | {move.instance for move in plan.held}
    ways = {move.instance: move.was for move in plan.way_back if move.instance in touched}
    if state.ending is Ending.DEPLOYED:
        _hold_deployed(fleet, plan, told)
    elif state.ending is Ending.ROLLED_BACK:
        _hold_rolled_back(fleet, ways)
    elif state.ending is Ending.ROLLBACK_FAILED and not plan.one_way:
        for name, was in ways.items():
            if fleet.fault(name) is None and was == OLD and not fleet.truly_good(name, OLD):
                fleet.violations.append(f"promise 6: {name} could have been taken back, and was not")


def _hold_one_way(fleet: Fleet, plan: Plan, told: Told) -> None:
    """Promise 6: what is to be taken back by hand, or by nobody, a deploy does not take back as a whole."""
    if not plan.one_way or told.state is None:
        return
    changes = [change for action in told.actions if isinstance(action, Switch) for change in action.changes]
    back = {change.instance for change in changes if change.start != plan.version}
    if len(back) > (0 if plan.back is BackKind.FORBIDDEN else told.state.failures):
        fleet.violations.append(f"promise 6: {back} were taken back, and the way back is {plan.back}")
    if any(isinstance(action, RaiseRollback) for action in told.actions):
        fleet.violations.append(f"promise 6: a rollback was raised, and the way back is {plan.back}")


def _hold_capacity(fleet: Fleet, state: State, event: Event) -> None:
    """Promise 1: none is taken out of the balancer while one that is proven waits to be put back."""
    if not isinstance(event, Drained) or state.hindered or state.phase is Phase.CONTAINING:
        return
    waiting = [
        name
        for name, track in state.tracks.items()
        if track.standing in {Standing.BACK, Standing.PROVEN}
        and track.out
        and name not in {*event.instances, *state.queue}
    ]
    if waiting:
        fleet.violations.append(f"promise 1: {event.instances} were taken out while {waiting} were still out")


def _hold_traffic(fleet: Fleet, state: State) -> None:
    """Promise 4: what ended well, or was never changed, is in the balancer at the end."""
    for name, track in state.tracks.items():
        kept = track.standing in {Standing.OLD, Standing.PROVEN, Standing.BACK} and not state.lost
        if track.standing is Standing.PROVEN and track.tally and track.rule:  # it had passed when the end began
            kept = kept and track.holds and track.tally.good_since + track.rule.min_healthy <= state.since
        kept = kept and track.seen is not None and track.seen.health == "healthy"
        if kept and fleet.boxes[name].out and not fleet.jammed(name) and fleet.truly_good(name, fleet.release(name)):
            fleet.violations.append(f"promise 4: {name} was left out of the balancer ({state.ending})")


def _hold_looked(fleet: Fleet, plan: Plan, told: Told) -> None:
    """Promise 4: at its end, a run has looked at every instance since its last change."""
    changes = [number for number, action in enumerate(told.actions) if isinstance(action, Switch)]
    after = told.events[changes[-1] + 1 if changes else 0 :]
    looked = {seen.instance for event in after if isinstance(event, Seen) for seen in event.sightings}
    if looked != set(plan.instances):
        fleet.violations.append("promise 4: a run that did not look at every instance at its end")


def _hold_rolled_back(fleet: Fleet, ways: dict[InstanceName, Version | None]) -> None:
    for name, was in ways.items():
        shown, process = fleet.shown[name], fleet.boxes[name].process
        well = shown.health == "healthy" and shown.version == was and process is not None and process.release == was
        if was and not well:
            fleet.violations.append(f"promise 6: rolled back, but {name} is not well at {was}")
        if was is None and fleet.boxes[name].process is not None:
            fleet.violations.append(f"promise 6: rolled back, but {name} runs something")


def _hold_remembered(simulation: Simulation) -> None:
    journal = SimJournal(RunId("later"), Calls(simulation.fleet), simulation.shared.journals)
    known = Known(simulation.fleet.shown, (), Past(journal.past(SERVICE)))
    verdict = plan_deploy(simulation.shared.inventory, Wish(simulation.service, Version(NEW)), known)
    if isinstance(verdict, Plan) or "bad-version" not in {finding.rule for finding in verdict}:
        simulation.fleet.violations.append("promise 7: a version that failed was not remembered")


def _hold_deployed(fleet: Fleet, plan: Plan, told: Told) -> None:
    before = {seen.instance: seen.identity for seen in told.baseline}
    moved = {move.instance for move in plan.moves}
    for name in plan.instances:
        shown, process = fleet.shown[name], fleet.boxes[name].process
        if process is None or process.release != plan.version or shown.version != plan.version:
            fleet.violations.append(f"promise 2: deployed, but {name} does not run {plan.version}")
        elif shown.health != "healthy":
            fleet.violations.append(f"promise 2: deployed, but {name} was last seen {shown.health}")
        elif name in moved and process.identity == before[name]:
            fleet.violations.append(f"promise 2: deployed, but {name} is the process that ran before")
    changed = [
        (change.instance, event.at)
        for action, event in zip(told.actions, told.events, strict=True)
        if isinstance(action, Switch)
        for change in action.changes
    ]
    for name, since in changed:
        times = [time for time in told.looked[name] if time >= since]
        gap = max((after - earlier for earlier, after in pairwise(times)), default=0.0)
        if gap > 3 * HEALTH.interval + HEALTH.timeout:
            fleet.violations.append(f"promise 3: {name} was not looked at for {gap:.1f} s")
