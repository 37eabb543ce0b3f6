"""A service before it is in an inventory: what is known of it, and from where."""

from collections.abc import Mapping
from dataclasses import dataclass, field

MADE_UP = "my-service"


@dataclass(frozen=True, slots=True)
class Sketch:
    """One service; None or empty is what nobody has said yet. `source` is where it was found: a file and a line."""

    name: str | None = None
    source: str = ""
    purpose: str | None = None
    ops: str | None = None
    dev: str | None = None
    pm: str | None = None
    version: str | None = None
    artifact: str | None = None
    root: str | None = None
    start: str | None = None
    provides: tuple[str, ...] = ()
    consumes: tuple[str, ...] = ()
    health: Mapping[str, str] = field(default_factory=dict)
    parallel: tuple[str, ...] = ()
    production: tuple[str, ...] = ()

    @property
    def called(self) -> str:
        """The service's name, made up where nobody has said it."""
        return MADE_UP if self.name is None else self.name


@dataclass(frozen=True, slots=True)
class Found:
    """What a file says: its services, and who was left out and why."""

    sketches: tuple[Sketch, ...] = ()
    left_out: tuple[str, ...] = ()
