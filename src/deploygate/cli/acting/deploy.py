"""A deploy by an event: of the service that is named, else of all whose wanted version the push changed, in order."""

from collections.abc import Sequence
from contextlib import closing

from deploygate import report
from deploygate.account import Account
from deploygate.adapters.github.pulls import pulls_of
from deploygate.adapters.github.trouble import GitHubTrouble
from deploygate.changes import changed
from deploygate.cli.acting.check import earlier
from deploygate.cli.acting.desk import Desk
from deploygate.cli.acting.gates import Gates
from deploygate.cli.acting.outcome import Outcome, environment_of
from deploygate.cli.acting.putting_back import put_back
from deploygate.cli.finding_out import environment_named, service_named, version_named
from deploygate.cli.loading import load_inventory
from deploygate.cli.running import Telling, run
from deploygate.endings import Ending, Goal, exit_code, succeeded
from deploygate.errors import GateError, InventoryError
from deploygate.inventory import Inventory
from deploygate.names import RunId, ServiceName
from deploygate.wish import Wish
from deploygate.wording import count

_BUDGET = 20.0  # seconds for finding the pull request
_PROPOSALS = {"pull_request", "pull_request_target", "merge_group"}


def deploy(desk: Desk, gates: Gates) -> Outcome:
    """Deploy one service after the other; the first that does not get there stops the line.

    Raises:
        GateError: There is nothing that may be deployed by this event.
    """
    loaded = load_inventory(desk.inputs.inventory)
    desk.annotate(loaded.findings)
    if loaded.inventory is None:
        raise InventoryError(loaded.findings)
    names = _asked(desk, loaded.inventory)
    if not desk.inputs.dry_run:
        tell_whom(desk)
    if not names:
        return _nothing(desk)
    accounts: list[Account] = []
    stopped = False
    while names and not stopped and all(succeeded(one.ending, one.goal) for one in accounts):
        going = [f"{name} {desk.inputs.version or loaded.inventory.services[name].wanted}" for name in names]
        name = names.pop(0)
        try:
            told, stopped = _one(desk, gates, name, report.several_markdown(accounts, going, going=True))
        except GateError as error:
            if not accounts:
                raise
            wanted = desk.inputs.version or loaded.inventory.services[name].wanted
            told = Account(RunId(""), Goal.DEPLOY, name, wanted, error.ending, error.says, now=error.help)
        if told is not None:
            accounts.append(told)
            desk.say(report.as_text(told))
    if not accounts:
        return _rehearsed(desk)
    return _outcome(desk, gates, accounts, names, stopped=stopped)


def _asked(desk: Desk, inventory: Inventory) -> list[ServiceName]:
    """Return the services to deploy, in order."""
    occasion, inputs = desk.occasion, desk.inputs
    if occasion.event in _PROPOSALS:
        raise GateError(
            f"nothing is deployed on {occasion.event}: the change may never be merged",
            help="Use verb: check here, and verb: deploy on a push to the default branch.",
        )
    if inputs.service:
        return [service_named(inventory, inputs.service).name]
    if inputs.version:
        raise GateError("there is a version, but no service", help="Give the service that this is a version of.")
    if occasion.event != "push":
        raise GateError(
            f"no service is named, and the event {occasion.event or '(none)'} changes no inventory",
            help="Give the input service. Only a push deploys what it changes.",
        )
    if occasion.default_branch and occasion.ref != f"refs/heads/{occasion.default_branch}":
        raise GateError(
            f"a push to {occasion.ref} deploys nothing by itself, only one to {occasion.default_branch} does",
            help="Run this on pushes to the default branch, or give the input service.",
        )
    before = earlier(desk)
    if before is None:
        raise GateError(
            "which services this push changes can't be told: the inventory as it was can't be had",
            help="Name the service: run the workflow by hand with the input service. `contents: read` is needed.",
            ending=Ending.CANNOT_TELL,
        )
    return [change.service.name for change in changed(before, inventory)]


def tell_whom(desk: Desk) -> None:
    """Find the pull request that a push has merged: its people are told."""
    if desk.occasion.event != "push" or not desk.online or not desk.inputs.comment:
        return
    try:
        pulls = desk.ask(lambda hub: pulls_of(hub, desk.occasion.sha), _BUDGET)
    except GitHubTrouble as trouble:
        desk.note(f"the merged pull request can't be found: {trouble.says}")
        return
    desk.pull = next((one.number for one in pulls if one.merged), None)


def _one(desk: Desk, gates: Gates, name: ServiceName, going: str) -> tuple[Account | None, bool]:
    inputs = desk.inputs
    with closing(gates.open(going=going)) as gate:
        wish = Wish(
            service_named(gate.inventory, name),
            version_named(inputs.version),
            environment_named(gate.inventory, inputs.environment or None),
            inputs.waived,
            reason=inputs.reason,
        )
        desk.conceal(gates.secrets(wish.service))
        told = run(gate, wish, Telling("text", "plain", dry_run=inputs.dry_run))
        return told, bool(gate.clock.stopped())


def _nothing(desk: Desk) -> Outcome:
    says = "this change alters no wanted version, so there is nothing to deploy"
    desk.say(f"✔ {says}\n")
    return Outcome(
        decision="pass",
        reason_code=Ending.ALREADY_THERE,
        exit_code=0,
        says=says,
        markdown=f"### ✅ {report.escaped(says)}\n",
        data=report.several_data((), ()),
    )


def _rehearsed(desk: Desk) -> Outcome:
    says = "dry run: the actions are in the log, and nothing was done"
    return Outcome(
        "pass",
        Ending.ALREADY_THERE,
        0,
        says,
        f"### {says}\n",
        report.several_data((), ()),
        desk.inputs.service,
        desk.inputs.version,
    )


def _outcome(
    desk: Desk, gates: Gates, accounts: Sequence[Account], waiting: Sequence[ServiceName], *, stopped: bool
) -> Outcome:
    last = accounts[-1]
    proposal = put_back(desk, last) if last.ending is Ending.ROLLED_BACK and not stopped else None
    points = [*gates.raised(), *([proposal.point] if proposal else [])]
    markdown = report.several_markdown(accounts, waiting, points=points, folded=proposal.folded if proposal else ())
    desk.comment(markdown, giving_way=last.ending is Ending.LOCKED)  # to the run that holds the lock
    _, says = report.several_headline(accounts, waiting)
    if waiting:
        desk.say(f"  note  {count(len(waiting), 'service')} after it not begun: {', '.join(waiting)}\n")
    whole = report.several_data(accounts, waiting)
    alone = len(accounts) == 1
    return Outcome(
        decision=report.decision(last.ending, last.goal),
        reason_code=last.ending,
        exit_code=exit_code(last.ending, Goal.DEPLOY),
        says=says,
        markdown=markdown,
        data=report.account_data(last) if len(accounts) == 1 and not waiting else whole,
        service=last.service if alone else "",
        version=last.version if alone else "",
        environment=environment_of(row for one in accounts for row in one.rows),
        run=last.run if alone else "",
        changed=any(row.state not in {"", "not touched"} for one in accounts for row in one.rows),
        put_back_url=proposal.url if proposal else "",
        interrupted=stopped,
    )
