"""`deploygate deploy`: a version onto every instance, one by one, or nowhere."""

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
from deploygate.wish import WAIVABLE, Wish
from deploygate.wording import plain


@click.command("deploy")
@click.argument("service")
@click.argument("version", required=False)
@inventory_option
@state_option
@ssh_options
@click.option("--environment", default=None, help="Deploy up to and including this environment.  [default: all]")
@click.option(
    "--baseline",
    type=click.Choice(["healthy", "broken"]),
    default="healthy",
    show_default=True,
    help="Whether instances that do not answer well before the start refuse the run, or are rolled all the same.",
)
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
    inventory: Path,
    state: Path | None,
    ssh: SshGiven,
    environment: str | None,
    baseline: str,
    waivers: tuple[str, ...],
    reason: str,
    take_over: str | None,
    dry_run: bool,
    progress: str,
    form: str,
) -> None:
    """Deploy a VERSION of SERVICE, or the one that the inventory wants.

    The release is staged beside the running one on all instances; then the parallel chain is switched, then one
    production instance, which is watched for longer, then the rest one by one. Each must answer healthy, with
    this very version, from a new process. When one fails it is contained at once and the rest is rolled back.

    Run it again after an interruption: it finishes from what it observes.
    """
    waived = parsed_waivers(waivers, WAIVABLE)
    if baseline == "broken":
        waived.setdefault("baseline", "--baseline broken")
    with closing(open_gate(Places(inventory, state, ssh), take_over)) as gate:
        wish = Wish(
            service_named(gate.inventory, service),
            version_named(version),
            environment_named(gate.inventory, environment),
            waived,
            reason=plain(reason),
        )
        sys.exit(carry_out(gate, wish, Telling(form, progress, dry_run)))
