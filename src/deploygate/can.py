"""Whether a version may be deployed, and rolled back: asked for its own sake, with nothing planned."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from deploygate.admission import Admission, Answer, Half, admission, worst
from deploygate.course import course
from deploygate.foreseen import Source, beside_assumed
from deploygate.interfaces import Pair
from deploygate.inventory import Inventory, Service
from deploygate.names import Environment, ServiceName, Version
from deploygate.past import Past
from deploygate.plan import Move, floors_of
from deploygate.refusals import broken_floor, forbidden_back, forbidden_to_leave, forbidden_to_undo, line_stopped
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
    if not moves:  # what is there already changes nothing, but it may still have to go back
        found = replace(found, deploy=Half())
    return replace(_answer(asked, Source.OBSERVED, known, concerned, found), there=not moves)


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
    known = Known(seen={}, running=(), past=past)
    return _answer(asked, source, known, moves, found)


def _within(asked: Question, moves: Iterable[Move]) -> tuple[Move, ...]:
    return tuple(one for one in moves if one.environment in asked.environments)


def _answer(asked: Question, source: Source, known: Known, moves: tuple[Move, ...], found: Admission) -> Can:
    """Add what stands against a version whatever runs beside it, in the words in which a deploy is refused for it."""
    service, version, past = asked.service, asked.version, known.past
    wish = Wish(service, version)
    cut_off = past.unfinished()
    resumed = cut_off if cut_off and cut_off.plan.version == version else None
    forth = (
        *line_stopped(wish, version, past, cut_off, resumed),
        *broken_floor(wish, floors_of(service, asked.environments)),
        *forbidden_to_leave(wish, version, tuple(move for move in moves if not _there(known, move)), known),
    )
    back = (*forbidden_back(wish, version, moves, known), *found.rollback.reasons)
    if moves and all(_there(known, move) for move in moves):
        back = (*forbidden_to_undo(wish, moves), *back)
    return Can(
        service=service,
        version=version,
        environments=asked.environments,
        source=source,
        deploy=Half((*forth, *found.deploy.reasons)),
        rollback=Half(back),
        returns=tuple(sorted({move.was for move in moves if move.was})),
        pairs=found.pairs,
    )


def _there(known: Known, move: Move) -> bool:
    seen = known.seen.get(move.instance)
    return seen is not None and seen.running == move.to
