"""What earlier runs left behind: a fold over their journals, which is all that is remembered between runs."""

from collections.abc import Iterable

import msgspec

from deploygate.endings import Ending, Goal
from deploygate.events import Action, Drain, Drained, Event, Restored, Switch
from deploygate.names import Environment, InstanceName, RunId, Version, numbers
from deploygate.plan import Move, Plan
from deploygate.probe import Sighting
from deploygate.rollout import replay


class Run(msgspec.Struct, frozen=True):
    """One earlier run. `touched` were about to be changed, so they may have been; no `ending`: it was cut off.

    `out` were taken out of the balancer and not put back, `restored` were put back; each with the time, in seconds.
    `github_run` is the run of a workflow that it was; an `unplanned` one changed something, and what is not on record.
    """

    run: RunId
    at: str
    actor: str
    plan: Plan
    touched: frozenset[InstanceName]
    ending: Ending | None = None
    cause: str = ""
    bad: bool = False
    alive: bool = False
    debts: tuple[InstanceName, ...] = ()
    out: dict[InstanceName, float] = {}
    restored: dict[InstanceName, float] = {}
    github_run: int | None = None
    unplanned: bool = False

    @property
    def changed(self) -> bool:
        """Whether this run changed instances, or may have, or was held to some."""
        return self.unplanned or bool(self.ways)

    @property
    def ways(self) -> dict[InstanceName, Move]:
        """The moves that this run made, or may have made, or was held to."""
        held = {move.instance: move for move in self.plan.held}
        return held | {move.instance: move for move in self.plan.moves if move.instance in self.touched}


class Beginning(msgspec.Struct, frozen=True, tag_field="kind", tag="begin"):
    """The first line of a journal: what is going to be done, by whom and where, from what was observed."""

    schema: int
    run: RunId
    at: str
    actor: str
    host: str
    process: str
    plan: Plan
    baseline: tuple[Sighting, ...]


class End(msgspec.Struct, frozen=True, tag_field="kind", tag="end"):
    """The last line of a journal whose run came to its end."""

    at: str
    ending: Ending
    cause: str
    bad: bool
    debts: tuple[InstanceName, ...]


def remembered(
    begin: Beginning,
    actions: Iterable[Action],
    events: Iterable[Event],
    end: End | None,
    *,
    alive: bool,
) -> Run:
    """Return what a journal tells of its run; one that was cut off is replayed to see how far it came."""
    actions, events = tuple(actions), tuple(events)
    touched = frozenset(
        change.instance for action in actions if isinstance(action, Switch) for change in action.changes
    )
    out, restored = _traffic(actions, events)
    if end is None:
        rollout = replay(begin.plan, begin.baseline, events)
        cause, bad, debts = rollout.cause, bool(rollout.cause and rollout.cause.verdict), rollout.debts
        ending, says = None, cause.says if cause else ""
    else:
        ending, says, bad, debts = end.ending, end.cause, end.bad, end.debts
    return Run(begin.run, begin.at, begin.actor, begin.plan, touched, ending, says, bad, alive, debts, out, restored)


def _traffic(
    actions: tuple[Action, ...], events: tuple[Event, ...]
) -> tuple[dict[InstanceName, float], dict[InstanceName, float]]:
    """Return whom a run left out of the balancer, and whom it put back; a drain that was begun counts as done."""
    out: dict[InstanceName, float] = {}
    restored: dict[InstanceName, float] = {}
    for event in events:
        if isinstance(event, Drained):
            out |= dict.fromkeys(event.instances, event.at)
        elif isinstance(event, Restored):
            failed = {trouble.instance for trouble in event.troubles}
            restored |= {name: event.at for name in event.instances if name not in failed}
    if actions and isinstance(actions[-1], Drain):
        out |= dict.fromkeys(actions[-1].instances, max((event.at for event in events), default=0.0))
    return {name: at for name, at in out.items() if at >= restored.get(name, 0.0)}, restored


