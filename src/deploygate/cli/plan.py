"""`deploygate plan`: what a deploy would do, from what is observed now; the same bytes as long as that stays."""

import sys
from contextlib import closing
from pathlib import Path

import click

from deploygate import report
from deploygate.cli.finding_out import environment_named, find_out, service_named, version_named
from deploygate.cli.given import SshGiven
from deploygate.cli.options import (
    format_option,
    inventory_option,
    parsed_waivers,
    reported,
    ssh_options,
    state_option,
    waive_option,
)
from deploygate.cli.running import RENDER, plan_for, refusal
from deploygate.cli.wiring import Places, open_gate
from deploygate.endings import Ending, exit_code
from deploygate.names import RunId
from deploygate.wish import WAIVABLE, Wish


@click.command("plan")
@click.argument("service")
@click.argument("version", required=False)
@inventory_option
@state_option
@ssh_options
@click.option("--environment", default=None, help="Plan up to and including this environment.  [default: all]")
@click.option("--baseline", type=click.Choice(["healthy", "broken"]), default="healthy", help="As for deploy.")
@waive_option
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
    form: str,
) -> None:
    """Show what a deploy of VERSION would do to SERVICE: steps, reach, way back, times, what is not protected."""
    waived = parsed_waivers(waivers, WAIVABLE)
    if baseline == "broken":
        waived.setdefault("baseline", "--baseline broken")
    with closing(open_gate(Places(inventory, state, ssh))) as gate:
        wish = Wish(
            service_named(gate.inventory, service),
            version_named(version),
            environment_named(gate.inventory, environment),
            waived,
        )
        planned = plan_for(gate, wish, find_out(gate, wish.service))
        if isinstance(planned, tuple):
            click.echo(RENDER[form](refusal(RunId(""), wish, planned)), nl=False)
            sys.exit(exit_code(Ending.REFUSED))
    shown = {"text": report.plan_text, "json": report.plan_json, "markdown": report.plan_markdown}[form]
    click.echo(shown(planned, wish.service), nl=False)
