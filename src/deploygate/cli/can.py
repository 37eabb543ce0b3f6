"""`deploygate can`: may this version be deployed in this environment, and may it be rolled back?"""

import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import click

from deploygate import report
from deploygate.admission import Answer
from deploygate.can import Can, Question, can, can_as_declared
from deploygate.cli.finding_out import environment_named, find_out, service_named, version_named
from deploygate.cli.given import SshGiven
from deploygate.cli.options import format_option, inventory_option, reported, ssh_options, state_option
from deploygate.cli.wiring import Gate, Places, open_gate
from deploygate.endings import EXIT_CODES, Ending
from deploygate.errors import GateError
from deploygate.inventory import Service
from deploygate.names import Environment
from deploygate.past import Past

_ENDINGS = {Answer.YES: Ending.SOUND, Answer.NO: Ending.REFUSED, Answer.CANNOT_TELL: Ending.CANNOT_TELL}


@click.command("can")
@click.argument("service")
@click.argument("version", required=False)
@click.option(
    "--in",
    "environments",
    metavar="ENVIRONMENT",
    multiple=True,
    help="Where it would be deployed. May be given again.  [default: all where the service has instances]",
)
@click.option(
    "--observe/--no-observe",
    default=True,
    show_default=True,
    help="Ask the instances what they run, or take them to run what is on record and wanted.",
)
@click.option(
    "--from",
    "was",
    metavar="VERSION",
    default=None,
    help="With --no-observe: what the service runs now.  [default: as recorded, else as wanted]",
)
@inventory_option
@state_option
@ssh_options
@format_option
@reported
def command(  # noqa: PLR0913 - one parameter an option
    *,
    service: str,
    version: str | None,
    environments: tuple[str, ...],
    observe: bool,
    was: str | None,
    inventory: Path,
    state: Path | None,
    ssh: SshGiven,
    form: str,
) -> None:
    """Say whether VERSION of SERVICE may be deployed, and whether it may then be rolled back.

    The answers are yes, no and cannot tell, each with its reasons, from the interfaces in the inventory and what is
    observed running: during the roll both versions of the service are in service, and a neighbour may be in the
    middle of its own. Nothing is changed. VERSION is what the inventory wants where it is left out.

    Exits with 0 for a yes to both, else with the code of refused (a no) or of cannot_tell.
    """
    if was and observe:
        raise GateError("--from is for --no-observe: else the instances are asked what they run")
    with closing(open_gate(Places(inventory, state, ssh))) as gate:
        found = service_named(gate.inventory, service)
        asked = Question(found, version_named(version) or found.wanted, _where(gate, found, environments))
        told = can(gate.inventory, asked, find_out(gate, found)) if observe else _unasked(gate, asked, was)
    shown = {"text": report.can_text, "json": report.can_json, "markdown": report.can_markdown}[form]
    click.echo(shown(told), nl=False)
    sys.exit(EXIT_CODES[_ENDINGS[told.answer]])


def _unasked(gate: Gate, asked: Question, was: str | None) -> Can:
    now = {name: one.wanted for name, one in gate.inventory.services.items()}
    past = Past(gate.journal.past(asked.service.name))
    return can_as_declared(gate.inventory, asked, past, now, version_named(was))


def _where(gate: Gate, service: Service, names: Sequence[str]) -> tuple[Environment, ...]:
    """Return the environments that were asked for, in the inventory's order.

    Raises:
        GateError: One is not in the inventory, or the service is not in it.
    """
    asked = {environment_named(gate.inventory, name) for name in names}
    for one in asked:
        if one is not None and not service.within(one):
            raise GateError(
                f"{service.name} has no instance in {one}", help="Name another environment, or none for all."
            )
    return tuple(one for one in gate.inventory.environments if (one in asked if asked else bool(service.within(one))))