class Past(msgspec.Struct, frozen=True):
    """The runs of one service, oldest first."""

    runs: tuple[Run, ...] = ()

    def last_deploy(self, run: RunId | None = None) -> Run | None:
        """Return the deploy to be undone: the one named, else the last that changed something."""
        for one in reversed(self.runs):
            if one.plan.goal is Goal.DEPLOY and one.changed and run in {None, one.run}:
                return one
        return None

    def under_way(self, rank: Goal) -> Run | None:
        """Return the run that goes on at this moment and that one of this rank must wait for."""
        for one in reversed(self.runs):
            if one.alive and (rank is Goal.DEPLOY or one.plan.goal is Goal.ROLLBACK):
                return one
        return None

    @property
    def settled(self) -> bool:
        """Whether all that runs did is on record: none goes on, and the last one came to its end."""
        return not any(one.alive for one in self.runs) and (not self.runs or self.runs[-1].ending is not None)

    def unfinished(self) -> Run | None:
        """Return the last deploy if it was cut off or stopped half-way and nothing has settled it since."""
        back: set[InstanceName] = set()
        whole: set[Environment] = set()  # of which all instances went to a version that was named
        for one in reversed(self.runs):
            if one.plan.goal is Goal.ROLLBACK and one.ending in {Ending.ROLLED_BACK, Ending.ALREADY_THERE}:
                back |= {move.instance for move in one.plan.moves}
                whole |= {move.environment for move in one.plan.moves if not one.plan.of_run}
            if one.plan.goal is Goal.DEPLOY and one.changed and not one.alive:
                half = one.ending in {None, Ending.INTERRUPTED, Ending.INTERNAL_ERROR, *_HALF}
                settled = whole.issuperset(one.plan.floors) if one.unplanned else back.issuperset(one.ways)
                return one if half and not settled else None
        return None

    def idle(self) -> Run | None:
        """Return the last run, where it is a deploy that has changed nothing: yet, or before it was stopped."""
        told = (one for one in reversed(self.runs) if one.plan.goal is Goal.DEPLOY or one.plan.moves)
        last = next((one for one in told if one.plan.goal is not Goal.RESTORE), None)  # traffic is no change
        if last is None or last.changed or last.plan.goal is not Goal.DEPLOY:
            return None
        return last if last.ending in {None, Ending.INTERRUPTED, Ending.INTERNAL_ERROR} else None

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

    def older(self, version: Version, than: Version) -> bool:
        """Tell whether a version is older than another: it was deployed before it, or has the lower numbers."""
        deployed = [one.plan.version for one in self.runs if one.plan.goal is Goal.DEPLOY and one.changed]
        if version in deployed and than in deployed:
            return deployed.index(version) < deployed.index(than)
        mine, others = numbers(version), numbers(than)
        return bool(mine and others) and mine < others

    def last_change(self, instance: InstanceName) -> Run | None:
        """Return the last run that changed an instance."""
        return next((one for one in reversed(self.runs) if instance in one.touched), None)

    def debts(self) -> tuple[InstanceName, ...]:
        """Return the instances that a deploy left out or left behind, until one pays or that one is undone."""
        owed: dict[InstanceName, RunId] = {}
        for one in self.runs:
            new = {*one.plan.skipped, *one.debts}
            if one.ending is Ending.DEPLOYED:
                paid = set(one.plan.instances) - new
            elif one.plan.goal is Goal.ROLLBACK and one.ending in {Ending.ROLLED_BACK, Ending.ALREADY_THERE}:
                names = {move.instance for move in one.plan.moves}
                paid = {name for name in names if one.plan.of_run in {"", owed.get(name)}}
            else:
                paid = set()
            owed = {name: run for name, run in owed.items() if name not in paid} | dict.fromkeys(new, one.run)
        return tuple(owed)

    def drained(self) -> frozenset[InstanceName]:
        """Return the instances that runs took out of the balancer, and that no run has put back since."""
        restored: dict[InstanceName, float] = {}
        for one in self.runs:
            restored |= {name: at for name, at in one.restored.items() if at > restored.get(name, 0.0)}
        return frozenset(name for one in self.runs for name, at in one.out.items() if at >= restored.get(name, 0.0))

    def newer(self, github_run: int, version: Version) -> Run | None:
        """Return the last deploy that ended well, if a newer run of the workflow has made it, of another version."""
        last = next((one for one in reversed(self.runs) if one.ending is Ending.DEPLOYED), None)
        newer = last is not None and last.github_run is not None and last.github_run > github_run
        return last if last and newer and last.plan.version != version else None

    def last_good(self) -> Version | None:
        """Return the version of the last deploy that ended well."""
        return next((one.plan.version for one in reversed(self.runs) if one.ending is Ending.DEPLOYED), None)


_HALF = {Ending.MIXED, Ending.ROLLBACK_FAILED, Ending.CANNOT_TELL}
