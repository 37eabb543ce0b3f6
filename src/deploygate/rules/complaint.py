"""What a rule says before waivers are looked at, and how a rule is written down."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from deploygate.document import Document
from deploygate.findings import Where
from deploygate.inventory import Inventory
from deploygate.names import ServiceName


@dataclass(frozen=True, slots=True)
class Complaint:
    """One breach of one rule; only that of a single service can be waived."""

    rule: str
    where: Where
    says: str
    help: str
    service: ServiceName | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """How breaches are found; `needs` are the parts of the document without which finding them misleads."""

    breaches: Callable[[Inventory, Document], Iterator[Complaint]]
    needs: frozenset[str] = frozenset()
