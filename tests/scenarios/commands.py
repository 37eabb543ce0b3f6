"""Workflow commands, as the runner reads them from a step's lines."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

_COMMAND = re.compile(r"^\s*::([\w-]+)(?: (.*?))?::(.*)$")
_DATA = (("%0D", "\r"), ("%0A", "\n"), ("%25", "%"))
_PROPERTY = (("%3A", ":"), ("%2C", ","), *_DATA)


@dataclass(frozen=True, slots=True)
class Command:
    """A command, with nothing escaped any more."""

    name: str
    about: Mapping[str, str] = field(default_factory=dict)
    says: str = ""


def commands(text: str) -> Iterator[Command]:
    """Give the commands in a step's output; what stands between `stop-commands` and its word is text."""
    stopped = ""
    for line in text.splitlines():
        if stopped:
            stopped = "" if line.strip() == f"::{stopped}::" else stopped
            continue
        if found := _COMMAND.match(line):
            pairs = (pair.partition("=") for pair in (found[2] or "").split(",") if pair)
            about = {key.strip(): _plain(value, _PROPERTY) for key, _, value in pairs}
            if found[1] == "stop-commands":
                stopped = found[3]
            yield Command(found[1], about, _plain(found[3], _DATA))


def file_commands(text: str) -> dict[str, str]:
    """Return the names and values in a file such as GITHUB_OUTPUT; malformed, it fails the step, so the test."""
    said: dict[str, str] = {}
    lines = iter(text.splitlines())
    for line in lines:
        if not line:
            continue
        name, heredoc, mark = line.partition("<<")
        if heredoc and "=" not in name:
            held: list[str] = []
            for one in lines:
                if one == mark:
                    break
                held.append(one)
            else:
                raise AssertionError(f"the value of {name} has no end")
            said[name] = "\n".join(held)
        else:
            name, equals, value = line.partition("=")
            assert equals, f"neither a name nor a value: {line}"
            said[name] = value
    return said


def _plain(text: str, escapes: tuple[tuple[str, str], ...]) -> str:
    for escaped, character in escapes:
        text = text.replace(escaped, character)
    return text
