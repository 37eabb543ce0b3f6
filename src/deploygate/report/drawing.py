"""The boxes and arrows of a picture of an inventory, before they are put into a language."""

from collections.abc import Iterator
from dataclasses import dataclass

from deploygate.graph import End, Graph, Link, Node


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
    """Everything that is drawn, and what its signs mean."""

    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]
    legend: tuple[Box, ...]


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
    for number, end in enumerate(told.ends):
        boxes.append(_sink(f"z{number}", end))
        arrows.append(Arrow(ids[end.after], f"z{number}", (end.chain,), thick=True))
    signs = enumerate(_signs(boxes, arrows))
    return Drawing(tuple(boxes), tuple(arrows), tuple(Box(f"l{number}", *sign) for number, sign in signs))


def _says(node: Node) -> tuple[str, ...]:
    return f"{node.service.name} {node.service.wanted}", *node.seen


def _nobody(name: str, link: Link) -> Box:
    if link.outside:
        return Box(name, "outside", ("outside of the inventory",))
    return Box(name, "failing", ("nobody",))


def _sink(name: str, end: End) -> Box:
    return Box(name, "harmless" if end.harmless else "sink", (f"sink in {end.environment}", end.sink))


def _signs(boxes: list[Box], arrows: list[Arrow]) -> Iterator[tuple[str, tuple[str, ...]]]:
    kinds = {box.kind for box in boxes}
    yield "service", ("arrow: consumes of",)
    if any(arrow.thick for arrow in arrows):
        yield "service", ("thick: a chain goes here",)
    if "sink" in kinds:
        yield "sink", ("where a chain ends",)
    if "harmless" in kinds:
        yield "harmless", ("where its copy ends, harmless",)
    if "outside" in kinds:
        yield "outside", ("from outside, as waived",)
    if "failing" in kinds or any(arrow.red for arrow in arrows):
        yield "failing", ("red: fails",)
