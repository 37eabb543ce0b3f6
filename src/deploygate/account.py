"""What is to be told of a run, as a value: the verdict first, then why, what was done, what to do, whom it concerns."""

from collections.abc import Mapping
from dataclasses import dataclass

from deploygate.endings import MEANINGS, Ending, Goal, succeeded
from deploygate.findings import Finding
from deploygate.inventory import Service
from deploygate.names import InstanceName, RunId
from deploygate.past import Run
from deploygate.plan import Move, Plan
from deploygate.probe import Sighting
from deploygate.rollout import Rollout, Standing, no_traffic
from deploygate.wording import count, seconds


@dataclass(frozen=True, slots=True)
class Row:
    """One instance at the end of a run, as it was observed."""

    instance: str
    environment: str
    version: str
    health: str
    state: str
    says: str


@dataclass(frozen=True, slots=True)
class Account:
    """A run in the words of its readers; `elapsed` is in seconds, `concerns` a role and a name."""

    run: RunId
    goal: Goal
    service: str
    version: str
    ending: Ending
    headline: str
    why: str = ""
    done: tuple[str, ...] = ()
    now: str = ""
    concerns: tuple[str, str] | None = None
    rows: tuple[Row, ...] = ()
    notes: tuple[str, ...] = ()
    reasons: tuple[Finding, ...] = ()
    elapsed: float = 0.0


_LOCKED_NOW = "Wait for that run, or stop it; the lock is free as soon as it is over."
_STATES = {
    Standing.OLD: "not touched",
    Standing.UNPROVEN: "updated, not proven",
    Standing.PROVEN: "updated",
    Standing.RETURNING: "taken back, not verified",
    Standing.BACK: "taken back",
    Standing.STUCK: "stuck",
}


def refused(run: RunId, goal: Goal, service: Service, version: str, reasons: tuple[Finding, ...]) -> Account:
    """Tell of a run that never began, with every reason."""
    rules = {reason.rule for reason in reasons}
    interface = any(rule.startswith("interface-") for rule in rules)
    return Account(
        run=run,
        goal=goal,
        service=service.name,
        version=version,
        ending=Ending.REFUSED,
        headline=f"{service.name} {version} was refused for {count(len(reasons), 'reason')}; nothing was touched",
        concerns=("dev", service.owners.dev) if interface else ("ops", service.owners.ops),
        reasons=reasons,
    )


def locked(run: RunId, goal: Goal, service: Service, version: str, by: Run) -> Account:
    """Tell of a run that another one, which goes on, kept from even being planned."""
    return Account(
        run=run,
        goal=goal,
        service=service.name,
        version=version,
        ending=Ending.LOCKED,
        headline=f"{service.name} {version}: {MEANINGS[Ending.LOCKED]}",
        why=f"{by.plan.goal} run {by.run} (since {by.at}) is under way",
        now=_LOCKED_NOW,
        concerns=("ops", service.owners.ops),
    )


def already_there(run: RunId, service: Service, plan: Plan, seen: Mapping[InstanceName, Sighting]) -> Account:
    """Tell of a run that had nothing to do."""
    rows = tuple(_row(name, environment, seen[name], "") for name, environment in plan.instances.items())
    size = count(len(rows), "instance")
    headline = f"{service.name} {plan.version} is there already, on {size}; nothing was restarted"
    if plan.goal is Goal.RESTORE:
        headline = f"{service.name}: no run has left an instance out of the balancer"
    return Account(run, plan.goal, service.name, plan.version, Ending.ALREADY_THERE, headline, rows=rows)


def account(run: RunId, rollout: Rollout, service: Service, elapsed: float) -> Account:
    """Tell of a run that ended."""
    plan, ending = rollout.plan, rollout.ending or Ending.INTERNAL_ERROR
    cause = rollout.cause
    about = f"{cause.instance}: " if cause and cause.instance and not cause.says.startswith(cause.instance) else ""
    return Account(
        run=run,
        goal=plan.goal,
        service=service.name,
        version=plan.version,
        ending=ending,
        headline=_headline(rollout, ending),
        why=f"{about}{cause.says}" if cause else "",
        done=tuple(_done(rollout)),
        now=_now(rollout, ending),
        concerns=("ops", service.owners.ops) if not succeeded(ending, plan.goal) else None,
        rows=tuple(
            _row(name, track.environment, track.seen, _row_state(rollout, name))
            for name, track in rollout.tracks.items()
        ),
        notes=(
            *plan.unprotected,
            *(f"{name} is owed the version (debt)" for name in rollout.debts),
            *((f"the balancer: {rollout.hindered}",) if rollout.hindered else ()),
        ),
        elapsed=elapsed,
    )


def from_versions(moves: tuple[Move, ...]) -> str:
    """Name the versions that moves come from: `1.2`, `1.1 and 1.2`, `nothing`."""
    return " and ".join(sorted({str(move.was) for move in moves if move.was})) or "nothing"


