"""`deploygate graph`: a picture of the services and their interfaces, with what fails in red."""

from contextlib import closing
from pathlib import Path

import click

from deploygate import report
from deploygate.cli.finding_out import running_now, service_named
from deploygate.cli.given import SshGiven
from deploygate.cli.options import inventory_option, reported, ssh_options, state_option
from deploygate.cli.wiring import Places, open_gate
from deploygate.interfaces import neighbours

_FORMS = {"mermaid": report.graph_mermaid, "dot": report.graph_dot, "markdown": report.graph_markdown}


@click.command("graph")
@click.argument("service", required=False)
@click.option(
    "--format",
    "form",
    type=click.Choice(list(_FORMS)),
    default="mermaid",
    show_default=True,
    help="The language of the picture: Mermaid, Graphviz's, or Mermaid as a fenced block of Markdown.",
)
@click.option("--observe", is_flag=True, help="Ask the instances what they run, and show what is not as wanted.")
@inventory_option
@state_option
@ssh_options
@reported
def command(
    *,
    service: str | None,
    form: str,
    observe: bool,
    inventory: Path,
    state: Path | None,
    ssh: SshGiven,
) -> None:
    """Draw who consumes which interface of whom, of all services, or of SERVICE and those it is linked with.

    Chains are thick, and end in their sinks. In red is what fails: an interface that nobody provides at the version
    that is consumed, and with --observe a service that does not answer or runs another version than is wanted.
    """
    with closing(open_gate(Places(inventory, state, ssh))) as gate:
        about = service_named(gate.inventory, service) if service else None
        seen = None
        if observe:
            names = [about.name, *neighbours(gate.inventory, about)] if about else list(gate.inventory.services)
            seen = running_now(gate, names)
        click.echo(_FORMS[form](gate.inventory, about.name if about else None, seen), nl=False)
