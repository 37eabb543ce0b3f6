"""`deploygate check`: is the inventory what an inventory must be, and what does an edit of it mean?"""

import os
import sys
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import click

from deploygate import report
from deploygate.adapters.journal import FileJournal
from deploygate.changes import Change
from deploygate.cli.basing import at_base
from deploygate.cli.loading import Loaded, load_inventory
from deploygate.cli.options import format_option, inventory_option, reported, state_option
from deploygate.cli.wiring import Places
from deploygate.endings import EXIT_CODES, Ending
from deploygate.errors import GateError
from deploygate.findings import errors
from deploygate.foreseen import Edit, Foreseen, edit_of, foresee
from deploygate.inventory import Inventory
from deploygate.names import RunId, ServiceName, Version
from deploygate.owners import verified
from deploygate.past import Past
from deploygate.reviews import Approval, unreviewed
from deploygate.wording import count


@dataclass(frozen=True, slots=True)
class Compared:
    """What an edit does, None where that can't be told; and its approvals, where they are asked for."""

    edit: Edit | None
    approvals: tuple[Approval, ...] | None


@click.command("check")
@inventory_option
@state_option
@click.option(
    "--base",
    metavar="REF",
    default=None,
    help="Say what is different from where this branch left REF (such as origin/main), the dangerous first.",
)
@click.option("--reviews", is_flag=True, help="Demand the approval of the owners whom the change concerns.")
@click.option("--pull", type=click.IntRange(min=1), metavar="N", help="The pull request that has the reviews.")
@click.option("--verify-owners", is_flag=True, help="Look up on GitHub whether the accounts of the owners are there.")
@format_option
@reported
def command(  # noqa: PLR0913 - one an option
    inventory: Path,
    state: Path | None,
    base: str | None,
    *,
    reviews: bool,
    pull: int | None,
    verify_owners: bool,
    form: str,
) -> None:
    """Check the service inventory and report every finding at once, each with its place and what to do.

    With --base it says what the edit means as well: what would be deployed, in which order, what is added, lost and
    guarded less. The exit code is that of refused where a deploy would be refused.

    With --reviews it is that of refused where an approval is missing, and of cannot_tell where that can't be told. Call
    it in a checkout of the pull request. GITHUB_TOKEN and GITHUB_REPOSITORY say where to ask.
    """
    if reviews != (pull is not None):
        raise GateError("--reviews and --pull belong together", help="Give both: --reviews --pull 12.")
    loaded = load_inventory(inventory)
    if verify_owners:
        loaded = _verified(loaded)
    if base is not None or pull is not None:
        sys.exit(_tell(loaded, _compared(loaded, Places(inventory, state), base, pull), form))
    wrong = errors(loaded.findings)
    if form == "json":
        click.echo(report.findings_json(loaded.findings), nl=False)
    elif form == "markdown":
        click.echo(report.findings_markdown(loaded.findings), nl=False)
    else:
        click.echo(report.findings_text(loaded.findings), nl=False)
        if wrong:
            click.echo(f"✘ {inventory}: {count(len(wrong), 'error')}")
        elif loaded.inventory is not None:
            services = loaded.inventory.services
            size = sum(len(service.instances) for service in services.values())
            click.echo(f"✔ {inventory}: {count(len(services), 'service')}, {count(size, 'instance')}")
    sys.exit(EXIT_CODES[Ending.INVENTORY_ERROR] if wrong else 0)


def _verified(loaded: Loaded) -> Loaded:
    """Return the same with what GitHub says of the owners."""
    from deploygate.cli.reviewing import hub_of, looked_up  # noqa: PLC0415 - slow to be imported, and seldom needed

    if loaded.inventory is None or loaded.document is None:
        return loaded
    with closing(hub_of(os.environ)) as hub:
        found = looked_up(hub, loaded.inventory)
    return replace(loaded, findings=(*loaded.findings, *verified(loaded.inventory, loaded.document, found)))


def _tell(loaded: Loaded, compared: Compared, form: str) -> int:
    seen = loaded.findings, compared.edit, compared.approvals
    good, says = report.merging_headline(*seen)
    if form == "json":
        click.echo(report.merging_json(*seen), nl=False)
    elif form == "markdown":
        click.echo(report.merging_markdown(*seen), nl=False)
    else:
        click.echo(report.findings_text((*loaded.findings, *unreviewed(compared.approvals or ()))), nl=False)
        click.echo(f"{'✔' if good else '✘'} {says}")
        click.echo(report.reviews_text(compared.approvals) if compared.approvals is not None else "", nl=False)
        click.echo(report.merging_text(compared.edit), nl=False)
    if good:
        return 0
    if errors(loaded.findings):
        return EXIT_CODES[Ending.INVENTORY_ERROR]
    unknown = report.merging_decision(*seen) == "cannot_tell"
    return EXIT_CODES[Ending.CANNOT_TELL if unknown else Ending.REFUSED]


def _compared(loaded: Loaded, places: Places, base: str | None, pull: int | None) -> Compared:
    before = at_base(places.inventory, base, os.environ) if base is not None else None
    approvals = None
    if pull is not None:
        from deploygate.cli.reviewing import reviewed_edit  # noqa: PLC0415 - slow to be imported, and seldom needed

        found, approvals = reviewed_edit(pull, loaded.inventory, places.inventory, os.environ)
        before = before or found
    if loaded.inventory is None or before is None:
        return Compared(None, approvals)
    return Compared(_edit(before, loaded.inventory, places), approvals)


def _edit(before: Inventory, after: Inventory, places: Places) -> Edit:
    journal = FileJournal(places.kept / "runs", RunId(""), "")

    def foreseeing(change: Change, now: Mapping[ServiceName, Version]) -> Foreseen:
        return foresee(after, change, Past(journal.past(change.service.name)), now)

    return edit_of(before, after, foreseeing)
