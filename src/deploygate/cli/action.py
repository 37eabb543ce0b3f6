"""`deploygate action`: the main step of the Action; a runner gives its inputs in the environment."""

import io
import os
import signal
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import click

from deploygate.cli.acting.inputs import INPUTS
from deploygate.cli.acting.step import main_step

Verb = Callable[..., Any]


def _inputs(function: Verb) -> Verb:
    """Add an option for each input of action.yml, with its default and its help."""
    for name, (default, about) in reversed(list(INPUTS.items())):
        option = click.option(
            f"--{name.replace('_', '-')}",
            name,
            default=default,
            metavar="TEXT",
            envvar=f"INPUT_{name.upper()}",
            show_envvar=True,
            help=f"{about}",
        )
        function = option(function)
    return function


@click.command("action")
@_inputs
def command(**given: str) -> None:
    """Do what a step of a GitHub workflow asks for; see docs/action.md.

    This is the entry point of the container. Each option is an input of action.yml; an empty one means its default.
    """
    spell_out()
    _end_at_once_on_signals()
    sys.exit(main_step(given, os.environ))


def spell_out() -> None:
    """Print UTF-8, as a runner reads it, whatever the locale; what is no letter in it is spelt out."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")


def _end_at_once_on_signals() -> None:
    """End on SIGTERM before a run listens for it: the first process of a container ignores it otherwise."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        raise click.Abort

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
