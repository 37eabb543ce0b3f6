"""How a runner spells its commands and files, so that a value can never become another command or another value.

Sources: ActionCommand.cs of actions/runner for the commands, and GitHub's "Workflow commands" page for the files.
"""

import secrets
from collections.abc import Mapping

_DATA = {"%": "%25", "\r": "%0D", "\n": "%0A"}
_PROPERTY = _DATA | {":": "%3A", ",": "%2C"}
MESSAGE = 4000  # characters of an annotation; the runner cuts at 4,096


def command(name: str, says: str, properties: Mapping[str, str | int] | None = None) -> str:
    """Return a workflow command as a line without its end."""
    given = ",".join(f"{key}={_spelt(str(value), _PROPERTY)}" for key, value in (properties or {}).items() if value)
    return f"::{name}{' ' if given else ''}{given}::{_spelt(says, _DATA)}"


def entry(name: str, value: str) -> str:
    """Return a name and its value for a file of outputs or of state; no value can end before its end."""
    mark = f"ghadelimiter_{secrets.token_hex(16)}"
    return f"{name}<<{mark}\n{value}\n{mark}\n"


def _spelt(text: str, letters: Mapping[str, str]) -> str:
    return "".join(letters.get(letter, letter) for letter in text)
