"""Whether a version may be deployed, and rolled back: asked for its own sake, with nothing planned."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from deploygate.admission import Admission, Answer, Half, admission, worst
from deploygate.course import course
from deploygate.findings import Finding
from deploygate.foreseen import Source, beside_assumed
from deploygate.interfaces import Pair
from deploygate.inventory import Inventory, Service
from deploygate.names import Environment, ServiceName, Version
from deploygate.past import Past
from deploygate.plan import Move, floors_of
from deploygate.refusals import broken_floor, line_stopped
from deploygate.wish import Known, Wish


@dataclass(frozen=True, slots=True)
class Can:
    """The answer, in both halves; `there` runs already, `returns` are what its instances would go back to."""

    service: Service
    version: Version
    environments: tuple[Environment, ...]
    source: Source
    deploy: Half
    rollback: Half
    returns: tuple[Version, ...] = ()
    pairs: tuple[Pair, ...] = ()
    there: bool = False

    @property
    def answer(self) -> Answer:
        """Both halves in one word."""
        return worst((self.deploy.answer, self.rollback.answer))


@dataclass(frozen=True, slots=True)
class Question:
    """May this version of a service be deployed in these environments, and rolled back?"""

    service: Service
    version: Version
    environments: tuple[Environment, ...]


def can(inventory: Inventory, asked: Question, known: Known) -> Can:
    """Answer from what was observed: for the very moves that a deploy would make now."""
    way = course(inventory, Wish(asked.service, asked.version), known)
    moves = _within(asked, way.moves)
    held = _within(asked, way.held)
    concerned = (*held, *moves) if moves else _within(asked, way.there)
    found = admission(inventory, asked.service, asked.version, concerned, known.running)
    reasons = found.deploy.reasons if moves else ()  # what is there already changes nothing
    return _answer(asked, Source.OBSERVED, concerned, found, (*_standing(asked, known.past), *reasons), there=not moves)


def can_as_declared(
    inventory: Inventory,
    asked: Question,
    past: Past,
    now: Mapping[ServiceName, Version],
    was: Version | None = None,
) -> Can:
    """Answer without a look: neighbours are taken to run what `now` says, the service what it ran on record.

    Where nothing is on record it is taken to run what is wanted of it; `was` says it better.
    """
    service, version = asked.service, asked.version
    good = past.last_good()
    runs = was or good or service.wanted
    moves = tuple(
        Move(one.name, environment, version, runs if runs != version else past.came_from(one.name, version))
        for environment in asked.environments
        for one in service.within(environment)
    )
    found = admission(inventory, service, version, moves, beside_assumed(inventory, service, now))
    source = Source.RECORDED if good and not was else Source.DECLARED
    return _answer(asked, source, moves, found, (*_standing(asked, past), *found.deploy.reasons))


def _within(asked: Question, moves: Iterable[Move]) -> tuple[Move, ...]:
    return tuple(one for one in moves if one.environment in asked.environments)


def _answer(
    asked: Question,
    source: Source,
    moves: tuple[Move, ...],
    found: Admission,
    reasons: tuple[Finding, ...],
    *,
    there: bool = False,
) -> Can:
    return Can(
        service=asked.service,
        version=asked.version,
        environments=asked.environments,
        source=source,
        deploy=Half(reasons),
        rollback=found.rollback,
        returns=tuple(sorted({move.was for move in moves if move.was})),
        pairs=found.pairs,
        there=there,
    )


def _standing(asked: Question, past: Past) -> tuple[Finding, ...]:
    """Return what stands against a version whatever runs: that it failed, a deploy left half-way, the floor."""
    cut_off = past.unfinished()
    resumed = cut_off if cut_off and cut_off.plan.version == asked.version else None
    wish = Wish(asked.service, asked.version)
    return (
        *line_stopped(wish, asked.version, past, cut_off, resumed),
        *broken_floor(wish, floors_of(asked.service, asked.environments)),
    )
