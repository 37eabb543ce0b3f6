"""The boxes and arrows of a picture of an inventory, before they are put into a language."""

from dataclasses import dataclass
from textwrap import wrap

from deploygate.graph import End, Graph, Link, Node
from deploygate.wording import plain


@dataclass(frozen=True, slots=True)
class Box:
    """A box: `kind` is what it shows, `lines` are what it says, as it stands in the inventory."""

    id: str
    kind: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Arrow:
    """An arrow between two boxes."""

    tail: str
    head: str
    lines: tuple[str, ...] = ()
    thick: bool = False
    dashed: bool = False
    red: bool = False


@dataclass(frozen=True, slots=True)
class Drawing:
    """Everything that is drawn; `legend` is a small picture of what its signs mean, to be set apart."""

    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]
    legend: "Drawing | None" = None


def drawing(told: Graph) -> Drawing:
    """Return the boxes and arrows of a graph, always in the same order, and the signs that it needs explained."""
    ids = {node.service.name: f"n{number}" for number, node in enumerate(told.nodes)}
    boxes = [Box(ids[node.service.name], "failing" if node.failing else "service", _says(node)) for node in told.nodes]
    arrows = []
    for number, link in enumerate(told.links):
        if link.provider is None:
            boxes.append(_nobody(f"x{number}", link))
        head = f"x{number}" if link.provider is None else ids[link.provider]
        lines = tuple(str(one) for one in link.interfaces)
        arrows.append(Arrow(ids[link.consumer], head, lines, bool(link.chains), link.outside, link.failing))
    for number, one in enumerate(told.beginnings):
        boxes.append(Box(f"a{number}", "source", ("source", *wrap(plain(one.source), 32))))
        arrows.append(Arrow(f"a{number}", ids[one.before], (one.chain,), thick=True))
    for number, end in enumerate(told.ends):
        boxes.append(_sink(f"z{number}", end))
        arrows.append(Arrow(ids[end.after], f"z{number}", (end.chain,), thick=True))
    return Drawing(tuple(boxes), tuple(arrows), _legend(boxes, arrows))


def _says(node: Node) -> tuple[str, ...]:
    return f"{node.service.name} {node.service.wanted}", *node.seen


def _nobody(name: str, link: Link) -> Box:
    if link.outside:
        return Box(name, "outside", ("outside of the inventory",))
    return Box(name, "failing", ("nobody",))


def _sink(name: str, end: End) -> Box:
    return Box(name, "harmless" if end.harmless else "sink", (f"sink in {end.environment}", end.sink))


def _legend(boxes: list[Box], arrows: list[Arrow]) -> Drawing:
    """Return the signs that are used, each once."""
    kinds = {box.kind for box in boxes}
    thick = any(arrow.thick for arrow in arrows)
    shown = [Box("l0", "service", ("consumer",)), Box("l1", "service", ("provider",))]
    says = ("interface version", *(("thick: along a chain",) if thick else ()))
    between = [Arrow("l0", "l1", says, thick=thick)]
    if "sink" in kinds:
        between.append(Arrow("l1", _sign(shown, "sink", "where a chain ends"), thick=True))
    if "harmless" in kinds:
        between.append(Arrow("l1", _sign(shown, "harmless", "where its copy ends"), thick=True))
    if "outside" in kinds:
        between.append(Arrow("l1", _sign(shown, "outside", "not in the inventory, as waived"), dashed=True))
    if "failing" in kinds or any(arrow.red for arrow in arrows):
        between.append(Arrow("l1", _sign(shown, "failing", "red: fails"), red=True))
    return Drawing(tuple(shown), tuple(between))


def _sign(shown: list[Box], kind: str, says: str) -> str:
    shown.append(Box(f"l{len(shown)}", kind, (says,)))
    return shown[-1].id
