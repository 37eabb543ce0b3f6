"""`deploygate check --base`, `--reviews`: what an edit of the inventory means, and whether it has its approvals."""

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
from deploygate.findings import Finding, errors
from deploygate.foreseen import Edit, Foreseen, edit_of, foresee
from deploygate.inventory import Inventory
from deploygate.names import RunId, ServiceName, Version
from deploygate.past import Past
from deploygate.reviews import Approval, unreviewed

Seen = tuple[tuple[Finding, ...], Edit | None, tuple[Approval, ...] | None]


def compared(loaded: Loaded, kept: tuple[Path, Path | None], base: str | None, pull: int | None, form: str) -> int:
    """Print what an edit means, in the format that was asked for, and return the exit code.

    `kept` are the inventory's place and the folder for what is kept, where one is given.
    """
    places = Places(*kept)
    before = at_base(places.inventory, base, os.environ) if base is not None else None
    approvals = None
    if pull is not None:
        from deploygate.cli.reviewing import reviewed_edit  # noqa: PLC0415 - slow to be imported, and seldom needed

        found, approvals = reviewed_edit(pull, loaded.inventory, places.inventory, os.environ)
        before = before or found
    after, findings = loaded.inventory, loaded.findings
    if before is not None and after is not None:
        findings += changed_in_place(before, after)
    edit = _edit(before, after, places) if before is not None and after is not None else None
    seen = findings, edit, approvals
    _tell(seen, form)
    if report.merging_headline(*seen)[0]:
        return 0
    if errors(findings):
        return EXIT_CODES[Ending.INVENTORY_ERROR]
    unknown = report.merging_decision(*seen) == "cannot_tell"
    return EXIT_CODES[Ending.CANNOT_TELL if unknown else Ending.REFUSED]


def _tell(seen: Seen, form: str) -> None:
    findings, edit, approvals = seen
    good, says = report.merging_headline(*seen)
    if form == "json":
        click.echo(report.merging_json(*seen), nl=False)
    elif form == "sarif":
        every = (*findings, *unreviewed(approvals or ()))
        click.echo(report.findings_sarif(every, rule_sections(), version("deploygate")), nl=False)
    elif form == "markdown":
        click.echo(report.merging_markdown(*seen), nl=False)
    else:
        click.echo(report.findings_text((*findings, *unreviewed(approvals or ()))), nl=False)
        click.echo(f"{'✔' if good else '✘'} {says}")
        click.echo(report.reviews_text(approvals) if approvals is not None else "", nl=False)
        click.echo(report.merging_text(edit), nl=False)


def _edit(before: Inventory, after: Inventory, places: Places) -> Edit:
    """Return what the edit does."""
    journal = FileJournal(places.kept / "runs", RunId(""), "")

    def foreseeing(change: Change, now: Mapping[ServiceName, Version]) -> Foreseen:
        return foresee(after, change, Past(journal.past(change.service.name)), now)

    return edit_of(before, after, foreseeing)
