"""Writes the parts of README.md and docs/ that come from the code: `python docs/generate.py [--check]`.

A part stands between `<!-- generated: NAME -->` and `<!-- end -->`. With --check nothing is written, and the exit
code is 1 where a page is not what it would be.
"""  # noqa: INP001 - a script, not a package

import ast
import importlib
import inspect
import re
import sys
import tomllib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import click
import yaml

from deploygate.adapters.schemas import DRIVER_STATUS, schema
from deploygate.cli.loading import load_inventory
from deploygate.cli.main import VERBS
from deploygate.endings import EXIT_CODES, MEANINGS, Goal, exit_code
from deploygate.ports import Balancer, Hosts, Process, Telling
from deploygate.report import graph_markdown
from deploygate.rollout.table import TABLE, Phase, Turn, diagram
from deploygate.wish import WAIVABLE

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "src" / "deploygate"
PART = re.compile(r"(<!-- generated: ([a-z-]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def machine() -> str:
    """Return the table of the machine as a picture."""
    return f"```mermaid\n{diagram()}```\n"


def talk() -> str:
    """Return the fleet of the talk as a picture."""
    inventory = load_inventory(ROOT / "examples" / "talk" / "services.yml").inventory
    return graph_markdown(inventory) if inventory else ""


def unpictured() -> str:
    """Return what the picture leaves out: where interruptions and defects of the gate lead."""
    breaks = [(phase, after) for (phase, turn), after in TABLE.items() if turn is Turn.BROKE]
    stops = [phase for phase in Phase if (phase, Turn.INTERRUPTED) in TABLE]
    rows = [(f"{Turn.INTERRUPTED}", ", ".join(stops), Phase.CLOSING.value)]
    for target in dict.fromkeys(after for _, after in breaks):
        where = ", ".join(phase for phase, after in breaks if after is target)
        rows.append((f"{Turn.BROKE}", where, target.value))
    return table(("what", "in", "leads to"), rows)


def endings() -> str:
    """Return every ending with its exit code after a deploy and after a rollback."""
    rows = [
        (f"`{ending}`", str(exit_code(ending, Goal.DEPLOY)), str(exit_code(ending, Goal.ROLLBACK)), MEANINGS[ending])
        for ending in EXIT_CODES
    ]
    return table(("ending", "deploy", "rollback", "what it means"), rows)


def verbs() -> str:
    """Return every verb with its line."""
    rows = [(f"[`deploygate {verb}`](docs/cli.md#{verb})", says) for verb, says in VERBS.items()]
    return table(("verb", "what it does"), rows)


def cli() -> str:
    """Return every verb with its usage, help and options."""
    return "\n".join(section for verb in VERBS for section in _verb(verb))


def waivers() -> str:
    """Return the rules that a run may waive."""
    return table(
        ("rule", "what is accepted when it is waived"), [(f"`{rule}`", says) for rule, says in WAIVABLE.items()]
    )


def layers() -> str:
    """Return the layers that import-linter holds, the highest first."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    found = next(one for one in contracts if one["type"] == "layers")["layers"]
    return "```\n" + "".join(f"{layer}\n" for layer in found) + "```\n"


def tree() -> str:
    """Return every module with the sentence at its top."""
    lines = ["src/deploygate/\n"]
    for path in _modules(PACKAGE):
        depth = len(path.relative_to(PACKAGE).parts)
        name = f"{path.name}/" if path.is_dir() else path.name
        source = path / "__init__.py" if path.is_dir() else path
        said = (ast.get_docstring(ast.parse(source.read_text())) or "").split("\n")[0]
        lines.append(f"{'  ' * depth + name:<24} {said}".rstrip() + "\n")
    return "```\n" + "".join(lines) + "```\n"


def keys(part: str, *inner: str) -> Callable[[], str]:
    """Return what gives the keys of one part of the inventory's schema, or of a table in it, with what they mean."""

    def rows() -> Iterator[tuple[str, str]]:
        found = schema()["$defs"][part]
        for key in inner:
            found = found["properties"][key]
        for key, about in found["properties"].items():
            must = " Must be given." if key in found.get("required", ()) else ""
            yield f"`{key}`", about["description"] + must

    return lambda: table(("key", "what it says"), tuple(rows()))


def status_keys() -> str:
    """Return the keys of what a status program of the command driver prints."""
    found = schema(DRIVER_STATUS)
    must = dict.fromkeys(found["required"], " Must be given.")
    rows = [(f"`{key}`", about["description"] + must.get(key, "")) for key, about in found["properties"].items()]
    return table(("key", "what it says"), rows)


def action_inputs() -> str:
    """Return the inputs of the Action, with their defaults."""
    rows = [(f"`{key}`", _shown(about["default"]), about["description"]) for key, about in _action()["inputs"].items()]
    return table(("input", "default", "what it says"), rows)


def action_outputs() -> str:
    """Return the outputs of the Action."""
    rows = [(f"`{key}`", about["description"]) for key, about in _action()["outputs"].items()]
    return table(("output", "what it says"), rows)


def example(path: str) -> Callable[[], str]:
    """Return what gives an example of a workflow as it is in its file."""
    return lambda: f"```yaml\n{(ROOT / 'examples' / 'workflows' / path).read_text(encoding='utf-8')}```\n"


def port(kind: type) -> Callable[[], str]:
    """Return what gives a port as it is written down."""
    return lambda: f"```python\n{inspect.getsource(kind)}```\n"


def table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    """Return a table of Markdown."""
    lines = [head, tuple("---" for _ in head), *rows]
    return "".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |\n" for line in lines)


PARTS: dict[str, Callable[[], str]] = {
    "diagram": machine,
    "graph": talk,
    "unpictured": unpictured,
    "endings": endings,
    "verbs": verbs,
    "cli": cli,
    "waivers": waivers,
    "layers": layers,
    "tree": tree,
    "service-keys": keys("service"),
    "health-keys": keys("health"),
    "version-keys": keys("version-probe"),
    "rollout-keys": keys("rollout"),
    "release-keys": keys("release"),
    "instance-keys": keys("instance"),
    "deploy-keys": keys("service", "deploy"),
    "killstart-keys": keys("service", "deploy", "killstart"),
    "ssh-keys": keys("ssh"),
    "systemd-keys": keys("systemd"),
    "command-keys": keys("service", "deploy", "command"),
    "workflow-keys": keys("service", "deploy", "workflow"),
    "plugin-keys": keys("driver-plugin"),
    "balancer-keys": keys("balancer"),
    "haproxy-keys": keys("balancer", "haproxy"),
    "nginx-keys": keys("balancer", "nginx"),
    "balancer-command-keys": keys("balancer", "command"),
    "status-keys": status_keys,
    "hosts-port": port(Hosts),
    "process-value": port(Process),
    "balancer-port": port(Balancer),
    "telling-port": port(Telling),
    "action-inputs": action_inputs,
    "action-outputs": action_outputs,
    "one-repository": example("one-repository/deploygate.yml"),
    "one-repository-rollback": example("one-repository/rollback.yml"),
    "service-repository": example("service-repository/deploygate.yml"),
    "service-repository-rollback": example("service-repository/rollback.yml"),
    "own-workflow": example("own-workflow/deploygate.yml"),
    "own-workflow-instance": example("own-workflow/deploy-instance.yml"),
}


def filled(text: str) -> str:
    """Return a page with its generated parts as they are now."""
    return PART.sub(lambda match: match[1] + PARTS[match[2]]() + match[3], text)


def pages() -> list[Path]:
    """Return every page that may have generated parts."""
    return [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def _action() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
    return found


def _shown(default: str) -> str:
    return f"`{default}`" if default else "empty"


def _modules(folder: Path) -> Iterator[Path]:
    """Give files before folders, each sorted by name."""
    for path in sorted(folder.iterdir(), key=lambda one: (one.is_dir(), one.name)):
        if path.is_dir() and (path / "__init__.py").exists():
            yield path
            yield from _modules(path)
        elif path.suffix == ".py" and path.name != "__init__.py":
            yield path


def _verb(verb: str) -> Iterator[str]:
    command: click.Command = importlib.import_module(f"deploygate.cli.{verb}").command
    words = [_place(one) for one in command.params if isinstance(one, click.Argument)]
    usage = " ".join(["deploygate", verb, "[OPTIONS]", *words])
    yield f"## {verb}\n\n```\n{usage}\n```\n"
    yield "\n\n".join(" ".join(one.split()) for one in (command.help or "").split("\n\n")) + "\n"
    rows = [_option(one) for one in command.params if isinstance(one, click.Option) and not one.hidden]
    if rows:
        yield table(("option", "environment", "default", "what it does"), rows)


def _place(argument: click.Argument) -> str:
    name = str(argument.name).upper()
    return name if argument.required else f"[{name}]"


def _option(option: click.Option) -> tuple[str, str, str, str]:
    about, _, shown = (option.help or "").partition("  [default: ")
    value = "" if option.is_flag else f" {_value(option)}"
    names = ", ".join(f"`{name}{value}`" for name in sorted(option.opts, key=len, reverse=True))
    variable = f"`{option.envvar}`" if isinstance(option.envvar, str) else ""
    default = shown.removesuffix("]")
    if not default and isinstance(option.default, str | Path):
        default = f"`{option.default}`"
    return names, variable, default, about


def _value(option: click.Option) -> str:
    if isinstance(option.type, click.Choice):
        return "|".join(option.type.choices)
    return option.metavar or option.type.name.upper()


def main(words: list[str]) -> int:
    """Fill the pages, or say which are not as they would be."""
    stale = []
    for page in pages():
        before = page.read_text(encoding="utf-8")
        after = filled(before)
        if before != after:
            stale.append(page.relative_to(ROOT))
            if "--check" not in words:
                page.write_text(after, encoding="utf-8")
    for name in stale:
        click.echo(f"{name}: {'run `make docs`' if '--check' in words else 'written'}")
    return 1 if stale and "--check" in words else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
