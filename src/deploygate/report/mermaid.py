"""A picture of an inventory in Mermaid, which GitHub draws in a fenced block."""

from collections.abc import Iterable, Iterator, Sequence

from deploygate.graph import graph
from deploygate.interfaces import Running
from deploygate.inventory import Inventory
from deploygate.names import ServiceName
from deploygate.report.drawing import Arrow, Box, Drawing, drawing
from deploygate.wording import plain

_RED = "#d1242f"
_STYLES = {
    "service": "fill:#ddf4ff,stroke:#0969da,color:#1f2328",
    "failing": f"fill:#ffebe9,stroke:{_RED},stroke-width:3px,color:#1f2328",
    "source": "fill:#fff8c5,stroke:#9a6700,color:#1f2328",
    "sink": "fill:#fff8c5,stroke:#9a6700,color:#1f2328",
    "harmless": "fill:#dafbe1,stroke:#1a7f37,stroke-dasharray:4 3,color:#1f2328",
    "outside": "fill:#f6f8fa,stroke:#818b98,stroke-dasharray:4 3,color:#1f2328",
}
_BRACKETS = {"source": ("[(", ")]"), "sink": ("[(", ")]"), "harmless": ("[(", ")]"), "outside": ("([", "])")}


def graph_mermaid(inventory: Inventory, about: ServiceName | None = None, seen: Sequence[Running] | None = None) -> str:
    """Return the picture in Mermaid: of one service and those it is linked with, or of all; see `graph`."""
    return "".join(f"{line}\n" for line in _lines(drawing(graph(inventory, about, seen))))


def graph_markdown(
    inventory: Inventory, about: ServiceName | None = None, seen: Sequence[Running] | None = None
) -> str:
    """Return the same as a fenced block, for a page or a comment."""
    return f"```mermaid\n{graph_mermaid(inventory, about, seen)}```\n"


def _lines(told: Drawing) -> Iterator[str]:
    yield "flowchart LR"
    yield from _drawn(told, "    ")
    arrows = list(told.arrows)
    if told.legend:
        yield '    subgraph legend ["Legend"]'
        yield "        direction LR"
        yield from _drawn(told.legend, "        ")
        yield "    end"
        yield "    style legend fill:none,stroke:#818b98"
        arrows += told.legend.arrows
    for kind, style in _STYLES.items():
        yield f"    classDef {kind} {style}"
    red = [str(number) for number, arrow in enumerate(arrows) if arrow.red]
    if red:
        yield f"    linkStyle {','.join(red)} stroke:{_RED},color:{_RED}"


def _drawn(told: Drawing, indent: str) -> Iterator[str]:
    for box in told.boxes:
        yield f"{indent}{_box(box)}"
    for arrow in told.arrows:
        yield f"{indent}{arrow.tail} {_arrow(arrow)} {arrow.head}"


def _box(box: Box) -> str:
    left, right = _BRACKETS.get(box.kind, ("[", "]"))
    return f"{box.id}{left}{_text(box.lines)}{right}:::{box.kind}"


def _arrow(arrow: Arrow) -> str:
    line, head = ("==", "==>") if arrow.thick else ("-.", ".->") if arrow.dashed else ("--", "-->")
    if not arrow.lines:
        return "-.->" if arrow.dashed else head
    return f"{line} {_text(arrow.lines)} {head}"


def _text(lines: Iterable[str]) -> str:
    return '"' + "<br/>".join(_escaped(plain(line)) for line in lines) + '"'


def _escaped(text: str) -> str:
    """Return text with all that could mean something to Mermaid, to Markdown or to HTML as a character's number.

    What stands first could make a line a list, so there only letters stand as they are.
    """
    first = "" if text[:1].isalpha() else text[:1]
    shown = (char if char.isalnum() or char in " .,:/()-" else _number(char) for char in text.removeprefix(first))
    return "".join((*map(_number, first), *shown))


def _number(char: str) -> str:
    return f"#{ord(char)};"
