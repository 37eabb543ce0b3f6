"""`deploygate observe`: what runs where, asked of each instance now."""

import sys
from contextlib import closing
from pathlib import Path

import click

from deploygate import report
from deploygate.cli.finding_out import service_named
from deploygate.cli.given import SshGiven
from deploygate.cli.observing import observe
from deploygate.cli.options import format_option, inventory_option, reported, ssh_options, state_option
from deploygate.cli.wiring import Places, open_gate
from deploygate.endings import EXIT_CODES, Ending


@click.command("observe")
@click.argument("service", required=False)
@inventory_option
@state_option
@ssh_options
@format_option
@reported
def command(service: str | None, inventory: Path, state: Path | None, ssh: SshGiven, form: str) -> None:
    """Show every instance of SERVICE, or of all: health, version, since when, drift from what is wanted.

    Exits with 0 where all is as wanted, and else with the code of cannot_tell.
    """
    with closing(open_gate(Places(inventory, state, ssh))) as gate:
        services = [service_named(gate.inventory, service)] if service else list(gate.inventory.services.values())
        rows = observe(gate, services)
    shown = {"text": report.observed_text, "json": report.observed_json, "markdown": report.observed_markdown}[form]
    click.echo(shown(rows), nl=False)
    sys.exit(0 if all(row.as_wanted for row in rows) else EXIT_CODES[Ending.CANNOT_TELL])
