"""Text as YAML that every reader of it takes for this text."""

import re

from deploygate.adapters.documents.scalars import unquoted
from deploygate.errors import GateError

_BARE = re.compile(r"(\./|--)?[A-Za-z0-9]([A-Za-z0-9 ._/-]*[A-Za-z0-9._/-])?")
_DOUBTFUL = {"y", "n"}  # truth values to some readers of YAML
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r"}


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