def _headline(rollout: Rollout, ending: Ending) -> str:
    plan = rollout.plan
    name = f"{plan.service} {plan.version}"
    back = rollout.standing(Standing.BACK)
    match ending:
        case Ending.DEPLOYED:
            size = count(len(plan.moves) + len(plan.held), "instance")
            return f"{name} runs on {size}, each proven (before: {from_versions(plan.way_back)})"
        case Ending.ROLLED_BACK:
            if plan.goal is Goal.ROLLBACK:
                return f"{plan.service} is back at {from_versions(plan.moves)}, on {count(len(back), 'instance')}"
            return f"{name} failed and was taken back: {count(len(back), 'instance')} at {from_versions(plan.way_back)}"
        case Ending.ALREADY_THERE if plan.goal is Goal.RESTORE:
            return f"{plan.service}: {', '.join(back)} passed, and may have traffic again; nothing was restarted"
        case Ending.ALREADY_THERE:
            return f"{plan.service} runs {from_versions(plan.moves)} already; nothing was restarted"
        case Ending.MIXED:
            return f"{name} is on some instances only; halted, with two versions in the fleet"
        case Ending.ROLLBACK_FAILED:
            stuck = ", ".join(rollout.standing(Standing.STUCK)) or "an instance"
            return (
                f"ROLLBACK FAILED: {stuck} of {plan.service} could not be taken back to {from_versions(plan.way_back)}"
            )
        case _:
            return f"{name}: {MEANINGS[ending]}"


def _done(rollout: Rollout) -> list[str]:
    plan = rollout.plan
    said = []
    if rollout.took_over:
        said.append(f"took the lock over from {rollout.took_over}")
    restored = [name for name in plan.out if not rollout.tracks[name].out]
    if restored:
        said.append(f"put {', '.join(restored)} back into the balancer, where an earlier run had left it out")
    moved = {move.instance for move in plan.moves}
    passed = [name for name in rollout.standing(Standing.PROVEN) if name in moved and not _overtaken(rollout, name)]
    if plan.goal is Goal.DEPLOY and rollout.failing:
        said.append(f"contained {', '.join(rollout.failing)}: killed {plan.version}, started the old version")
    if rollout.raised:
        said.append(f"raised a rollback: {rollout.raised}")
    if passed and rollout.ending is not Ending.DEPLOYED:
        said.append(f"left {', '.join(passed)} at {plan.version}")
    known = rollout.cause.says if rollout.cause else ""
    stuck = [
        name if rollout.tracks[name].stuck == known else f"{name} ({rollout.tracks[name].stuck})"
        for name in rollout.standing(Standing.STUCK)
    ]
    if stuck and plan.goal is not Goal.RESTORE:
        said.append(f"could not take back {', '.join(stuck)}")
    return said


def _now(rollout: Rollout, ending: Ending) -> str:
    plan = rollout.plan
    back = f"deploygate rollback {plan.service}"
    match ending:
        case Ending.ROLLED_BACK if plan.goal is Goal.DEPLOY:
            bad = rollout.cause is not None and rollout.cause.verdict
            again = f"; {plan.version} is refused from now on" if bad else ""
            return f"Mend it and release a new version{again}."
        case Ending.ROLLBACK_FAILED:
            return f"Look at the stuck instances now, then run `{back}` again."
        case Ending.MIXED:
            waive = " --waive bad-version=REASON" if rollout.cause and rollout.cause.verdict else ""
            on = f"deploygate deploy {plan.service} {plan.version}{waive}"
            return f"Decide: `{on}` to go on, or a newer version; `{back}` to go back."
        case Ending.INTERRUPTED if plan.goal is Goal.DEPLOY and not (rollout.changed or plan.held):
            return f"Nothing was touched. Run `deploygate deploy {plan.service} {plan.version}` again."
        case Ending.INTERRUPTED if plan.goal is Goal.DEPLOY:
            return f"Run `deploygate deploy {plan.service} {plan.version}` again to finish, or `{back}` to undo it."
        case Ending.INTERRUPTED:
            return f"Run `{back}` again to finish it."
        case Ending.LOCKED:
            return _LOCKED_NOW
        case Ending.CANNOT_TELL:
            return f"Run `deploygate observe {plan.service}` and look at what does not answer."
        case _:
            return ""


def _state(rollout: Rollout, name: InstanceName) -> str:
    if name in rollout.debts:
        return "debt: left at its old version"
    track = rollout.tracks[name]
    if rollout.plan.goal is Goal.RESTORE:
        return ""
    if rollout.plan.goal is Goal.ROLLBACK and track.standing is Standing.OLD:
        return "" if track.move is None else "not taken back"
    return "changed by another run" if _overtaken(rollout, name) else _STATES[track.standing]


def _row_state(rollout: Rollout, name: InstanceName) -> str:
    """Say how far an instance has come, and whether it is left without traffic."""
    state, idle = _state(rollout, name), name in rollout.plan.balanced and no_traffic(rollout.tracks[name])
    return f"{state}, out of the balancer".removeprefix(", ") if idle else state


def _overtaken(rollout: Rollout, name: InstanceName) -> bool:
    """Tell whether an instance that this run left at the new version was last seen at another."""
    track = rollout.tracks[name]
    left = track.standing in {Standing.UNPROVEN, Standing.PROVEN}
    return left and track.seen is not None and track.seen.running not in {None, rollout.plan.version}


def _row(name: str, environment: str, seen: Sighting | None, state: str) -> Row:
    if seen is None:
        return Row(name, environment, "?", "unknown", state, "not observed")
    return Row(name, environment, seen.version or "-", seen.health.value, state, seen.says)


def effort(plan: Plan) -> str:
    """Say how long a plan takes: as expected, and at the worst."""
    return f"about {seconds(plan.expected)}, at most {seconds(plan.worst)} with the way back"
