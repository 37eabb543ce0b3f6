"""`deploygate restore`: traffic back to what a run that was killed had taken out of the balancer."""

import sys
from contextlib import closing
from pathlib import Path

import click

from deploygate.cli.finding_out import service_named
from deploygate.cli.given import SshGiven
from deploygate.cli.options import (
    dry_run_option,
    format_option,
    inventory_option,
    progress_option,
    reported,
    ssh_options,
    state_option,
    take_over_option,
)
from deploygate.cli.running import Telling, carry_out
from deploygate.cli.wiring import Places, open_gate
from deploygate.endings import Goal
from deploygate.wish import Wish


@click.command("restore")
@click.argument("service")
@inventory_option
@state_option
@ssh_options
@take_over_option
@dry_run_option
@progress_option
@format_option
@reported
def command(  # noqa: PLR0913 - one parameter an option
    *,
    service: str,
    inventory: Path,
    state: Path | None,
    ssh: SshGiven,
    take_over: str | None,
    dry_run: bool,
    progress: str,
    form: str,
) -> None:
    """Put instances of SERVICE back into the balancer that a run took out and, being killed, left out.

    Each must pass its health probe first, at the version that runs there; one that does not stays out, and the
    verdict says so. No process is started or stopped. What somebody else has taken out stays as it is. The next
    deploy or rollback does the same by itself.
    """
    with closing(open_gate(Places(inventory, state, ssh), take_over)) as gate:
        wish = Wish(service_named(gate.inventory, service), None, goal=Goal.RESTORE)
        sys.exit(carry_out(gate, wish, Telling(form, progress, dry_run)))
