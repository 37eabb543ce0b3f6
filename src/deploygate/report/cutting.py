"""Markdown cut to what a place holds: whole lines, nothing left open, the verdict on top, and how much is missing."""

import re

_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})(.*)")
_TAG = re.compile(r"<(/?)details\b[^>]*>", re.IGNORECASE)
_RULE = re.compile(r"\s*\|?[\s:|-]*-[\s:|-]*\|[\s:|-]*")  # what stands below a table's head


def cut(markdown: str, limit: int, run_url: str) -> str:
    """Return a text of at most `limit` bytes in UTF-8; what does not fit is left out from the end, line by line.

    What is cut says how many lines are missing, and where they are: `run_url`, which may be empty.
    """
    if _size(markdown) <= limit:
        return markdown
    lines = markdown.splitlines()
    room = limit - _size(_missing(len(lines), run_url))
    kept = _fitting(lines, room)
    if not kept:  # not even the verdict fits as it is
        kept = [lines[0].encode()[: max(0, room - 4)].decode(errors="ignore") + "…"]
    while len(kept) > 1 and _headless(kept, lines[len(kept) :]):
        kept.pop()
    return "\n".join([*kept, *_closing(kept)]) + _missing(len(lines) - len(kept), run_url)


def _fitting(lines: list[str], room: int) -> list[str]:
    """Return the first lines that fit, together with what closes them."""
    kept: list[str] = []
    used = 0
    state = _Open()
    for line in lines:
        state.take(line)
        used += _size(line) + 1
        if used + sum(_size(close) + 1 for close in state.closing()) > room:
            break
        kept.append(line)
    return kept


def _headless(kept: list[str], rest: list[str]) -> bool:
    """Tell whether the last line is the head of a table of which no row is left, or the rule below it."""
    if _RULE.fullmatch(kept[-1]):
        return bool(rest) and "|" in rest[0]
    return bool(rest) and "|" in kept[-1] and _RULE.fullmatch(rest[0]) is not None


class _Open:
    """What a text has begun and not ended: a fence, and details that are folded in each other."""

    def __init__(self) -> None:
        self._fence = ""
        self._details = 0

    def take(self, line: str) -> None:
        found = _FENCE.match(line)
        if self._fence:
            if found and found[1].startswith(self._fence) and not found[2].strip():
                self._fence = ""
        elif found and not (found[1][0] == "`" and "`" in found[2]):
            self._fence = found[1]
        else:
            for slash in _TAG.findall(line):
                self._details = max(0, self._details + (-1 if slash else 1))

    def closing(self) -> list[str]:
        return ([self._fence] if self._fence else []) + ["", "</details>"] * self._details


def _closing(kept: list[str]) -> list[str]:
    state = _Open()
    for line in kept:
        state.take(line)
    return state.closing()


def _missing(lines: int, run_url: str) -> str:
    where = f"[the run]({run_url})" if run_url else "the run"
    return f"\n\n*{lines:,} {'line' if lines == 1 else 'lines'} left out, see {where}*\n"


def _size(text: str) -> int:
    return len(text.encode())
