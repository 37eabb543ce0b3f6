"""Secrets that a service or a program has printed are taken out before anybody is told, or a journal is written."""

from collections.abc import Iterable, Mapping

from deploygate.wording import plain

_TOO_SHORT = 3  # characters of a secret that would hide half of every message


def masked(text: str, names: Iterable[str], environ: Mapping[str, str]) -> str:
    """Return a line that was made plain, without the secrets of these names: each line of theirs, also where cut."""
    for name in names:
        for line in environ.get(name, "").splitlines():
            shown = plain(line, 300)
            if len(shown) > _TOO_SHORT:
                text = text.replace(shown, "***")
                for end in range(len(shown) - 1, _TOO_SHORT, -1) if "…" in text else ():
                    text = text.replace(f"{shown[:end]}…", "***…")
    return text
