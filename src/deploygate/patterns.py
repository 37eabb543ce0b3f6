"""Patterns of CODEOWNERS, as GitHub reads them: written for a path, and held against one.

They are those of gitignore, but for three things that do not work there: an escaped `#` at the beginning, `!` before a
pattern, and a range in brackets. Capitals count.
"""

from collections.abc import Iterator, Sequence

_ESCAPED = "\\ *?[]"  # what means something else in a pattern


def pattern(path: str) -> str:
    """Return the pattern of one path, from the top of the repository; what can't be written there is left open."""
    return "/" + "".join(_written(char) for char in path)


def writable(path: str) -> bool:
    """Tell whether a pattern can say a path to the letter: a `#` begins a comment, however it is escaped."""
    return path.isprintable() and "#" not in path


def matches(rule: str, path: str) -> bool:
    """Tell whether GitHub takes a pattern to mean a path, or a folder that it is in."""
    parts = rule.strip("/").split("/")
    if "/" not in rule.rstrip("/"):
        parts = ["**", *parts]
    names = path.split("/")
    whole = not rule.endswith("/") and _fit(parts, names)
    above = parts[-1] != "*" or parts == ["**", "*"]
    return whole or (above and any(_fit(parts, names[:end]) for end in range(1, len(names))))


def rule_of(line: str) -> str:
    """Return the pattern of a line, or nothing where it has none that GitHub would take."""
    if not line.strip() or line.lstrip().startswith(("#", "!")):
        return ""
    made, escaped = "", False
    for char in line.strip():
        if char in " \t" and not escaped:
            break
        if char in "[]" and not escaped:
            return ""
        made += char
        escaped = char == "\\" and not escaped
    return made


def _written(char: str) -> str:
    if char in _ESCAPED:
        return f"\\{char}"
    if char == "#":
        return "?"
    return char if char.isprintable() else "*"


def _fit(parts: Sequence[str], names: Sequence[str]) -> bool:
    """Tell whether the parts of a pattern fit the parts of a path one by one; `**` is any number of them."""
    reached = {0}
    for number, part in enumerate(parts):
        if part == "**":
            least = 1 if number == len(parts) - 1 else 0
            reached = {after for one in reached for after in range(one + least, len(names) + 1)}
        else:
            reached = {one + 1 for one in reached if one < len(names) and _like(part, names[one])}
    return len(names) in reached


def _like(part: str, name: str) -> bool:
    """Tell whether one part of a pattern fits one name: `*` is any characters, `?` is one."""
    reached = {0}
    for wanted in _tokens(part):
        if wanted == "*":
            reached = set(range(min(reached), len(name) + 1)) if reached else set()
        else:
            reached = {one + 1 for one in reached if one < len(name) and wanted in {"?", f"\\{name[one]}"}}
    return len(name) in reached


def _tokens(part: str) -> Iterator[str]:
    """Give what a part is made of: `*`, `?`, and every other character with a backslash before it."""
    escaped = False
    for char in part:
        if char == "\\" and not escaped:
            escaped = True
            continue
        yield char if char in "*?" and not escaped else f"\\{char}"
        escaped = False
