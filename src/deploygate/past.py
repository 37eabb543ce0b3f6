"""What earlier runs left behind: a fold over their journals, which is all that is remembered between runs."""

import msgspec

from deploygate.endings import Ending, Goal
from deploygate.events import Event
from deploygate.names import InstanceName, RunId, Version
from deploygate.plan import Move, Plan
from deploygate.probe import Sighting


class Run(msgspec.Struct, frozen=True):
    """One earlier run. `touched` were about to be changed, so they may have been; no `ending`: it was cut off."""

    run: RunId
    at: str
    actor: str
    plan: Plan
    baseline: tuple[Sighting, ...]
    touched: frozenset[InstanceName]
    events: tuple[Event, ...] = ()
    ending: Ending | None = None
    cause: str = ""
    bad: bool = False
    alive: bool = False
    debts: tuple[InstanceName, ...] = ()

    @property
    def ways(self) -> dict[InstanceName, Move]:
        """The moves that this run made, or may have made, or was held to."""
        held = {move.instance: move for move in self.plan.held}
        return held | {move.instance: move for move in self.plan.moves if move.instance in self.touched}


class Past(msgspec.Struct, frozen=True):
    """The runs of one service, oldest first."""

    runs: tuple[Run, ...] = ()

    def last_deploy(self, run: RunId | None = None) -> Run | None:
        """Return the deploy to be undone: the one named, else the last that changed something."""
        for one in reversed(self.runs):
            if one.plan.goal is Goal.DEPLOY and one.ways and run in {None, one.run}:
                return one
        return None

    def unfinished(self) -> Run | None:
        """Return the last deploy if it was cut off or stopped half-way and nothing has settled it since."""
        for one in reversed(self.runs):
            if not one.ways or one.alive:
                continue
            if one.plan.goal is Goal.ROLLBACK and one.ending in {Ending.ROLLED_BACK, Ending.ALREADY_THERE}:
                return None
            if one.plan.goal is Goal.DEPLOY:
                return one if one.ending in {None, Ending.INTERRUPTED, Ending.INTERNAL_ERROR, *_HALF} else None
        return None

    def bad(self, version: Version) -> str:
        """Say why a version is refused: the reason of its last failure, unless it was deployed well since."""
        for one in reversed(self.runs):
            if one.plan.goal is Goal.DEPLOY and one.plan.version == version:
                if one.ending is Ending.DEPLOYED:
                    return ""
                if one.bad:
                    return f"run {one.run}: {one.cause}"
        return ""

    def came_from(self, instance: InstanceName, version: Version) -> Version | None:
        """Return the version that an instance had before it was moved to `version`, as far as is recorded."""
        for one in reversed(self.runs):
            move = one.ways.get(instance)
            if move and one.plan.goal is Goal.DEPLOY and move.to == version and move.was != version:
                return move.was
        return None

    def last_change(self, instance: InstanceName) -> Run | None:
        """Return the last run that changed an instance."""
        return next((one for one in reversed(self.runs) if instance in one.touched), None)

    def debts(self) -> tuple[InstanceName, ...]:
        """Return the instances that were left out or left behind by the last deploy, until they are paid."""
        owed: dict[InstanceName, None] = {}
        for one in self.runs:
            for name in (*one.plan.skipped, *one.debts):
                owed[name] = None
            if one.ending in {Ending.DEPLOYED, Ending.ROLLED_BACK}:
                for name in one.touched - set(one.debts):
                    owed.pop(name, None)
        return tuple(owed)

    def last_good(self) -> Version | None:
        """Return the version of the last deploy that ended well."""
        return next((one.plan.version for one in reversed(self.runs) if one.ending is Ending.DEPLOYED), None)


_HALF = {Ending.MIXED, Ending.ROLLBACK_FAILED, Ending.CANNOT_TELL}
