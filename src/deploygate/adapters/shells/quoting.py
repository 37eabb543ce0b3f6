"""Values for a shell, quoted so that each arrives to the letter and none is ever read as shell."""

import re
from collections.abc import Mapping, Sequence

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def quoted(value: str) -> str:
    """Return one word of shell that is this text.

    Raises:
        ValueError: It has a NUL, which no shell can hold.
    """
    if "\0" in value:
        raise ValueError("a value for a host has a NUL in it, which no shell can hold")
    return "'" + value.replace("'", "'\"'\"'") + "'"


def assigned(values: Mapping[str, str]) -> str:
    """Return a line of shell for each value, that gives it its name.

    Raises:
        ValueError: A name is none of a shell's, or a value has a NUL.
    """
    for name in values:
        if not _NAME.fullmatch(name):
            raise ValueError(f"{name!r} can't be the name of a value")
    return "".join(f"{name}={quoted(value)}\n" for name, value in values.items())


def words(command: Sequence[str]) -> str:
    """Return an argument vector as words that `eval "set -- ..."` takes apart again."""
    return " ".join(quoted(word) for word in command)


def one_line(value: str) -> str:
    """Return a word that is this text, in one line of shell in which `$nl` is a newline."""
    return quoted(value).replace("\n", "'\"$nl\"'")
