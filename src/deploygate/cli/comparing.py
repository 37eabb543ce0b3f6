"""`deploygate check --base`: what an edit of the inventory means, from the inventory as it was and as it is."""

import os
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

import click

from deploygate import report
from deploygate.adapters.journal import FileJournal
from deploygate.adapters.pages import rule_sections
from deploygate.changes import Change
from deploygate.cli.basing import at_base
from deploygate.cli.loading import Loaded
from deploygate.cli.wiring import Places
from deploygate.digests import changed_in_place
from deploygate.endings import EXIT_CODES, Ending
from deploygate.findings import errors
from deploygate.foreseen import Edit, Foreseen, edit_of, foresee
from deploygate.inventory import Inventory
from deploygate.names import RunId, ServiceName, Version
from deploygate.past import Past


def compared(loaded: Loaded, path: Path, base: str, state: Path | None, form: str) -> int:
    """Print what an edit means, in the format that was asked for, and return the exit code."""
    before = at_base(path, base, os.environ)
    edit = _edit(before, loaded, path, state)
    findings = loaded.findings + (changed_in_place(before, loaded.inventory) if loaded.inventory else ())
    good, says = report.merging_headline(findings, edit)
    if form == "json":
        click.echo(report.merging_json(findings, edit), nl=False)
    elif form == "sarif":
        click.echo(report.findings_sarif(findings, rule_sections(), version("deploygate")), nl=False)
    elif form == "markdown":
        click.echo(report.merging_markdown(findings, edit), nl=False)
    else:
        click.echo(report.findings_text(findings), nl=False)
        click.echo(f"{'✔' if good else '✘'} {says}")
        click.echo(report.merging_text(edit), nl=False)
    if good:
        return 0
    return EXIT_CODES[Ending.INVENTORY_ERROR if errors(findings) else Ending.REFUSED]


def _edit(before: Inventory, loaded: Loaded, path: Path, state: Path | None) -> Edit | None:
    """Return what the edit does, or None where the inventory is too broken to tell."""
    after = loaded.inventory
    if after is None:
        return None
    journal = FileJournal(Places(path, state).kept / "runs", RunId(""), "")

    def foreseeing(change: Change, now: Mapping[ServiceName, Version]) -> Foreseen:
        return foresee(after, change, Past(journal.past(change.service.name)), now)

    return edit_of(before, after, foreseeing)
