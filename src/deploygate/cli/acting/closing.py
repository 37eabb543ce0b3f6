"""The last word on a step that was cut off: traffic put right, instances asked, and all that was pending is closed.

It finds its way without being told: by the journals of this job, and by what GitHub has on record of this run.
"""

import re
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass

from deploygate import report
from deploygate.account import Account, Row
from deploygate.adapters.github.records import Unclosed
from deploygate.adapters.github.statuses import statuses_of
from deploygate.adapters.github.trouble import GitHubTrouble
from deploygate.adapters.runner import Runner
from deploygate.cli.acting.concealing import Concealed
from deploygate.cli.acting.deploy import tell_whom
from deploygate.cli.acting.desk import Desk
from deploygate.cli.acting.gates import CUT_OFF, Gates
from deploygate.cli.acting.inputs import INPUTS, parsed
from deploygate.cli.acting.step import open_desk, unforeseen, write
from deploygate.cli.loading import load_inventory
from deploygate.cli.observing import observe
from deploygate.cli.running import Telling, run
from deploygate.endings import EXIT_CODES, Ending, Goal, succeeded
from deploygate.errors import GateError
from deploygate.inventory import Inventory, Service
from deploygate.names import RunId, ServiceName
from deploygate.past import Run
from deploygate.wish import Wish
from deploygate.wording import plain

_BUDGET = 30.0  # seconds for one question to GitHub
_CHANGES = {"deploy", "rollback", "restore"}
_OURS = re.compile(r"deploygate/[^/]+/[^/]+")  # the contexts of deploys


@dataclass(frozen=True, slots=True)
class Left:
    """What a step left open of one service: its run as far as it is known, its records and its pending statuses."""

    service: str
    run: Run | None
    records: tuple[Unclosed, ...]
    contexts: tuple[str, ...]
    untold: bool = False  # the step is known not to have come to its last line

    @property
    def ending(self) -> Ending:
        """How it ended: a run that nobody has ended was cut off."""
        return (self.run.ending if self.run else None) or Ending.INTERRUPTED

    @property
    def cut_off(self) -> bool:
        """Whether it was stopped before it could say how the instances are."""
        return self.ending in CUT_OFF

    @property
    def open(self) -> bool:
        """Whether anything has to be put right or closed."""
        return bool(self.records or self.contexts or (self.run and (self.untold or self.cut_off)))


def last_word(environ: Mapping[str, str]) -> int:
    """Close what the main step has left open, and return the exit code: what was cut off is no success of anybody."""
    runner = Runner(environ, write)
    concealed = Concealed()
    given = {name: environ.get(f"INPUT_{name.upper()}", "") for name in INPUTS}
    concealed.know([given["token"], given["ssh_key"]])
    runner.hush()
    try:
        desk = open_desk(parsed(given), environ, runner, concealed)
    except GateError as error:
        write(f"✘ {error.ending}  {plain(error.says, 300)}\n")
        return 0
    if desk.inputs.verb not in _CHANGES:
        return 0
    code = 0
    try:
        _close(desk, Gates(desk, environ), environ.get("STATE_SINCE", ""))
    except GateError as error:
        desk.say(f"✘ {error.ending}  {plain(error.says, 300)}\n  now   {plain(error.help, 500)}\n")
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - what is said of it must be harmless
        desk.say(f"✘ {Ending.INTERNAL_ERROR}  {unforeseen(error)}\n")
        code = EXIT_CODES[Ending.INTERNAL_ERROR]
    desk.close()
    return code


def _close(desk: Desk, gates: Gates, since: str) -> None:
    inventory = load_inventory(desk.inputs.inventory).inventory
    lefts = [left for left in _lefts(desk, gates, inventory, since) if left.open]
    if not lefts:
        return
    tell_whom(desk)
    accounts = [_account(desk, gates, left, inventory) for left in lefts]
    for left, told in zip(lefts, accounts, strict=True):
        desk.say(report.as_text(told))
        says = plain(f"{told.ending}: {told.headline}", 140)
        for context in left.contexts:
            desk.status(context, "success" if succeeded(told.ending, told.goal) else "error", says)
        gates.close(left.records, told.ending, told.headline)
    markdown = report.several_markdown(accounts)
    desk.comment(markdown)
    desk.summary(markdown)


