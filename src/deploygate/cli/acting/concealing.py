"""Secrets are taken out of whatever leaves the gate: a runner hides them in its log, and nowhere else."""

from collections.abc import Iterable
from urllib.parse import quote

import msgspec

from deploygate.report import escaped
from deploygate.wording import plain

_CUT = "…"  # the sign that the rest was cut off
_TOO_SHORT = 3  # characters of a secret that would hide half of every message


class Concealed:
    """The secrets that a step knows, line by line, in each form in which they could stand in a text."""

    def __init__(self) -> None:
        self._forms: set[str] = set()

    def know(self, values: Iterable[str]) -> None:
        """Add secrets."""
        for value in values:
            for line in value.splitlines():
                shown = line.strip()
                if len(shown) > _TOO_SHORT:
                    self._forms |= _forms(shown)

    def hide(self, text: str) -> str:
        """Return a text without them; the longest first, as one may be a part of another."""
        forms = sorted(self._forms, key=len, reverse=True)
        for form in forms:
            text = text.replace(form, "***")
        *cut, rest = text.split(_CUT)
        return _CUT.join([*(_ended(part, forms) for part in cut), rest])


def _forms(secret: str) -> set[str]:
    """Return a secret as Markdown, a log, JSON and an address have it."""
    line = plain(secret, 10 * len(secret))
    spelt = {secret, escaped(secret), line, escaped(line)}
    return (
        spelt
        | {msgspec.json.encode(form).decode("utf-8")[1:-1] for form in spelt if form.isprintable()}
        | {
            quote(secret, safe="", errors="replace"),
            quote(secret, errors="replace"),
        }
    )


def _ended(part: str, forms: Iterable[str]) -> str:
    """Return a text that was cut off without the beginning of a secret that it ends in."""
    for form in forms:
        for size in range(min(len(form), len(part)), _TOO_SHORT, -1):
            if part.endswith(form[:size]):
                return f"{part[:-size]}***"
    return part
