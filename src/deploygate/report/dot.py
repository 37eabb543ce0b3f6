"""A picture of an inventory in the language of Graphviz."""

from collections.abc import Iterable, Iterator, Sequence

from deploygate.graph import graph
from deploygate.interfaces import Running
from deploygate.inventory import Inventory
from deploygate.names import ServiceName
from deploygate.report.drawing import Arrow, Drawing, drawing
from deploygate.wording import plain

_RED = "#d1242f"
_STYLES = {
    "service": 'fillcolor="#ddf4ff" color="#0969da"',
    "failing": f'fillcolor="#ffebe9" color="{_RED}" penwidth=3',
    "source": 'fillcolor="#fff8c5" color="#9a6700" shape=cylinder style=filled',
    "sink": 'fillcolor="#fff8c5" color="#9a6700" shape=cylinder style=filled',
    "harmless": 'fillcolor="#dafbe1" color="#1a7f37" shape=cylinder style="filled,dashed"',
    "outside": 'fillcolor="#f6f8fa" color="#818b98" style="filled,rounded,dashed"',
}


def graph_dot(inventory: Inventory, about: ServiceName | None = None, seen: Sequence[Running] | None = None) -> str:
    """Return the picture in DOT: of one service and those it is linked with, or of all; see `graph`."""
    return "".join(f"{line}\n" for line in _lines(drawing(graph(inventory, about, seen))))


def _lines(told: Drawing) -> Iterator[str]:
    yield "digraph inventory {"
    yield '  graph [rankdir=LR ranksep=1 nodesep=0.4 bgcolor=white fontname="Helvetica"];'
    yield '  node [shape=box style="filled,rounded" fontname="Helvetica" margin="0.2,0.1"];'
    yield '  edge [fontname="Helvetica" fontsize=11 color="#57606a"];'
    yield from _drawn(told, "  ")
    if told.legend:
        yield "  subgraph cluster_legend {"
        yield '    graph [label="Legend" color="#818b98" fontsize=11];'
        yield "    node [fontsize=10]; edge [fontsize=10];"
        yield from _drawn(told.legend, "    ")
        yield "  }"
    yield "}"


def _drawn(told: Drawing, indent: str) -> Iterator[str]:
    for box in told.boxes:
        yield f"{indent}{box.id} [label={_text(box.lines)} {_STYLES[box.kind]}];"
    for arrow in told.arrows:
        yield f"{indent}{arrow.tail} -> {arrow.head} [{_look(arrow)}];"


def _look(arrow: Arrow) -> str:
    looks = [f"label={_text(arrow.lines)}"]
    looks += ["penwidth=3"] if arrow.thick else ["style=dashed"] if arrow.dashed else []
    looks += [f'color="{_RED}" fontcolor="{_RED}"'] if arrow.red else []
    return " ".join(looks)


def _text(lines: Iterable[str]) -> str:
    """Return lines as one string of DOT, where a backslash begins an escape and `&` an entity."""
    told = (plain(line).replace("\\", "\\\\").replace('"', '\\"').replace("&", "&amp;") for line in lines)
    return '"' + "\\n".join(told) + '"'
