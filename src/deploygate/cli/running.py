"""A wish is planned, run, watched and told of: the same way for a deploy and for a rollback."""

import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial

import click

from deploygate import report
from deploygate.account import Account, account, already_there, locked, refused
from deploygate.cli.finding_out import find_out
from deploygate.cli.progress import progress
from deploygate.cli.wiring import Gate
from deploygate.drive import drive
from deploygate.endings import Ending, Goal, exit_code, succeeded
from deploygate.events import Action, Event, LockTaken
from deploygate.fencing import Found, fenced, let_go
from deploygate.findings import Finding
from deploygate.names import Environment, RunId
from deploygate.plan import Plan, Planned
from deploygate.planning import plan_deploy
from deploygate.rehearsal import rehearse
from deploygate.returning import plan_restore, plan_rollback
from deploygate.rollout import Rollout
from deploygate.wish import Known, Wish
from deploygate.wording import plain

RENDER: dict[str, Callable[[Account], str]] = {
    "text": report.as_text,
    "json": report.as_json,
    "markdown": report.as_markdown,
}


@dataclass(frozen=True, slots=True)
class Telling:
    """How a run is shown: the format of its account, its progress, and whether it is only rehearsed."""

    form: str
    progress: str = "none"
    dry_run: bool = False


def carry_out(gate: Gate, wish: Wish, telling: Telling) -> int:
    """Plan a wish from what is observed, run it, tell of it, and return the exit code."""
    told = run(gate, wish, telling)
    if told is None:
        return 0
    if not telling.dry_run and told.ending is not Ending.LOCKED:  # what is shown is of the run that holds the lock
        markdown = report.as_markdown(told)
        _try(lambda: gate.world.forge.comment(told.service, markdown))
        _try(lambda: gate.world.forge.summary(markdown))
    _try(lambda: click.echo(RENDER[telling.form](told), nl=False))
    return exit_code(told.ending, told.goal)


def run(gate: Gate, wish: Wish, telling: Telling) -> Account | None:
    """Plan a wish from what is observed, run it, and return what is to be told of it; a rehearsal is printed only."""
    if not telling.dry_run:
        gate.clock.listen()
    world, (known, planned) = gate.world, _found(gate, wish)
    if not telling.dry_run:
        world, (known, planned) = fenced(world, wish, (known, planned), lambda: _found(gate, wish))
    if isinstance(planned, tuple):
        busy = known.past.under_way(wish.goal)
        name = gate.world.run
        told = locked(name, wish.goal, wish.service, asked(wish), busy) if busy else refusal(name, wish, planned)
        told = replace(told, done=_overtook(world.claimed))
    elif wish.goal is not Goal.ROLLBACK and planned.idle:
        told = already_there(gate.world.run, wish.service, planned, known.seen)
    elif telling.dry_run:
        _rehearsed(planned, known, telling.form)
        return None
    else:
        try:
            told = _run(replace(gate, world=world), wish, planned, known, telling)
        except BaseException:  # it could not even begin: its journal can't be written, say
            if world.claimed is not None:
                let_go(world, wish.service)
            raise
    if not telling.dry_run and told.ending is not Ending.LOCKED:
        unsure = told.ending in {Ending.INTERRUPTED, Ending.INTERNAL_ERROR, Ending.CANNOT_TELL}
        state = "success" if succeeded(told.ending, told.goal) else "error" if unsure else "failure"
        _say(gate, wish, state, f"{told.ending}: {told.headline}")
    return told


def _found(gate: Gate, wish: Wish) -> Found:
    known = find_out(gate, wish.service)
    return known, plan_for(gate, wish, known)


def _overtook(claimed: Event | None) -> tuple[str, ...]:
    """Say from which run the lock was taken before it turned out that there is nothing to be done with it."""
    over = claimed.over if isinstance(claimed, LockTaken) else ""
    return (f"took the lock over from {over}",) if over else ()


def plan_for(gate: Gate, wish: Wish, known: Known) -> Planned:
    """Return the plan of a wish, or why there is none."""
    match wish.goal:
        case Goal.DEPLOY:
            return plan_deploy(gate.inventory, wish, known)
        case Goal.ROLLBACK:
            return plan_rollback(gate.inventory, wish, known)
        case Goal.RESTORE:
            return plan_restore(wish, known)


def refusal(run: RunId, wish: Wish, planned: tuple[Finding, ...]) -> Account:
    """Tell why there is no plan, naming what was asked for."""
    return refused(run, wish.goal, wish.service, asked(wish), planned)


def asked(wish: Wish) -> str:
    """Name the version that was asked for, or the rollback."""
    return wish.version or (wish.service.wanted if wish.goal is Goal.DEPLOY else wish.goal.value)


def concerned(gate: Gate, wish: Wish) -> tuple[Environment, ...]:
    """Return the environments that a wish is about: those of the service, up to the last one asked for."""
    last = wish.environment
    upto = gate.inventory.up_to(last)
    if wish.goal is Goal.ROLLBACK and last is not None:
        upto = (last,)
    return tuple(environment for environment in upto if wish.service.within(environment))


def _run(gate: Gate, wish: Wish, planned: Plan, known: Known, telling: Telling) -> Account:
    began = gate.clock.now()
    service = wish.service
    baseline = tuple(known.seen[name] for name in planned.instances)
    with progress(telling.progress, planned, gate.clock) as show:

        def announce(rollout: Rollout, action: Action, event: Event | None) -> None:
            show(rollout, action, event)
            if isinstance(event, LockTaken):  # before that, the status is that of the run which holds it
                _say(gate, wish, "pending", f"{wish.goal} of {planned.version} is under way")

        rollout = drive(gate.world, service, planned, baseline, gate.journal, announce)
    return account(gate.world.run, rollout, service, gate.clock.now() - began)


def _rehearsed(planned: Plan, known: Known, form: str) -> None:
    baseline = tuple(known.seen[name] for name in planned.instances)
    lines = [report.action_line(action) for action in rehearse(planned, baseline)]
    click.echo(report.actions_json(lines) if form == "json" else "".join(f"{line}\n" for line in lines), nl=False)


def _say(gate: Gate, wish: Wish, state: str, says: str) -> None:
    for environment in concerned(gate, wish):
        context = f"deploygate/{environment}/{wish.service.name}"
        _try(partial(gate.world.forge.status, context, state, plain(says, 140)))


def _try(show: Callable[[], None]) -> None:
    """Show something where people look; that it can't be shown is said, and changes nothing else."""
    try:
        show()
    except Exception as error:  # noqa: BLE001 - saying so never gets in the way of a deploy
        with suppress(OSError):
            sys.stderr.write(f"note: could not be shown: {plain(str(error))}\n")
