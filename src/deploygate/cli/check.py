"""`deploygate check`: is the inventory what an inventory must be, and what does an edit of it mean?"""

import os
import sys
from collections.abc import Mapping
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
from deploygate.findings import errors
from deploygate.foreseen import Edit, Foreseen, edit_of, foresee
from deploygate.names import RunId, ServiceName, Version
from deploygate.past import Past
from deploygate.wording import count


@click.command("check")
@inventory_option
@state_option
@click.option(
    "--base",
    metavar="REF",
    default=None,
    help="Say what is different from where this branch left REF (such as origin/main), the dangerous first.",
)
@format_option
@reported
def command(inventory: Path, state: Path | None, base: str | None, form: str) -> None:
    """Check the service inventory and report every finding at once, each with its place and what to do.

    With --base it says what the edit means as well: what would be deployed, in which order, what is added, lost and
    guarded less. The exit code is that of refused where a deploy would be refused.
    """
    loaded = load_inventory(inventory)
    if base is not None:
        sys.exit(_compared(loaded, inventory, base, state, form))
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


def _compared(loaded: Loaded, path: Path, base: str, state: Path | None, form: str) -> int:
    edit = _edit(loaded, path, base, state)
    good, says = report.merging_headline(loaded.findings, edit)
    if form == "json":
        click.echo(report.merging_json(loaded.findings, edit), nl=False)
    elif form == "markdown":
        click.echo(report.merging_markdown(loaded.findings, edit), nl=False)
    else:
        click.echo(report.findings_text(loaded.findings), nl=False)
        click.echo(f"{'✔' if good else '✘'} {says}")
        click.echo(report.merging_text(edit), nl=False)
    if good:
        return 0
    return EXIT_CODES[Ending.INVENTORY_ERROR if errors(loaded.findings) else Ending.REFUSED]


def _edit(loaded: Loaded, path: Path, base: str, state: Path | None) -> Edit | None:
    """Return what the edit does, or None where the inventory is too broken to tell."""
    before = at_base(path, base, os.environ)
    after = loaded.inventory
    if after is None:
        return None
    journal = FileJournal(Places(path, state).kept / "runs", RunId(""), "")

    def foreseeing(change: Change, now: Mapping[ServiceName, Version]) -> Foreseen:
        return foresee(after, change, Past(journal.past(change.service.name)), now)

    return edit_of(before, after, foreseeing)
