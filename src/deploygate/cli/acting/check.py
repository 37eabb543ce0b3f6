"""The check of a change: is the inventory sound, and what would merging do?"""

import tempfile
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from deploygate import report
from deploygate.adapters.github.contents import fetch
from deploygate.adapters.github.statuses import State
from deploygate.adapters.github.trouble import GitHubTrouble
from deploygate.changes import Change
from deploygate.cli.acting.desk import Desk
from deploygate.cli.acting.gates import Gates
from deploygate.cli.acting.outcome import Outcome
from deploygate.cli.acting.reviewing import approvals_of, verified_owners
from deploygate.cli.finding_out import environment_named, find_out, service_named
from deploygate.cli.loading import load_inventory
from deploygate.digests import changed_in_place
from deploygate.endings import EXIT_CODES, Ending
from deploygate.errors import GateError
from deploygate.findings import Finding, errors
from deploygate.foreseen import Edit, Foreseen, Source, edit_of, foresee
from deploygate.inventory import Inventory
from deploygate.names import Environment, ServiceName, Version
from deploygate.planning import plan_deploy
from deploygate.reviews import Approval, Standing, headline, standing, unreviewed
from deploygate.wish import Wish
from deploygate.wording import count, plain, seconds

OVERALL = "deploygate/check"  # of a check of one service: with its name behind it
CONTEXTS = 50  # statuses of one check at the most; a fleet with more has the overall one
_BUDGET = 60.0  # seconds for reading the inventory as it was
_STATES: Mapping[str, State] = {"pass": "success", "fail": "failure", "cannot_tell": "error"}
_ENDINGS = {"fail": Ending.REFUSED, "cannot_tell": Ending.CANNOT_TELL}


@dataclass(frozen=True, slots=True)
class Checked:
    """What was found: of the inventory, of the edit as far as it can be told, and all the services that there are.

    `approvals` are those that the edit needs, where the check asks for them.
    """

    findings: tuple[Finding, ...]
    edit: Edit | None = None
    known: Inventory | None = None
    approvals: tuple[Approval, ...] | None = None


def check(desk: Desk, gates: Gates) -> Outcome:
    """Check the inventory of the workspace, and tell what merging would do.

    Raises:
        GateError: The inputs name what is not in the inventory.
    """
    loaded = load_inventory(desk.inputs.inventory)
    after, findings = loaded.inventory, loaded.findings
    if desk.inputs.verify_owners and after is not None and loaded.document is not None:
        findings += verified_owners(desk, after, loaded.document)
    desk.annotate(findings)
    only = service_named(after, desk.inputs.service) if after and desk.inputs.service else None
    upto = environment_named(after, desk.inputs.environment or None) if after else None
    before = earlier(desk)
    approvals = approvals_of(desk, before, after) if desk.inputs.reviews and after is not None else None
    if after is None or before is None:
        return _told(desk, Checked(findings, known=after or before, approvals=approvals), upto)
    in_place = changed_in_place(before, after)
    desk.annotate(in_place)
    findings += in_place

    def foreseeing(change: Change, now: Mapping[ServiceName, Version]) -> Foreseen:
        told = _observed(desk, gates, change, upto) if desk.inputs.observe else None
        return told or foresee(after, change, gates.past(change.service.name), now, upto)

    edit = edit_of(before, after, foreseeing)
    edit = edit.of(only.name) if only else edit
    return _told(desk, Checked(findings, edit, after, approvals), upto)


def earlier(desk: Desk) -> Inventory | None:
    """Return the inventory as it was before the change, or None where that can't be told, which is noted."""
    before, path = desk.occasion.before, desk.inputs.inventory
    if not before.strip("0"):
        desk.note("what the change alters can't be told: the event names no commit to compare with")
        return None
    with tempfile.TemporaryDirectory() as folder:
        into = Path(folder) / (path.name or "services")
        try:
            desk.ask(lambda hub: fetch(hub, before, desk.in_repository(path), path, into), _BUDGET)
        except GitHubTrouble as trouble:
            desk.note(f"the inventory as it was can't be read: {trouble.says}")
            return None
        loaded = load_inventory(into)
    if loaded.inventory is None:
        desk.note(f"the inventory as it was has {count(len(errors(loaded.findings)), 'error')}")
    return loaded.inventory


