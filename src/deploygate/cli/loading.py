"""From the path of an inventory to the Inventory, or to everything that is wrong with it."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from deploygate.adapters.documents import read_document
from deploygate.adapters.schemas import schema
from deploygate.checking import check
from deploygate.document import Document
from deploygate.findings import Finding, errors
from deploygate.inventory import Inventory


@dataclass(frozen=True, slots=True)
class Loaded:
    """An inventory without errors, or None; everything there is to say about it, in the file's order; its document."""

    inventory: Inventory | None
    findings: tuple[Finding, ...]
    document: Document | None = None


def load_inventory(path: Path) -> Loaded:
    """Read and check the inventory at `path`: a file, or a folder of partial ones."""
    with _no_collecting():
        found = read_document(path)
        if found.document is None:
            return Loaded(None, found.findings)
        inventory, findings = check(found.document, schema(), certain=not found.findings)
    findings = tuple(sorted((*found.findings, *findings), key=lambda one: (one.where, one.rule, one.says)))
    return Loaded(None if errors(findings) else inventory, findings, found.document)


@contextmanager
def _no_collecting() -> Iterator[None]:
    """Keep the collector from looking again and again at a million young values: none of them is garbage."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.freeze()  # nor will it be: what was read lives as long as the run
            gc.enable()