def _lefts(desk: Desk, gates: Gates, inventory: Inventory | None, since: str) -> list[Left]:
    """Find what this step began: what is not known of GitHub is known of the journals, and the other way round.

    `since` is when it began; a runner that does not tell has no journals of earlier jobs.
    """
    runs: dict[str, Run] = {}
    for name in inventory.services if inventory else ():
        run = _last(desk, gates, name)
        if run and run.at >= since:
            runs[name] = run
    records: dict[str, list[Unclosed]] = {}
    contexts: dict[str, list[str]] = {}
    for one in gates.unclosed():
        records.setdefault(one.record.service, []).append(one)
    for context in _pending(desk):
        contexts.setdefault(context.rpartition("/")[2], []).append(context)
    about = desk.inputs.service  # other jobs of the same run may be at other services, and go on
    names = [name for name in dict.fromkeys([*runs, *records, *contexts]) if about in {"", name}]
    return [
        Left(name, runs.get(name), tuple(records.get(name, ())), tuple(contexts.get(name, ())), untold=bool(since))
        for name in names
    ]


def _last(desk: Desk, gates: Gates, service: ServiceName) -> Run | None:
    """Return the last run of a service in this job; where its journal is broken, the others are closed all the same."""
    try:
        ours = [one for one in gates.here(service) if not one.alive]
    except GateError as error:
        desk.note(f"what this job did to {service} can't be read: {error.says}")
        return None
    return ours[-1] if ours else None


def _pending(desk: Desk) -> list[str]:
    """Return the contexts that are pending because of this run."""
    at = desk.occasion
    if not desk.online or not at.sha:
        return []
    try:
        found = desk.ask(lambda hub: statuses_of(hub, at.sha), _BUDGET)
    except GitHubTrouble as trouble:
        desk.note(f"what is pending can't be read: {trouble.says}")
        return []
    ours = (one for one in found.values() if one.state == "pending" and one.url == at.run_url)
    return [one.context for one in ours if _OURS.fullmatch(one.context)]


def _account(desk: Desk, gates: Gates, left: Left, inventory: Inventory | None) -> Account:
    """Return the truth of a service: what each instance answers now."""
    record = left.records[0].record if left.records else None
    goal = left.run.plan.goal if left.run else record.goal if record else Goal(desk.inputs.verb)
    version = left.run.plan.version if left.run else record.version if record else ""
    service = (
        next((one for one in inventory.services.values() if one.name == left.service), None) if inventory else None
    )
    of_run = left.run.run if left.run else record.run if record else ""
    rows, done = _put_right(desk, gates, service, of_run) if service else ((), ())
    seen = ", ".join(f"{row.instance} {row.version if row.health == 'healthy' else row.health}" for row in rows)
    what = "the step was stopped" if left.cut_off else "the step was over, and could not tell of it"
    says = f"{left.service} {version}: {what}; observed after it: {seen or 'nothing'}"
    return Account(
        run=left.run.run if left.run else record.run if record else RunId(""),
        goal=goal,
        service=left.service,
        version=version,
        ending=left.ending,
        headline=says,
        why=left.run.cause if left.run else "",
        done=done,
        now="Run the workflow again to finish it, or the rollback workflow to undo it." if left.cut_off else "",
        concerns=("ops", service.owners.ops) if service else None,
        rows=rows,
    )


def _put_right(desk: Desk, gates: Gates, service: Service, of_run: str) -> tuple[tuple[Row, ...], tuple[str, ...]]:
    """Put the traffic of a service right, and ask its instances; a run that was cut off is over, whatever it says.

    Returns a line for each instance, and what was done about the traffic.
    """
    desk.conceal(gates.secrets(service))
    done: tuple[str, ...] = ()
    try:
        with closing(gates.open(take_over=of_run, recording=False)) as gate:
            if service.balancer:
                told = run(gate, Wish(service, None, goal=Goal.RESTORE), Telling("text", "plain"))
                desk.say(report.as_text(told) if told else "")
                done = _traffic(told) if told else ()
            seen = observe(gate, [service])
    except GateError as error:
        desk.note(f"{service.name} can't be observed: {error.says}")
        return (), done
    return tuple(Row(one.instance, one.environment, one.version, one.health, one.drift, one.says) for one in seen), done


def _traffic(told: Account) -> tuple[str, ...]:
    """Say who was put back into the balancer, and why others were not."""
    return told.done if succeeded(told.ending, told.goal) else (*told.done, told.why or told.headline)
