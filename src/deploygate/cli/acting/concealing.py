"""Secrets are taken out of whatever leaves the gate: a runner hides them in its log, and nowhere else."""

from collections.abc import Iterable

from deploygate.report import escaped
from deploygate.wording import plain

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
                    self._forms |= {shown, escaped(shown), plain(shown, 300)}

    def hide(self, text: str) -> str:
        """Return a text without them; the longest first, as one may be a part of another."""
        for form in sorted(self._forms, key=len, reverse=True):
            text = text.replace(form, "***")
        return text
