"""One YAML text becomes values with places, from the parser's events, so that nothing is lost on the way."""

from dataclasses import dataclass
from typing import Any

import yaml

from deploygate.adapters.documents.events import Events, events
from deploygate.adapters.documents.scalars import unquoted
from deploygate.document import Row, Spot, Table
from deploygate.findings import Finding, Where
from deploygate.wording import plain, quoted

DEEPEST = 32  # levels of nesting
MOST_ALIASED = 100_000  # nodes that aliases may add, all together
MOST_NODES = 2_000_000  # in a file; 10,000 services are 800,000, and each takes up to half a KiB of memory
MOST_FINDINGS = 1_000
_TOO_DEEP = "maximum nesting depth"  # what libyaml says from 0.2.6 on, before it gives any event of the text
_CHARACTERS_A_NODE = 64  # so that aliases of long texts count as what they cost


class _StopError(Exception):
    """Nothing sensible can be read after this."""


@dataclass(slots=True)
class Frame:
    """A table or row being filled; `dropped` says that the key at hand is refused, and its value with it.

    `depth` is how many levels it has, its own among them.
    """

    node: Table | Row
    spot: Spot
    anchor: str | None
    nodes_before: int
    key: str | None = None
    key_spot: Spot = ("", 0, 0)
    dropped: bool = False
    depth: int = 1


@dataclass(frozen=True, slots=True)
class _Anchored:
    """What an anchor stands for; `nodes` is how much one more alias of it adds, and `depth` how many levels."""

    value: Any
    written: str | None
    nodes: int
    depth: int = 0


