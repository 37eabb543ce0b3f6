"""A rollback by hand in the middle of a deploy: it plans at one step, and takes the lock at the same one or later."""

from collections.abc import Callable

from deploygate.endings import Ending
from deploygate.names import InstanceName
from deploygate.plan import Plan

from .run import Shared, SimGate, Told
from .scenario import NEW, OLD
from .world import Calls


class Overtaking:
    """Two gates, interleaved: `plans_at` and `takes_at` count the calls of the deploy to the world.

    The lock is never taken during a change of the deploy: it waits for that, as on a real machine. `hold` is asked
    when the rollback has come to its end.
    """

    def __init__(self, gate: SimGate, deploy: Calls, steps: tuple[int, int], hold: Callable[[Told], None]) -> None:
        plans_at, takes_at = steps
        self.gate = gate
        self._hold = hold
        self._deploy = deploy
        self._plans_at = plans_at
        self._takes_at = max(plans_at, takes_at)
        self._planned = False
        self.over = False
        deploy.meanwhile = self._step

    def finish(self) -> None:
        """Do what is left, now that the deploy has come to its end."""
        self._step(ended=True)

    def _step(self, *, ended: bool = False) -> None:
        if not self._planned and (ended or self._deploy.made >= self._plans_at):
            self._planned = True
            self.gate.plan()
        if not self.over and (ended or self._deploy.made >= self._takes_at) and not self.gate.shared.guarded:
            self.over = True
            self.gate.go()
            hold_taken_back(self.gate.shared, self.gate.told)
            self._hold(self.gate.told)


def hold_taken_back(shared: Shared, told: Told) -> None:
    """Promises 2, 4 and 6: what says that all is as it was before the deploy is right about every instance."""
    state, plan, fleet = told.state, told.plan, shared.fleet
    if state is None or plan is None or state.ending not in {Ending.ROLLED_BACK, Ending.ALREADY_THERE}:
        return
    for name in plan.instances:
        if fleet.release(name) == NEW:
            fleet.violations.append(f"promise 2: {state.ending}, but {name} runs {NEW}")
        if fleet.boxes[name].out and _goes_back(plan, name):
            fleet.violations.append(f"promise 4: {state.ending}, but {name} is out of the balancer")
    well = [name for name in plan.instances if fleet.truly_good(name, OLD)]
    odd = {move.instance for move in plan.moves if move.was} - set(well)
    if odd:
        fleet.violations.append(f"promise 6: {state.ending}, but {odd} are not well at {OLD}")


def _goes_back(plan: Plan, name: InstanceName) -> bool:
    return all(move.was for move in plan.moves if move.instance == name)
