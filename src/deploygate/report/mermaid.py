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
    "sink": "fill:#fff8c5,stroke:#9a6700,color:#1f2328",
    "harmless": "fill:#dafbe1,stroke:#1a7f37,stroke-dasharray:4 3,color:#1f2328",
    "outside": "fill:#f6f8fa,stroke:#818b98,stroke-dasharray:4 3,color:#1f2328",
}
_BRACKETS = {"sink": ("[(", ")]"), "harmless": ("[(", ")]"), "outside": ("([", "])")}


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
    for box in told.boxes:
        yield f"    {_box(box)}"
    for arrow in told.arrows:
        yield f"    {arrow.tail} {_arrow(arrow)} {arrow.head}"
    yield '    subgraph legend ["Legend"]'
    for box in told.legend:
        yield f"        {_box(box)}"
    yield "    end"
    yield "    style legend fill:none,stroke:#818b98"
    for kind, style in _STYLES.items():
        yield f"    classDef {kind} {style}"
    red = [str(number) for number, arrow in enumerate(told.arrows) if arrow.red]
    if red:
        yield f"    linkStyle {','.join(red)} stroke:{_RED},color:{_RED}"


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
    """Return text with all that could mean something to Mermaid, to Markdown or to HTML as a character's number."""
    return "".join(char if char.isalnum() or char in " .,-" else f"#{ord(char)};" for char in text)
