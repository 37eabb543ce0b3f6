"""`deploygate init`: an inventory to start from, sound as it is, with a comment wherever a value is made up."""

import os
import re
import shlex
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count as numbers
from pathlib import Path

import click

from deploygate.adapters.documents.scalars import unquoted
from deploygate.adapters.files import write_whole
from deploygate.cli.loading import load_inventory
from deploygate.cli.options import reported
from deploygate.errors import GateError
from deploygate.wording import count, plain

_BARE = re.compile(r"(\./|--)?[A-Za-z0-9]([A-Za-z0-9 ._/-]*[A-Za-z0-9._/-])?")
_DOUBTFUL = {"y", "n"}  # truth values to some readers of YAML
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r"}
_STEM = 50  # characters of a service's name that go into the names of its instances
_MADE_UP_PORTS = 7101


@dataclass(frozen=True, slots=True)
class Given:
    """What the user said of the service; None or empty where it is made up."""

    service: str | None
    purpose: str | None
    ops: str | None
    dev: str | None
    pm: str | None
    version: str | None
    artifact: str | None
    root: str | None
    start: str | None
    parallel: tuple[str, ...]
    production: tuple[str, ...]

    @property
    def name(self) -> str:
        """The service's name."""
        return "my-service" if self.service is None else self.service


@click.command("init")
@click.option("--service", metavar="NAME", help="The service's name.  [default: my-service]")
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
@click.option(
    "--output",
    "-o",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("services.yml"),
    show_default=True,
    help="The file to write.",
)
@click.option("--force", is_flag=True, help="Write over a file that exists.")
@reported
def command(*, output: Path, force: bool, **given: str | tuple[str, ...] | None) -> None:
    """Write a service inventory to start from.

    What is not given is made up, and has a comment that says what to change. The file passes `deploygate check` as
    it is. A file that exists is left alone, unless --force is given.
    """
    wanted = Given(**given)  # type: ignore[arg-type]  # click gives what the options above say
    if not force and (output.exists() or output.is_symlink()):
        raise _exists(output)
    text = rendered(wanted)
    size = _sound(text)
    _write(output, text.encode(), force=force)
    click.echo(f"✔ wrote {output}: {wanted.name}, {count(size, 'instance')}")
    click.echo(_next(wanted.name, output), nl=False)


def rendered(given: Given) -> str:
    """Return the inventory as text.

    Raises:
        GateError: A value is no text, or the start command can't be split into words.
    """
    name, made_up = given.name, _ports(given)
    parallel = given.parallel or (next(made_up),)
    production = given.production or (next(made_up), next(made_up))
    people = {"ops": given.ops, "dev": given.dev, "pm": given.pm}
    owners = ", ".join(f"{role}: {_or(who, f'{role}-owner')}" for role, who in people.items())
    unnamed = [role for role, who in people.items() if who is None]
    purpose = _or(given.purpose, "Says in one sentence what it is for.")
    version = quoted("1.0" if given.version is None else given.version)
    own = _own(not given.production)
    lines = [
        "# The service inventory: what is there, who answers for it, and how it is deployed.",
        "# `deploygate check` says what is wrong with it; `deploygate schema` describes every key.",
        "# Values that were made up say `change:` beside them.",
        "schema: 1",
        "environments: [parallel-chain, production]  # in the order of promotion; production is the last",
        "",
        "defaults:  # for every service that does not say otherwise",
        "  health: {path: /health, interval: 2s, timeout: 5s, passes: 3, fails: 3, min_healthy: 10s, deadline: 2m}",
        "  version: {path: /version, json: /version}  # the answer's JSON names the build at /version",
        "  rollout: {bake: 30s}  # how much longer the first production instance is watched",
        "",
        "services:",
        _line(f"  {scalar(name)}:", given.service is None, "the service's name"),
        _line(f"    purpose: {purpose}", given.purpose is None, "what the service is for"),
        _line(f"    owners: {{{owners}}}", bool(unnamed), f"people or teams who answer for it ({', '.join(unnamed)})"),
        _line(f"    version: {version}", given.version is None, "the version that runs now"),
        _line(
            f"    artifact: {_or(given.artifact, f'dist/{name}-{{version}}')}",
            given.artifact is None,
            "a folder or archive with each release",
        ),
        "    deploy:",
        "      killstart:",
        _line(
            f"        root: {_or(given.root, f'srv/{name}')}",
            given.root is None,
            "where releases are installed side by side",
        ),
        _line(f"        start: [{_words(given.start)}]", given.start is None, "how a release is started"),
        "        grace: 10s  # to stop by itself",
        "        keep: 5  # releases stay installed",
        "    instances:",
        _line("      parallel-chain:", not given.parallel, own),
        *_instances(name, "p", parallel),
        _line("      production:", not given.production, own),
        *_instances(name, "", production),
    ]
    return "\n".join(lines) + "\n"