class Loader:
    """An inventory being read; what no inventory may have in it is complained of."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.root: Any = None
        self.documents = 0
        self.findings: list[Finding] = []
        self._stack: list[Frame] = []
        self._anchors: dict[str, _Anchored] = {}
        self._nodes = 0
        self._aliased = 0

    def complain(self, rule: str, spot: Spot, says: str, advice: str) -> None:
        """Put a complaint down; after very many, reading ends."""
        self.findings.append(Finding(rule, Where(*spot), says, advice))
        if len(self.findings) >= MOST_FINDINGS:
            raise _StopError

    def run(self, stream: Events) -> None:
        """Read a stream of events to its end."""
        while (event := stream.get_event()) is not None:
            mark: Any = event.start_mark
            spot = (self.file, mark.line + 1, mark.column + 1)
            match event:
                case yaml.ScalarEvent():
                    self._scalar(event, spot)
                case yaml.MappingStartEvent():
                    self._open(Table(), event, spot)
                case yaml.SequenceStartEvent():
                    self._open(Row(), event, spot)
                case yaml.CollectionEndEvent():
                    self._close()
                case yaml.AliasEvent():
                    self._alias(str(event.anchor), spot)
                case yaml.DocumentStartEvent():
                    self._document(spot)
                case _:
                    pass

    def _document(self, spot: Spot) -> None:
        self.documents += 1
        if self.documents > 1:
            self.complain(
                "second-document",
                spot,
                "a second document starts here",
                "An inventory file is one document: take the line with `---` out.",
            )
            raise _StopError

    def _refuse_tag(self, tag: str | None, spot: Spot) -> None:
        if tag is not None:
            self.complain(
                "tag",
                spot,
                f"the tag {plain(tag)} is not allowed",
                'Take it out; where text is meant, write the value in quotes, like "1.10".',
            )

    def _scalar(self, event: yaml.ScalarEvent, spot: Spot) -> None:
        self._refuse_tag(event.tag, spot)
        text = event.value
        value = text if event.style or event.tag else unquoted(text)
        if self._stack and self._stack[-1].key is None and isinstance(self._stack[-1].node, Table):
            self._key(self._stack[-1], event, value, spot)
            return
        written = None if isinstance(value, str) else text
        nodes = 1 + len(text) // _CHARACTERS_A_NODE
        self._nodes += nodes
        if event.anchor is not None:
            self._anchors[event.anchor] = _Anchored(value, written, nodes)
        self._put(value, written, spot)

    def _key(self, frame: Frame, event: yaml.ScalarEvent, value: object, spot: Spot) -> None:
        key = event.value
        frame.key, frame.key_spot = key, spot
        if key == "<<" and not event.style:
            self._merge_key(frame, spot)
        elif isinstance(frame.node, Table) and key in frame.node:
            frame.dropped = True
            first = Where(*frame.node.keys_at[key])
            self.complain(
                "duplicate-key",
                spot,
                f"the key {quoted(key)} was given before, at {first}",
                "Keep one of the two; a second value is never silently used.",
            )
        elif not isinstance(value, str):
            self.complain(
                "unquoted",
                spot,
                f"YAML does not read the key {plain(key) or '(empty)'} as text",
                f"Write {quoted(key)} in quotes.",
            )
        if event.anchor is not None:
            self._anchors[event.anchor] = _Anchored(key, None, 1)

    def _merge_key(self, frame: Frame, spot: Spot) -> None:
        frame.dropped = True
        self.complain(
            "merge-key",
            spot,
            "the merge key << is not allowed",
            "Write the keys out, or put what all services share under `defaults`.",
        )

    def _open(self, node: Table | Row, event: yaml.CollectionStartEvent, spot: Spot) -> None:
        self._refuse_tag(event.tag, spot)
        self._bounded(1, spot)
        self._key_must_be_text(spot)
        self._stack.append(Frame(node, spot, event.anchor, self._nodes))
        self._nodes += 1

    def _bounded(self, more: int, spot: Spot) -> None:
        if len(self._stack) + more > DEEPEST:
            self.too_deep(spot)
            raise _StopError

    def too_deep(self, spot: Spot) -> None:
        """Complain of too many levels."""
        self.complain(
            "too-deep",
            spot,
            f"more than {DEEPEST} levels of nesting",
            "No inventory needs that many; look for an unclosed bracket.",
        )

    def _key_must_be_text(self, spot: Spot) -> None:
        if self._stack and self._stack[-1].key is None and isinstance(self._stack[-1].node, Table):
            self.complain(
                "key-not-text",
                spot,
                "a key must be a plain word, not a list, a table or an alias",
                "Write {placeholders} in quotes: unquoted braces begin a table.",
            )
            raise _StopError

    def _close(self) -> None:
        frame = self._stack.pop()
        if frame.anchor is not None:
            self._anchors[frame.anchor] = _Anchored(frame.node, None, self._nodes - frame.nodes_before, frame.depth)
        self._deepen(frame.depth)
        self._put(frame.node, None, frame.spot)

    def _deepen(self, below: int) -> None:
        if self._stack and self._stack[-1].depth <= below:
            self._stack[-1].depth = below + 1

    def _alias(self, anchor: str, spot: Spot) -> None:
        self._key_must_be_text(spot)
        anchored = self._anchors.get(anchor)
        if anchored is None:
            self.complain(
                "alias",
                spot,
                f"the alias *{plain(anchor)} stands for nothing that ends before it",
                f"Give an earlier value the anchor &{plain(anchor)}, or write the value out.",
            )
            raise _StopError
        self._bounded(anchored.depth, spot)
        self._deepen(anchored.depth)
        self._nodes += anchored.nodes
        self._aliased += anchored.nodes
        if self._aliased > MOST_ALIASED:
            self.complain(
                "alias",
                spot,
                f"aliases blow this file up by more than {MOST_ALIASED:,} values",
                "Write the values out, or put what all services share under `defaults`.",
            )
            raise _StopError
        self._put(anchored.value, anchored.written, spot)

    def _put(self, value: Any, written: str | None, spot: Spot) -> None:
        if self._nodes > MOST_NODES:
            self.complain(
                "too-large",
                spot,
                f"more than {MOST_NODES:,} values stand before this one",
                "An inventory of 10,000 services has half as many; is this the right file?",
            )
            raise _StopError
        if not self._stack:
            self.root = value
            return
        frame = self._stack[-1]
        node = frame.node
        if isinstance(node, Row):
            if written is not None:
                node.written[len(node)] = written
            node.append(value)
            node.values_at.append(spot)
            return
        key, frame.key = frame.key, None
        if frame.dropped or key is None:
            frame.dropped = False
            return
        node[key] = value
        node.keys_at[key] = frame.key_spot
        node.values_at[key] = spot
        if written is not None:
            node.written[key] = written


def load(text: str, file: str) -> tuple[Any, tuple[Finding, ...]]:
    """Return a text's root value, or None where it cannot be read to its end, and every complaint."""
    loader = Loader(file)
    whole = run(loader, text)
    if whole and loader.root is None:
        says = "there is nothing in this file"
        loader.findings.append(Finding("empty-file", Where(file), says, "An inventory begins with `schema: 1`."))
    return loader.root if whole else None, tuple(loader.findings)


def run(loader: Loader, text: str) -> bool:
    """Let a loader read a text, and tell whether it came to its end."""
    try:
        loader.run(events(text))
    except _StopError:
        return False
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = Where(loader.file, mark.line + 1, mark.column + 1) if mark else Where(loader.file)
        problem = getattr(error, "problem", None) or "it cannot be read"
        if _TOO_DEEP in problem:
            loader.too_deep((where.file, where.line, where.column))
            return False
        loader.findings.append(
            Finding(
                "syntax",
                where,
                f"this is not YAML: {plain(problem)}",
                "Look at this line and those above: indentation, a missing colon, an unclosed quote.",
            )
        )
        return False
    return True
