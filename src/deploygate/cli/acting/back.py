"""A rollback or a restore by an event: mostly by hand from the Actions tab, or raised by a deploy that failed."""

from contextlib import closing

from deploygate import report
from deploygate.account import Account
from deploygate.adapters.github.pulls import pulls_of
from deploygate.adapters.github.trouble import GitHubTrouble
from deploygate.cli.acting.desk import Desk
from deploygate.cli.acting.gates import Gates
from deploygate.cli.acting.outcome import Outcome, environment_of
from deploygate.cli.finding_out import environment_named, service_named, version_named
from deploygate.cli.running import Telling, run
from deploygate.endings import Ending, Goal, exit_code
from deploygate.errors import GateError
from deploygate.names import RunId
from deploygate.past import Run
from deploygate.wish import Wish
from deploygate.wording import plain

_BUDGET = 20.0  # seconds for finding the pull request


def back(desk: Desk, gates: Gates, goal: Goal) -> Outcome:
    """Take a service back, or only put its traffic right, and tell of it.

    Raises:
        GateError: No service is named.
    """
    inputs = desk.inputs
    if not inputs.service:
        raise GateError(f"a {goal} needs a service", help="Give the input service.")
    with closing(gates.open()) as gate:
        service = service_named(gate.inventory, inputs.service)
        desk.conceal(gates.secrets(service))
        version = version_named(inputs.version) if goal is Goal.ROLLBACK else None
        wish = Wish(
            service,
            version,
            environment_named(gate.inventory, inputs.environment or None),
            inputs.waived,
            goal,
            RunId(inputs.of_run) if inputs.of_run and goal is Goal.ROLLBACK else None,
            inputs.raised,
            inputs.reason or ("" if inputs.raised else f"by hand, by {plain(desk.occasion.actor or 'somebody', 60)}"),
        )
        undone = gates.past(service.name).last_deploy(wish.of_run) if goal is Goal.ROLLBACK else None
        told = run(gate, wish, Telling("text", "plain", dry_run=inputs.dry_run))
        stopped = bool(gate.clock.stopped())
    if told is None:
        says = "dry run: the actions are in the log, and nothing was done"
        return Outcome("pass", Ending.ALREADY_THERE, 0, says, f"### {says}\n", service=service.name)
    desk.say(report.as_text(told))
    markdown = report.as_markdown(told)
    shown = told.ending is not Ending.LOCKED and not inputs.dry_run
    if goal is Goal.ROLLBACK and shown and (not inputs.raised or gates.is_over(undone)):  # else the deploy tells
        _tell_of(desk, gates, told, undone, markdown)
    return Outcome(
        decision=report.decision(told.ending, told.goal),
        reason_code=told.ending,
        exit_code=exit_code(told.ending, told.goal),
        says=f"{told.ending}: {told.headline}",
        markdown=markdown,
        data=report.account_data(told),
        service=told.service,
        version=told.version,
        environment=environment_of(told.rows),
        run=told.run,
        changed=any(row.state not in {"", "not touched", "not taken back"} for row in told.rows),
        interrupted=stopped,
    )


def _tell_of(desk: Desk, gates: Gates, told: Account, undone: Run | None, markdown: str) -> None:
    """Tell those whose change was taken back: its commit is no success any more, and its pull request hears why."""
    sha = gates.commit_of(undone.plan.service, undone.run) if undone else ""
    if not sha:
        return
    if told.ending is Ending.ROLLED_BACK and undone is not None:
        for environment in dict.fromkeys(row.environment for row in told.rows):
            says = plain(f"{undone.plan.version} was {told.ending}: {told.why}", 140)
            desk.status(f"deploygate/{environment}/{told.service}", "failure", says, sha)
    if not desk.online:
        return
    try:
        pulls = desk.ask(lambda hub: pulls_of(hub, sha), _BUDGET)
    except GitHubTrouble as trouble:
        desk.note(f"the pull request of what was taken back can't be found: {trouble.says}")
        return
    merged = next((one.number for one in pulls if one.merged), None)
    if merged is not None:
        desk.comment(markdown, merged)
