"""What a person at a terminal is asked of a service; an empty answer leaves it made up."""

from collections.abc import Sequence
from dataclasses import replace

import click

from deploygate.cli.beginning.sketch import Sketch

_OF_ALL = {
    "ops": "Who runs {}",
    "dev": "Who builds {}",
    "pm": "Who decides what {} for",
}


def ask(sketches: Sequence[Sketch]) -> tuple[Sketch, ...]:
    """Ask for what is not known yet: the owners once for all, and name, purpose and version of each."""
    click.echo("An empty answer is made up, and marked in the file.", err=True)
    asked = [_one(each) for each in sketches]
    whom, what = ("it", "it is") if len(asked) == 1 else ("them", "they are")
    for role, question in _OF_ALL.items():
        if any(getattr(each, role) is None for each in asked):
            who = _answer(question.format(what if role == "pm" else whom))
            asked = [
                replace(each, **{role: who})  # type: ignore[arg-type]  # all three are text
                if getattr(each, role) is None
                else each
                for each in asked
            ]
    return tuple(asked)


def _one(sketch: Sketch) -> Sketch:
    name = sketch.name if sketch.name is not None else _answer("The service's name")
    named = replace(sketch, name=name)
    return replace(
        named,
        purpose=sketch.purpose or _answer(f"What is {named.called} for, in a sentence"),
        version=sketch.version or _answer(f"Which version of {named.called} runs now"),
    )


def _answer(question: str) -> str | None:
    answer: str = click.prompt(question, default="", show_default=False, err=True)
    return answer.strip() or None
