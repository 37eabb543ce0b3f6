"""The `deploygate` command: its verbs, each imported only when it is used, and how every run exits."""

import importlib
import sys

import click

from deploygate.endings import EXIT_CODES, MEANINGS, Ending

VERBS = {
    "check": "Check the service inventory and report every finding.",
    "explain": "Explain a rule of the check, or list all of them.",
    "plan": "Show what a deploy would do, and what it could not take back.",
    "can": "Say whether a version may be deployed, and rolled back.",
    "deploy": "Deploy a version, instance by instance.",
    "rollback": "Take a service back: kill the new, start the old.",
    "restore": "Put back into the balancer what a killed run left out.",
    "observe": "Show what runs where, as observed now.",
    "graph": "Draw the services and their interfaces, with what fails in red.",
    "codeowners": "Write the owners of the inventory into CODEOWNERS.",
    "schema": "Print the inventory's JSON Schema.",
    "init": "Write an inventory to start from.",
    "action": "Do what a step of a GitHub workflow asks for: the entry point of the Action.",
    "demo": "Deploy, fail and roll back on a fleet of real processes.",
}


class Verbs(click.Group):
    """A group that imports a verb when it is called, and lists them all without importing any."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the verbs, in the order of a deployment."""
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one verb."""
        if cmd_name not in VERBS:
            return None
        module = importlib.import_module(f"deploygate.cli.{cmd_name}")
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the verbs and the exit codes."""
        with formatter.section("Verbs"):
            formatter.write_dl(list(VERBS.items()))
        with formatter.section("Exit codes (a run that got what it was asked for exits with 0)"):
            formatter.write_dl([(f"{code}  {ending}", MEANINGS[ending]) for ending, code in EXIT_CODES.items()])


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="deploygate")
def cli() -> None:
    """Deploy services instance by instance, on health and version, with a proven way back.

    The service inventory (services.yml) says what there is: owners, instances, interfaces, probes. Start with
    `deploygate demo`, or with `deploygate init` in your repository.
    """


def main() -> None:
    """Run the command line, and exit with one of the codes of its help."""
    try:
        code = cli.main(prog_name="deploygate", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(EXIT_CODES[Ending.USAGE_ERROR])
    except click.Abort:
        click.echo(f"✘ {Ending.INTERRUPTED}  {MEANINGS[Ending.INTERRUPTED]}", err=True)
        sys.exit(EXIT_CODES[Ending.INTERRUPTED])
    sys.exit(code if isinstance(code, int) else 0)
