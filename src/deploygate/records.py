"""A run as a record that a forge keeps: what is written into one, and what a few of them tell of a run."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
from msgspec.structs import replace

from deploygate.closing import Closing, Said, ended
from deploygate.endings import Ending, Goal
from deploygate.names import NAME, VERSION, Environment, InstanceName, RunId, ServiceName, Version
from deploygate.packed import LARGEST, pack, unpack
from deploygate.past import Run
from deploygate.plan import Plan, Watch
from deploygate.wording import plain

SCHEMA = 1
_LARGEST_RECORD = 200_000  # characters of a record that came as text

_RUN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)
_REACHED = {"in_progress", "failure", "error"}
_WELL = {Ending.DEPLOYED, Ending.ROLLED_BACK}


class GitHubRun(msgspec.Struct, frozen=True):
    """Which run of a workflow, and which attempt of it, a run of the gate was."""

    run_id: int
    attempt: int = 1


class Record(msgspec.Struct, frozen=True):
    """What is kept of a run for one environment; `plan` is packed, and empty where it would be too large (`unplanned`).

    A rollback of a run without its plan must name its version; that its version was bad is remembered all the same.
    """

    deploygate: int
    run: RunId
    service: ServiceName
    environment: Environment
    version: Version
    goal: Goal
    actor: str
    at: str
    reason: str = ""
    of_run: str = ""
    github: GitHubRun | None = None
    plan: str = ""
    unplanned: bool = False


@dataclass(frozen=True, slots=True)
class Authored:
    """By whom a run was asked for, when and why, and which run of a workflow it is."""

    actor: str
    at: str
    reason: str = ""
    github: GitHubRun | None = None


@dataclass(frozen=True, slots=True)
class Kept:
    """A record with its statuses, the newest first, and when the forge says that it was made, also in seconds."""

    record: Record
    statuses: tuple[Said, ...]
    at: str
    since: float = 0.0

    @property
    def ended(self) -> Closing | None:
        """How the record was closed, if it was."""
        return ended(self.statuses)

    @property
    def begun(self) -> bool:
        """Whether the environment may have been changed."""
        states, over = {said.state for said in self.statuses}, self.ended
        well = "success" in states and (over is None or over.ending in _WELL)
        return bool(states & _REACHED) or well


def concerned(plan: Plan) -> tuple[Environment, ...]:
    """Return the environments of which a plan changes or watches instances, in the order of the deploy."""
    own = dict.fromkeys(move.environment for move in (*plan.held, *plan.moves))
    return tuple(one for one in (dict.fromkeys(plan.floors) | own) if one in own)


def records(run: RunId, plan: Plan, by: Authored) -> tuple[Record, ...]:
    """Return what is to be kept of a run before it changes anything: a record for each environment."""
    packed = pack(plan)
    return tuple(
        Record(
            deploygate=SCHEMA,
            run=run,
            service=plan.service,
            environment=environment,
            version=plan.version,
            goal=plan.goal,
            actor=by.actor,
            at=by.at,
            reason=plain(by.reason, 300),
            of_run=plan.of_run,
            github=by.github,
            plan=packed,
            unplanned=not packed,
        )
        for environment in concerned(plan)
    )


def payload(record: Record) -> dict[str, object]:
    """Return a record as an object of JSON."""
    made: dict[str, object] = msgspec.to_builtins(record)
    return made


def read(given: object) -> Record | None:
    """Return the record that a payload is, which may be text or an object and made by anybody; else nothing."""
    try:
        if isinstance(given, str):
            if len(given) > _LARGEST_RECORD:
                return None
            record = msgspec.json.decode(given, type=Record)
        else:
            record = msgspec.convert(given, type=Record)
    except (msgspec.MsgspecError, ValueError, TypeError, RecursionError):
        return None
    named = _RUN.fullmatch(record.run) and NAME.fullmatch(record.service) and NAME.fullmatch(record.environment)
    if len(record.plan) > LARGEST or record.unplanned != (record.plan == ""):
        return None
    if record.deploygate != SCHEMA or not named or not (record.version == "" or VERSION.fullmatch(record.version)):
        return None
    reason, actor = plain(record.reason, 300), plain(record.actor, 60)
    return replace(record, reason=reason, actor=actor)


def recall(kept: Sequence[Kept], *, alive: bool = False) -> Run | None:
    """Return the run that its records tell of, or nothing where they do not agree on what it was.

    Which instance was changed is not on record, but which environments were begun: all moves of those count as
    touched. A rollback looks before it changes anything, so that one too many does no harm.
    """
    if not kept:
        return None
    first = kept[0].record
    told = [one for one in kept if _same(one.record, first)]
    plan = _planned(first)
    if plan is None:
        return None
    endings = [found for one in told if (found := one.ended)]
    over = endings[0] if endings else None
    reached = {one.record.environment for one in told if one.begun}
    if plan.goal is Goal.RESTORE or (over and over.ending in {Ending.REFUSED, Ending.LOCKED}):
        reached = set()
    if first.unplanned:
        plan = replace(plan, floors=dict.fromkeys(reached, 0))
    moves = [move for move in (*plan.held, *plan.moves) if move.environment in reached]
    out, restored = _traffic(plan, told)
    return Run(
        run=first.run,
        at=min(one.at for one in told),
        actor=first.actor,
        plan=plan,
        touched=frozenset(move.instance for move in moves),
        ending=over.ending if over else None,
        cause=over.says if over else "",
        bad=any(found.bad for found in endings),
        alive=alive and over is None,
        debts=_owed(plan, told),
        out=out,
        restored=restored,
        github_run=first.github.run_id if first.github else None,
        unplanned=first.unplanned and bool(reached),
    )


def _same(one: Record, other: Record) -> bool:
    """Tell whether two records are of one run, but for the environment."""
    return replace(one, environment=other.environment) == other


def _owed(plan: Plan, kept: Sequence[Kept]) -> tuple[InstanceName, ...]:
    """Return who was left behind; where the names did not fit, all moves of that environment."""
    owed: dict[InstanceName, None] = {}
    for one in kept:
        if found := ended(one.statuses):
            names = found.owes
            every = (move.instance for move in plan.moves if move.environment == one.record.environment)
            owed |= dict.fromkeys(every if names is None else names)
    return tuple(owed)


def _traffic(plan: Plan, kept: Sequence[Kept]) -> tuple[dict[InstanceName, float], dict[InstanceName, float]]:
    """Return whom a run may have left out of the balancer, and whom it put back.

    One that came to its end tells who is still out. Of one that was cut off nobody knows, so it may be each that it
    was to change; what is observed to be in service, or was out by somebody else's hand before, is not counted.
    """
    out: dict[InstanceName, float] = {}
    restored: dict[InstanceName, float] = {}
    changed = {move.instance for move in (*plan.moves, *plan.held)} | set(plan.out)
    for one in kept:
        told = one.ended
        here = [name for name in plan.balanced if plan.instances.get(name) == one.record.environment]
        if told is None or told.out is None:
            at = told.at if told else max((said.at for said in one.statuses), default=one.since)
            out |= {name: at for name in here if name in changed and name not in plan.apart}
        else:
            out |= {name: told.at for name in here if name in told.out}
            restored |= {name: told.at for name in here if name not in told.out}
    return out, restored


def _planned(record: Record) -> Plan | None:
    """Return the plan of a record, where it is one of that record's run."""
    if record.unplanned:
        watch = Watch(0.0, 0, 0, 0.0, 0.0, 0.0)
        return Plan(record.goal, record.service, record.version, (), watch, {}, {}, of_run=record.of_run)
    plan = unpack(record.plan)
    same = plan and (plan.goal, plan.service, plan.version) == (record.goal, record.service, record.version)
    return plan if same else None
