"""YAML that belongs to others: several documents, tags and merge keys are theirs to use, and places are kept."""

from typing import Any

from deploygate.adapters.documents.loader import Frame, Loader, run
from deploygate.document import Row, Spot, Table
from deploygate.findings import Finding

_THEIRS = frozenset({"tag", "unquoted"})
_MERGE = "<<"


class _Foreign(Loader):
    """A file of another program being read."""

    def __init__(self, file: str) -> None:
        super().__init__(file)
        self.roots: list[Any] = []

    def complain(self, rule: str, spot: Spot, says: str, advice: str) -> None:
        if rule not in _THEIRS:
            super().complain(rule, spot, says, advice)

    def _document(self, spot: Spot) -> None:  # noqa: ARG002 - nothing is wrong there
        self._anchors.clear()

    def _merge_key(self, frame: Frame, spot: Spot) -> None:
        """Keep it as a key like any other, for `_merged`."""

    def _put(self, value: Any, written: str | None, spot: Spot) -> None:
        if not self._stack:
            self.roots.append(value)
        super()._put(value, written, spot)


def load_foreign(text: str, file: str) -> tuple[tuple[Any, ...], tuple[Finding, ...]]:
    """Return the values of all documents, and every complaint."""
    loader = _Foreign(file)
    run(loader, text)
    seen: set[int] = set()
    for root in loader.roots:
        _merge(root, seen)
    return tuple(root for root in loader.roots if root is not None), tuple(loader.findings)


def _merge(node: Any, seen: set[int]) -> None:
    """Put what merge keys stand for in their place, once for every node."""
    if not isinstance(node, Table | Row) or id(node) in seen:
        return
    seen.add(id(node))
    for inner in node.values() if isinstance(node, Table) else node:
        _merge(inner, seen)
    if isinstance(node, Table) and _MERGE in node:
        given = node.pop(_MERGE)
        for source in given if isinstance(given, Row) else (given,):
            if isinstance(source, Table):
                for key in source:
                    if key not in node:
                        node.take(key, source)
