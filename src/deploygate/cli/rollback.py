"""`deploygate rollback`: kill the new, start the old; seconds, at any time, by hand too."""

import sys
from contextlib import closing
from pathlib import Path

import click

from deploygate.cli.finding_out import environment_named, service_named, version_named
from deploygate.cli.given import SshGiven
from deploygate.cli.options import (
    dry_run_option,
    format_option,
    inventory_option,
    parsed_waivers,
    progress_option,
    reason_option,
    reported,
    ssh_options,
    state_option,
    take_over_option,
    waive_option,
)
from deploygate.cli.running import Telling, carry_out
from deploygate.cli.wiring import Places, open_gate
from deploygate.endings import Goal
from deploygate.names import RunId
from deploygate.wish import WAIVABLE, Wish
from deploygate.wording import plain


@click.command("rollback")
@click.argument("service")
@click.option("--to", "version", default=None, help="The version to go to.  [default: what the last deploy replaced]")
@click.option("--environment", default=None, help="Only this environment.  [default: all, production first]")
@click.option("--of-run", default=None, metavar="RUN", help="Undo this deploy.  [default: the last one]")
@click.option("--raised", is_flag=True, hidden=True, help="Said by the deploy that raises this rollback.")
@inventory_option
@state_option
@ssh_options
@waive_option
@reason_option
@take_over_option
@dry_run_option
@progress_option
@format_option
@reported
def command(  # noqa: PLR0913 - one parameter an option
    *,
    service: str,
    version: str | None,
    environment: str | None,
    of_run: str | None,
    raised: bool,
    inventory: Path,
    state: Path | None,
    ssh: SshGiven,
    waivers: tuple[str, ...],
    reason: str,
    take_over: str | None,
    dry_run: bool,
    progress: str,
    form: str,
) -> None:
    """Take SERVICE back to the versions that its last deploy replaced, or to one that is named.

    The last updated instance comes first, the parallel chain last. It outranks a running deploy and takes its lock
    over. An instance that can't be taken back does not stop the others. Nothing is built, copied or tested: the
    old releases are still installed.
    """
    waived = parsed_waivers(waivers, WAIVABLE)
    with closing(open_gate(Places(inventory, state, ssh), take_over)) as gate:
        wish = Wish(
            service_named(gate.inventory, service),
            version_named(version),
            environment_named(gate.inventory, environment),
            waived,
            Goal.ROLLBACK,
            RunId(of_run) if of_run else None,
            raised,
            plain(reason),
        )
        sys.exit(carry_out(gate, wish, Telling(form, progress, dry_run)))