def _observed(desk: Desk, gates: Gates, change: Change, upto: Environment | None) -> Foreseen | None:
    """Plan a change from what its instances answer now; None where they can't be asked from here."""
    try:
        with closing(gates.open()) as gate:
            known = find_out(gate, change.service)
            if not any(seen.version for seen in known.seen.values()):
                desk.note(f"{change.service.name}: no instance answers from here, so what is recorded is told")
                return None
            planned = plan_deploy(gate.inventory, Wish(change.service, change.to, upto), known)
            return Foreseen(change, Source.OBSERVED, planned)
    except GateError as error:
        desk.note(f"{change.service.name} can't be observed: {error.says}")
        return None


def _told(desk: Desk, checked: Checked, upto: Environment | None) -> Outcome:
    seen = checked.findings, checked.edit, checked.approvals
    good, says = report.merging_headline(*seen)
    decision = report.merging_decision(*seen)
    markdown = report.merging_markdown(*seen)
    desk.say(f"{'✔' if good else '✘'} {says}\n")
    open_ = unreviewed(checked.approvals or ())
    desk.annotate(open_)
    desk.say(report.findings_text((*checked.findings, *open_)))
    desk.say(report.reviews_text(checked.approvals) if checked.approvals is not None else "")
    desk.say(report.merging_text(checked.edit))
    one = desk.inputs.service
    desk.status(f"{OVERALL}/{one}" if one else OVERALL, _STATES[decision], plain(says, 140))
    _statuses(desk, checked, upto)
    desk.comment(markdown)
    ending = Ending.SOUND if good else Ending.INVENTORY_ERROR if errors(checked.findings) else _ENDINGS[decision]
    data = report.merging_data(*seen)
    foreseen = checked.edit.foreseen if checked.edit else ()
    names = [one.change.service.name for one in foreseen]
    return Outcome(
        decision=decision,
        reason_code=ending,
        exit_code=EXIT_CODES[ending],
        markdown=markdown,
        says=says,
        service=names[0] if len(names) == 1 else "",
        version=foreseen[0].change.to if len(names) == 1 else "",
        data=data,
    )


def _statuses(desk: Desk, checked: Checked, upto: Environment | None) -> None:
    """Set one status for each service and environment, so that each of them can be a required check."""
    inventory = checked.known
    if inventory is None:
        return
    about = {one.change.service.name: one for one in (checked.edit.foreseen if checked.edit else ())}
    every = [
        (environment, service.name)
        for service in inventory.services.values()
        for environment in inventory.up_to(upto)
        if service.within(environment)
        and (desk.inputs.statuses == "all" or service.name in about)
        and desk.inputs.service in {"", service.name}
    ]
    if len(every) > CONTEXTS:
        desk.note(f"{len(every)} statuses would be too many for a check; {OVERALL} tells of all")
        every = [(environment, name) for environment, name in every if name in about][:CONTEXTS]
    wrong = errors(checked.findings)
    for environment, name in every:
        state, says = _state(about.get(name), len(wrong), known=checked.edit is not None)
        waited_for = [one for one in checked.approvals or () if name in one.services]
        if state == "success" and standing(waited_for) is not Standing.APPROVED:
            state, says = "failure", headline(waited_for)
        desk.status(f"deploygate/{environment}/{name}", state, plain(says, 140))


def _state(one: Foreseen | None, wrong: int, *, known: bool) -> tuple[State, str]:
    if wrong:
        return "failure", f"the inventory has {count(wrong, 'error')}"
    if one is None:
        return "success", "not applicable: this change does not concern it" if known else "the inventory is sound"
    if isinstance(one.planned, tuple):
        return "failure", f"merging would be refused: {one.planned[0].says}"
    return "success", f"merging deploys {one.change.to}, in about {seconds(one.planned.expected)}"
