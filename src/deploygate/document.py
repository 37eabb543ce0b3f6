"""A document whose values know their place: the file, line and column of every key and every value."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from deploygate.findings import Where

Spot = tuple[str, int, int]  # what a Where is made of: kept as a tuple, as there are half a million of them
Path = tuple[str | int, ...]


class Table(dict[str, Any]):
    """A mapping; `keys_at` and `values_at` tell where things stand, `written` how unquoted values were spelt."""

    __slots__ = ("keys_at", "values_at", "written")

    def __init__(self) -> None:
        super().__init__()
        self.keys_at: dict[str, Spot] = {}
        self.values_at: dict[str, Spot] = {}
        self.written: dict[str, str] = {}

    def take(self, key: str, other: "Table") -> None:
        """Take one key over from another table, with its place."""
        self[key] = other[key]
        self.keys_at[key] = other.keys_at[key]
        self.values_at[key] = other.values_at[key]
        if key in other.written:
            self.written[key] = other.written[key]


class Row(list[Any]):
    """A sequence; `values_at` and `written` as in a Table, by position."""

    __slots__ = ("values_at", "written")

    def __init__(self) -> None:
        super().__init__()
        self.values_at: list[Spot] = []
        self.written: dict[int, str] = {}


@dataclass(frozen=True, slots=True)
class Moment:
    """What YAML makes of an unquoted date; nothing in an inventory is one."""

    text: str


@dataclass(frozen=True, slots=True)
class Document:
    """One document, or several merged; `file` is the file or folder, `folder` what its paths are relative to."""

    root: Any
    file: str
    folder: str = "."

    def _walk(self, path: Path) -> Iterator[tuple[Any, Any]]:
        node: Any = self.root
        for part in path:
            if isinstance(node, Table):
                if part not in node:
                    return
            elif not (isinstance(node, Row) and isinstance(part, int) and part < len(node)):
                return
            yield node, part
            node = node[part]

    def key(self, *path: str | int) -> Where:
        """Return where the key at the end of `path` stands, or the nearest one above it that exists."""
        found = Where(self.file)
        for node, part in self._walk(path):
            found = Where(*(node.keys_at if isinstance(node, Table) else node.values_at)[part])
        return found

    def value(self, *path: str | int) -> Where:
        """Return where the value at the end of `path` stands, or the nearest key above it that exists."""
        steps = list(self._walk(path))
        if steps and len(steps) == len(path):
            node, part = steps[-1]
            return Where(*node.values_at[part])
        return self.key(*path)

    def written(self, path: Path) -> str | None:
        """Return how an unquoted value was spelt in the file, where YAML made something else than text of it."""
        steps = list(self._walk(path))
        if not steps or len(steps) < len(path):
            return None
        node, part = steps[-1]
        spelt: str | None = node.written.get(part)
        return spelt
