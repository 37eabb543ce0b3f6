"""`deploygate init`: an inventory to start from, with the workflows, from what the repository says of its services."""

import shlex
import sys
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from deploygate.cli.beginning.asking import ask
from deploygate.cli.beginning.looking import look, repository
from deploygate.cli.beginning.placing import exists, put, taken
from deploygate.cli.beginning.sketch import Found, Sketch
from deploygate.cli.beginning.text import MARK, rendered
from deploygate.cli.beginning.workflows import KINDS, left, workflows
from deploygate.cli.loading import Loaded, load_inventory
from deploygate.cli.options import reported
from deploygate.errors import GateError
from deploygate.findings import errors
from deploygate.wording import count

_OF_ONE = {
    "purpose": "--purpose",
    "artifact": "--artifact",
    "root": "--root",
    "start": "--start",
    "production": "--address",
    "parallel": "--parallel-address",
}
_file = click.Path(path_type=Path, dir_okay=False)


@click.command("init")
@click.option("--service", metavar="NAME", help="The service's name; of several that are found, only this one.")
@click.option("--purpose", metavar="SENTENCE", help="What the service is for, in a sentence.")
@click.option("--ops", metavar="WHO", help="Who runs it.")
@click.option("--dev", metavar="WHO", help="Who builds it.")
@click.option("--pm", metavar="WHO", help="Who decides what it is for.")
@click.option("--version", help="The version that is wanted on every instance.  [default: 1.0]")
@click.option("--artifact", metavar="PATH", help="Where releases come from.  [default: dist/NAME-{version}]")
@click.option("--root", metavar="DIR", help="Where releases are installed side by side.  [default: srv/NAME]")
@click.option("--start", metavar="WORDS", help='How a release is started.  [default: ./run --port "{port}"]')
@click.option("--address", "production", multiple=True, metavar="URL", help="A production instance; at least two.")
@click.option("--parallel-address", "parallel", multiple=True, metavar="URL", help="A parallel chain's instance.")
@click.option("--compose", type=_file, help="The docker-compose file.  [default: the repository's]")
@click.option("--catalog", type=_file, help="The Backstage catalog.  [default: the repository's catalog-info.yaml]")
@click.option("--alone", is_flag=True, help="Look neither for a compose file nor for a catalog.")
@click.option(
    "--workflows",
    "kind",
    type=click.Choice(KINDS),
    default=KINDS[0],
    show_default=True,
    help="Which workflows are written: those that check, deploy and roll back, or none.",
)
@click.option(
    "--output", "-o", type=_file, default=Path("services.yml"), show_default=True, help="The inventory to write."
)
@click.option("--yes", "-y", is_flag=True, help="Ask nothing, on a terminal either.")
@click.option("--force", is_flag=True, help="Write over files that exist.")
@reported
def command(*, output: Path, kind: str, alone: bool, yes: bool, force: bool, **given: Any) -> None:
    """Write a service inventory to start from, and the workflows that go with it.

    Services are found in the repository's docker-compose file and its Backstage catalog. On a terminal the rest is
    asked for. What nobody says is made up, and has a comment that says what to change. The file passes
    `deploygate check` as it is. A file that exists is left alone, unless --force is given.
    """
    if not force and taken(output):
        raise exists(output)
    root = repository(output)
    files = (given.pop("compose"), given.pop("catalog"))
    found = Found() if alone else look(root, *files)
    sketches = _chosen(found.sketches, given)
    if not yes and sys.stdin.isatty() and sys.stderr.isatty():
        sketches = ask(sketches)
    text = rendered(sketches)
    loaded = _sound(text)
    put(output, text.encode(), force=force)
    beside = {root / path: content for path, content in workflows(kind, _within(root, output)).items()}
    kept = [path for path in beside if not force and taken(path)]
    for path, content in beside.items():
        if path not in kept:
            put(path, content, force=force)
    size = sum(len(service.instances) for service in loaded.inventory.services.values()) if loaded.inventory else 0
    named = ", ".join(one.called for one in sketches)
    click.echo(f"✔ wrote {output}: {named}, {count(size, 'instance')}")
    _tell("✔ wrote", [_short(path) for path in beside if path not in kept])
    _tell("- left alone, as it exists:", [_short(path) for path in kept])
    _tell("- left out:", found.left_out)
    _tell("!", [f"{finding.says} [{finding.rule}]" for finding in loaded.findings])
    click.echo(_next(sketches, output, text, left([_short(path) for path in beside if path not in kept])), nl=False)


def _chosen(found: tuple[Sketch, ...], given: Mapping[str, Any]) -> tuple[Sketch, ...]:
    """Return the services that are written, with what was given of them.

    Raises:
        GateError: What was given is of one service, and there are several.
    """
    name = given["service"]
    if name is not None:
        found = tuple(one for one in found if one.name == name) or (Sketch(name),)
    sketches = found or (Sketch(),)
    said = {key: value for key, value in given.items() if key != "service" and value not in {None, ()}}
    of_one = [option for key, option in _OF_ONE.items() if key in said]
    if len(sketches) > 1 and of_one:
        listed = ", ".join(one.called for one in sketches)
        raise GateError(
            f"{of_one[0]} is about one service, and {len(sketches)} were found: {listed}",
            help="Name one with --service, or give --alone.",
        )
    return tuple(replace(one, **said) for one in sketches)


def _sound(text: str) -> Loaded:
    """Check the text as an inventory.

    Raises:
        GateError: What was given does not make a sound one.
    """
    with tempfile.TemporaryDirectory(prefix="deploygate-init-") as folder:
        path = Path(folder) / "services.yml"
        path.write_text(text, encoding="utf-8")
        loaded = load_inventory(path)
    if wrong := errors(loaded.findings):
        said = [f"{finding.says} [{finding.rule}]\n        {finding.help}" for finding in wrong]
        raise GateError(
            "what was given does not make a sound inventory; nothing was written",
            help="\n        ".join(said),
        )
    return loaded


def _within(root: Path, output: Path) -> str:
    """Return the path of the inventory as workflows know it."""
    return output.absolute().relative_to(root).as_posix()


def _short(path: Path) -> Path:
    """Return a path as people write it, where they are."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


def _tell(what: str, about: Iterable[object]) -> None:
    for one in about:
        click.echo(f"{what} {one}")


def _next(sketches: tuple[Sketch, ...], output: Path, text: str, more: list[str]) -> str:
    named = "" if output == Path("services.yml") else f" -i {shlex.quote(str(output))}"
    made_up = [
        f"{output}:{number}: {line.partition(MARK)[2].strip()}"
        for number, line in enumerate(text.splitlines(), start=1)
        if MARK in line
    ]
    service = shlex.quote(sketches[0].called)
    still = "".join(f"    {one}\n" for one in (*made_up, *more))
    return f"""
{"Still to be filled in by you:" if still else "Nothing is made up."}
{still}
Next, once the values marked `change:` are yours:
    deploygate check{named}
    deploygate plan {service}{named}
    deploygate deploy {service}{named}
The first deploy starts what does not run yet: give it --baseline broken.
"""
