"""What is to be told of a run, as a value: the verdict first, then why, what was done, what to do, whom it concerns."""

from collections.abc import Mapping
from dataclasses import dataclass

from deploygate.endings import MEANINGS, Ending, Goal, succeeded
from deploygate.findings import Finding
from deploygate.inventory import Service
from deploygate.names import InstanceName, RunId
from deploygate.narrative import LOCKED_NOW, done, headline, now, row_state
from deploygate.past import Run
from deploygate.plan import Plan
from deploygate.probe import Sighting
from deploygate.rollout import Rollout
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
        now=LOCKED_NOW,
        concerns=("ops", service.owners.ops),
    )


def already_there(run: RunId, service: Service, plan: Plan, seen: Mapping[InstanceName, Sighting]) -> Account:
    """Tell of a run that had nothing to do."""
    rows = tuple(_row(name, environment, seen[name], "") for name, environment in plan.instances.items())
    size = count(len(rows), "instance")
    says = f"{service.name} {plan.version} is there already, on {size}; nothing was restarted"
    if plan.goal is Goal.RESTORE:
        says = f"{service.name}: no run has left an instance out of the balancer"
    return Account(run, plan.goal, service.name, plan.version, Ending.ALREADY_THERE, says, rows=rows)


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
        headline=headline(rollout, ending),
        why=f"{about}{cause.says}" if cause else plan.reason,
        done=tuple(done(rollout)),
        now=now(rollout, ending),
        concerns=("ops", service.owners.ops) if not succeeded(ending, plan.goal) else None,
        rows=tuple(
            _row(name, track.environment, track.seen, row_state(rollout, name))
            for name, track in rollout.tracks.items()
        ),
        notes=(
            *plan.unprotected,
            *(f"{name} is owed the version (debt)" for name in rollout.debts),
            *((f"the balancer: {rollout.hindered}",) if rollout.hindered else ()),
        ),
        elapsed=elapsed,
    )


def _row(name: str, environment: str, seen: Sighting | None, state: str) -> Row:
    if seen is None:
        return Row(name, environment, "?", "unknown", state, "not observed")
    return Row(name, environment, seen.version or "-", seen.health.value, state, seen.says)


def effort(plan: Plan) -> str:
    """Say how long a plan takes: as expected, and at the worst."""
    return f"about {seconds(plan.expected)}, at most {seconds(plan.worst)} with the way back"
