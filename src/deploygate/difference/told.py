"""One difference, as data, and the words that all of them share."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum

from deploygate.inventory import Instance
from deploygate.wording import count


class Danger(IntEnum):
    """How much somebody should look at it; the least number comes first."""

    DANGEROUS = 0  # takes something away that others rely on, or a guard
    DEPLOYS = 1  # changes what runs
    CHANGES = 2  # changes how it is asked, rolled or reached
    WORDS = 3  # changes nothing that runs


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference between two inventories: of which service ("" for all of them), which part of it, in words."""

    danger: Danger
    service: str
    part: str
    says: str


def sizes(instances: Iterable[Instance]) -> str:
    """Return how many instances of each environment there are."""
    found: dict[str, int] = {}
    for one in instances:
        found[one.environment] = found.get(one.environment, 0) + 1
    return " and ".join(count(size, f"{environment} instance") for environment, size in found.items()) or "no instance"


def names(instances: Sequence[Instance]) -> str:
    """Name instances, five at the most."""
    shown = ", ".join(one.name for one in instances[:5])
    return f"{shown} and others" if len(instances) > 5 else shown


def listed(texts: Iterable[str]) -> str:
    """Return texts as a sentence has them: `a, b and c`."""
    every = list(texts)
    if len(every) < 2:
        return "".join(every)
    return f"{', '.join(every[:-1])} and {every[-1]}"