def scalar(text: str) -> str:
    """Return text as YAML that reads as this text: bare where every reader agrees, else in quotes."""
    if _BARE.fullmatch(text) and text.lower() not in _DOUBTFUL and isinstance(unquoted(text), str):
        return text
    return quoted(text)


def quoted(text: str) -> str:
    """Return text as a double-quoted scalar of YAML.

    Raises:
        GateError: It is not text at all, but bytes of another encoding.
    """
    return '"' + "".join(_ESCAPES.get(char) or _character(char) for char in text) + '"'


def _character(char: str) -> str:
    if "\ud800" <= char <= "\udfff":
        raise GateError("what was given is not UTF-8", help="Give it in UTF-8, or write the file by hand.")
    if char.isprintable():
        return char
    return f"\\U{ord(char):08x}"


def _or(text: str | None, made_up: str) -> str:
    return scalar(made_up if text is None else text)


def _own(loopback: bool) -> str:  # noqa: FBT001 - of one line, in one place
    return "each instance's own address, never a load balancer's" if loopback else "the instance's own address"


def _line(text: str, made_up: bool, what: str) -> str:  # noqa: FBT001 - reads as the line does
    return f"{text}  # change: {what}" if made_up else text


def _instances(name: str, letter: str, addresses: Sequence[str]) -> Iterator[str]:
    for number, address in enumerate(addresses, start=1):
        one = f"{name.lower()[:_STEM]}-{letter}{number}"
        yield f"        - {{name: {scalar(one)}, address: {quoted(address)}}}"


def _words(start: str | None) -> str:
    if start is None:
        return './run, --port, "{port}"'
    try:
        words = shlex.split(start)
    except ValueError as error:
        raise GateError(f"--start can't be split into words: {plain(str(error))}", help="Close the quotes.") from error
    return ", ".join(scalar(word) for word in words)


def _ports(given: Given) -> Iterator[str]:
    """Give made-up addresses on this machine, on ports that no given address has."""
    known = " ".join((*given.parallel, *given.production))
    return (f"http://127.0.0.1:{port}" for port in numbers(_MADE_UP_PORTS) if str(port) not in known)


def _sound(text: str) -> int:
    """Check the text as an inventory, and return how many instances it has.

    Raises:
        GateError: What was given does not make a sound one.
    """
    with tempfile.TemporaryDirectory(prefix="deploygate-init-") as folder:
        path = Path(folder) / "services.yml"
        path.write_text(text, encoding="utf-8")
        loaded = load_inventory(path)
    if loaded.inventory is None or loaded.findings:
        said = [f"{finding.says} [{finding.rule}]\n        {finding.help}" for finding in loaded.findings]
        raise GateError(
            "what was given does not make a sound inventory; nothing was written",
            help="\n        ".join(said),
        )
    return sum(len(service.instances) for service in loaded.inventory.services.values())


def _write(output: Path, content: bytes, *, force: bool) -> None:
    """Put the file there whole, in one step."""
    place = output.resolve()
    try:
        if force:
            write_whole(place, content)
            return
        beside = place.with_name(f".{place.name}.new.{os.getpid()}")
        write_whole(beside, content)
        try:
            os.link(beside, place)  # unlike a rename, never over a file that came meanwhile
        except FileExistsError:
            raise _exists(output) from None
        except OSError:  # a file system without links
            beside.replace(place)
        finally:
            beside.unlink(missing_ok=True)
    except OSError as error:
        why = error.strerror or str(error)
        raise GateError(f"{output} can't be written: {why}", help="Name another file with --output.") from error


def _exists(output: Path) -> GateError:
    return GateError(f"{output} exists already; nothing was written", help="Name another --output, or give --force.")


def _next(service: str, output: Path) -> str:
    named = "" if output == Path("services.yml") else f" -i {shlex.quote(str(output))}"
    return f"""
Next, once the values marked `change:` are yours:
    deploygate check{named}
    deploygate plan {service}{named}
    deploygate deploy {service}{named}
The first deploy starts what does not run yet: give it --baseline broken.
"""
