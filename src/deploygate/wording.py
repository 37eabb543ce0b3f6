"""Words from outside, made harmless: one line, bounded, with nothing in it that a terminal or runner obeys."""


def plain(text: str, limit: int = 160) -> str:
    """Return `text` as one printable line of at most `limit` characters, its white space as single spaces."""
    return _harmless(" ".join(text[: limit * 4].split()), limit)


def quoted(text: str) -> str:
    """Return a piece of somebody's file as a sentence shows it: short, to the letter, in double quotes."""
    return f'"{_harmless(text, 60)}"'


def _harmless(text: str, limit: int) -> str:
    """Cut a text, and leave nothing in it that a terminal or a runner obeys.

    A runner obeys `##[command]` anywhere in a line and `::command::` at its start, so both are broken up.
    """
    cut = text[: limit + 1]  # one more than fits, which shows that there is more
    shown = "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in cut)
    shown = shown.replace("##[", "## [")
    shown = f": :{shown[2:]}" if shown.startswith("::") else shown
    return shown if len(shown) <= limit else f"{shown[: limit - 1]}…"


def dotted(path: tuple[str | int, ...]) -> str:
    """Return a path of keys and positions as people write it: `services.AdCaster.instances[0]`."""
    parts = (f"[{part}]" if isinstance(part, int) else f".{plain(part, 60)}" for part in path)
    return "".join(parts).removeprefix(".") or "the inventory"


def seconds(value: float) -> str:
    """Return a duration as people write it: `400 ms`, `12 s`, `3 min`, `2 h 5 min`."""
    if value < 1:
        return f"{value * 1000:.0f} ms"
    if value < 120:
        return f"{value:.3g} s" if value < 10 else f"{value:.0f} s"
    minutes = round(value / 60)
    hours, rest = divmod(minutes, 60)
    if not hours:
        return f"{minutes} min"
    return f"{hours} h {rest} min" if rest else f"{hours} h"


def count(number: int, noun: str) -> str:
    """Return a number with its noun: `1 instance`, `3 instances`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
