"""The options that verbs share, each with its environment variable, and how an impossible run is told."""

import functools
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click
from click.core import ParameterSource

from deploygate.cli.given import SshGiven
from deploygate.endings import EXIT_CODES
from deploygate.errors import GateError, InventoryError
from deploygate.wording import plain

Function = TypeVar("Function", bound=Callable[..., Any])

inventory_option = click.option(
    "--inventory",
    "-i",
    type=click.Path(path_type=Path),
    default=Path("services.yml"),
    show_default=True,
    envvar="DEPLOYGATE_INVENTORY",
    show_envvar=True,
    help="The service inventory: a file, or a folder of files.",
)
state_option = click.option(
    "--state",
    type=click.Path(path_type=Path, file_okay=False),
    default=None,
    envvar="DEPLOYGATE_STATE",
    show_envvar=True,
    help="Where journals, locks and reports are kept.  [default: .deploygate beside the inventory]",
)


def _format_option(*forms: str) -> Callable[[Function], Function]:
    return click.option(
        "--format",
        "form",
        type=click.Choice(forms),
        default="text",
        show_default=True,
        envvar="DEPLOYGATE_FORMAT",
        show_envvar=True,
        help="What is written to standard output.",
    )


format_option = _format_option("text", "json", "markdown")
check_format_option = _format_option("text", "json", "markdown", "sarif")
progress_option = click.option(
    "--progress",
    type=click.Choice(["auto", "plain", "none"]),
    default="auto",
    show_default=True,
    envvar="DEPLOYGATE_PROGRESS",
    show_envvar=True,
    help="How the run is shown on standard error: live on a terminal (auto), as lines, or not at all.",
)
waive_option = click.option(
    "--waive",
    "waivers",
    multiple=True,
    metavar="RULE=REASON",
    help="Let a rule not refuse this run; the reason is recorded. May be given again.",
)
reason_option = click.option(
    "--reason",
    default="",
    metavar="TEXT",
    help="Why you ask for this run, in one line; it is recorded and told.",
)
dry_run_option = click.option("--dry-run", is_flag=True, help="Print the actions instead of performing them.")
take_over_option = click.option(
    "--take-over",
    metavar="RUN",
    default=None,
    help="Take lock and hosts over from this run, on a machine that can't be asked, if you know that it is over.",
)


def ssh_options(function: Function) -> Function:
    """Add what ssh is given, and hand it to the verb as one `ssh`; a key is never shown, not even as a default."""
    options = (
        ("known-hosts", "The keys of the hosts: a known_hosts file, or its text.  [default: as ssh finds them]"),
        ("key", "The private key: a file; its text, in the environment only.  [default: ssh's own, and the agent's]"),
        ("config", "A configuration of ssh: a file, or its text.  [default: ~/.ssh/config]"),
        ("agent", "The socket of an agent that holds the keys.  [default: SSH_AUTH_SOCK's]"),
    )

    @functools.wraps(function)
    def verb(*args: Any, **kwargs: Any) -> Any:
        given = {name.replace("-", "_"): kwargs.pop(f"ssh_{name.replace('-', '_')}") for name, _ in options}
        source = click.get_current_context().get_parameter_source("ssh_key")
        in_words = source is ParameterSource.COMMANDLINE
        return function(*args, ssh=SshGiven(**given, in_words=in_words), **kwargs)

    decorated: Any = verb
    for name, about in reversed(options):
        variable = f"DEPLOYGATE_SSH_{name.replace('-', '_').upper()}"
        add = click.option(f"--ssh-{name}", metavar="FILE", envvar=variable, show_envvar=True, default=None, help=about)
        decorated = add(decorated)
    return decorated  # type: ignore[no-any-return]  # a wrapper has the signature of what it wraps, but for `ssh`


def parsed_waivers(texts: tuple[str, ...], known: dict[str, str]) -> dict[str, str]:
    """Return the reasons by rule.

    Raises:
        GateError: A waiver has no reason, or names a rule that can't be waived.
    """
    waived = {}
    for text in texts:
        rule, equals, reason = text.partition("=")
        if rule not in known:
            listed = ", ".join(known)
            raise GateError(f"--waive {rule}: there is no such rule to waive", help=f"These can be waived: {listed}.")
        if not equals or not reason.strip():
            raise GateError(f"--waive {rule} has no reason", help=f'Write why: --waive {rule}="…".')
        waived[rule] = reason.strip()
    return waived


def reported(function: Function) -> Function:
    """Make a verb tell of a run that can't go on in the format that was asked for, and exit with its code."""

    @functools.wraps(function)
    def verb(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except GateError as error:
            _tell(error, kwargs.get("form", "text"))
            sys.exit(EXIT_CODES[error.ending])

    return verb  # type: ignore[return-value]  # a wrapper has the signature of what it wraps


def _tell(error: GateError, form: str) -> None:
    findings = error.findings if isinstance(error, InventoryError) else ()
    if form == "json":
        from deploygate.report import findings_data  # noqa: PLC0415 - costs start-up time

        data = {
            "schema": 1,
            "ending": error.ending,
            "reason_code": error.ending,
            "exit_code": EXIT_CODES[error.ending],
            "says": error.says,
            "help": error.help,
            "findings": findings_data(findings),
        }
        click.echo(json.dumps(data, indent=2))
        return
    if findings:
        from deploygate.report import findings_text  # noqa: PLC0415 - costs start-up time

        click.echo(findings_text(findings), err=True, nl=False)
    click.echo(f"✘ {error.ending}  {plain(error.says, 500)}", err=True)
    if error.help:
        click.echo(f"  now   {error.help}", err=True)
