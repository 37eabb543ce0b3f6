"""`deploygate check`: is the inventory what an inventory must be, and what does an edit of it mean?"""

import os
import sys
from pathlib import Path

import click

from deploygate import report
from deploygate.adapters.pages import rule_sections
from deploygate.cli.loading import load_inventory
from deploygate.cli.options import check_format_option, inventory_option, reported, state_option
from deploygate.endings import EXIT_CODES, Ending
from deploygate.errors import GateError
from deploygate.findings import errors
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
@click.option("--reviews", is_flag=True, help="Demand the approval of the owners whom the change concerns.")
@click.option("--pull", type=click.IntRange(min=1), metavar="N", help="The pull request that has the reviews.")
@click.option("--verify-owners", is_flag=True, help="Look up on GitHub whether the accounts of the owners are there.")
@check_format_option
@reported
def command(  # noqa: PLR0913 - one parameter an option
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
        from deploygate.cli.reviewing import verified_by_github  # noqa: PLC0415 - slow to be imported, seldom needed

        loaded = verified_by_github(loaded, os.environ)
    if base is not None or pull is not None:
        from deploygate.cli.comparing import compared  # noqa: PLC0415 - a plain check starts without all that it needs

        sys.exit(compared(loaded, (inventory, state), base, pull, form))
    wrong = errors(loaded.findings)
    if form == "json":
        click.echo(report.findings_json(loaded.findings), nl=False)
    elif form == "sarif":
        from importlib.metadata import version  # noqa: PLC0415 - costs start-up time

        told = report.findings_sarif(loaded.findings, rule_sections(), version("deploygate"))
        click.echo(told, nl=False)
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
