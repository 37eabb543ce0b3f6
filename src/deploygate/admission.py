"""May this version be deployed here, and may it be rolled back? Yes, no or cannot tell, and why."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import groupby

from deploygate.findings import Finding, Severity, errors
from deploygate.interfaces import Pair, Running, neighbours, pairs, said
from deploygate.inventory import Inventory, Service
from deploygate.names import Environment, InstanceName, ServiceName, Version
from deploygate.plan import Move


class Answer(StrEnum):
    """What can be said: the third value is not the first."""

    YES = "yes"
    NO = "no"
    CANNOT_TELL = "cannot_tell"


@dataclass(frozen=True, slots=True)
class Half:
    """One half of the answer. Errors among the reasons make it a no; the rest can't be told."""

    reasons: tuple[Finding, ...] = ()

    @property
    def answer(self) -> Answer:
        """The answer that these reasons make."""
        if self.against:
            return Answer.NO
        return Answer.CANNOT_TELL if self.reasons else Answer.YES

    @property
    def against(self) -> tuple[Finding, ...]:
        """The reasons why not."""
        return errors(self.reasons)

    @property
    def doubts(self) -> tuple[Finding, ...]:
        """The reasons why it can't be told."""
        return tuple(one for one in self.reasons if one.severity is not Severity.ERROR)


@dataclass(frozen=True, slots=True)
class Admission:
    """Both halves, and the pairs of versions that they were found from."""

    deploy: Half
    rollback: Half
    pairs: tuple[Pair, ...]

    @property
    def against(self) -> tuple[Finding, ...]:
        """Why a deploy is refused: its way back must exist as well. Each reason once."""
        return _once((*self.deploy.against, *self.rollback.against))

    @property
    def doubts(self) -> tuple[Finding, ...]:
        """What can't be told of either half. Each reason once."""
        return _once((*self.deploy.doubts, *self.rollback.doubts))


def worst(answers: Iterable[Answer]) -> Answer:
    """Return the answer to several questions at once: a no outweighs a doubt, and a doubt a yes."""
    given = set(answers)
    return next((one for one in (Answer.NO, Answer.CANNOT_TELL) if one in given), Answer.YES)


def admission(
    inventory: Inventory, service: Service, version: Version, moves: Iterable[Move], running: Iterable[Running]
) -> Admission:
    """Say whether `version` may be where these moves take it, and whether each instance may then go back.

    During a roll both versions are in service, so both must fit beside every neighbour that runs, and beside each
    other. What does not answer may run any of its releases: if they all fit, that is a yes.
    """
    moving, names = _by_environment(moves), neighbours(inventory, service)
    forth: list[Pair] = []
    back: list[Pair] = []
    for beside in _beside(moving, running):
        returns = _returns(moving[beside.environment])
        whole = _with_peers(service, beside, {version, *returns})
        forth += pairs(inventory, service, version, whole, names)
        back += [pair for one in returns for pair in pairs(inventory, service, one, whole, names)]
    among = [pair for pair in forth if pair.neighbour == service.name and pair.theirs != version]
    back = [pair for pair in back if pair.neighbour != service.name or pair.theirs != version or pair.ours == version]
    return Admission(
        deploy=Half(_reasons(service, forth)),
        rollback=Half(_once((*_reasons(service, (*among, *back)), *_nowhere(service, moving)))),
        pairs=tuple(dict.fromkeys((*forth, *back))),
    )


def may_return(inventory: Inventory, service: Service, moves: Iterable[Move], running: Iterable[Running]) -> Half:
    """Say whether each instance may go back, given its neighbours; that it meets its peers is no reason to stay."""
    moving, names = _by_environment(moves), neighbours(inventory, service)
    found = [
        pair
        for beside in _beside(moving, running)
        for one in _returns(moving[beside.environment])
        for pair in pairs(inventory, service, one, beside, names)
    ]
    return Half(_reasons(service, found))


def _by_environment(moves: Iterable[Move]) -> Mapping[Environment, list[Move]]:
    moving: dict[Environment, list[Move]] = {}
    for move in moves:
        moving.setdefault(move.environment, []).append(move)
    return moving


def _beside(environments: Iterable[Environment], running: Iterable[Running]) -> list[Running]:
    known = {one.environment: one for one in running}
    return [known.get(environment) or Running(environment, {}) for environment in environments]


def _returns(moves: Iterable[Move]) -> list[Version]:
    return sorted({move.was for move in moves if move.was})


def _with_peers(service: Service, beside: Running, versions: set[Version]) -> Running:
    """Return what runs in an environment during the roll: of a single instance, both versions are never there."""
    if len(service.within(beside.environment)) < 2:
        return beside
    return replace(beside, versions={**beside.versions, service.name: frozenset(versions)})


def _reasons(service: Service, found: Iterable[Pair]) -> tuple[Finding, ...]:
    """Put into words what does not fit, and then what may not: of each version and environment on its own."""
    against: list[Finding] = []
    doubts: list[Finding] = []

    def place(pair: Pair) -> tuple[Environment, Version]:
        return pair.environment, pair.ours

    for (_, version), group in groupby(sorted(found, key=place), key=place):
        together = tuple(group)
        against += said(service, version, (pair for pair in together if pair.runs))
        doubts += _doubted(service, version, [pair for pair in together if not (pair.runs or pair.fits)])
    return _once((*against, *doubts))


def _doubted(service: Service, version: Version, unsure: list[Pair]) -> Iterator[Finding]:
    named: Callable[[Pair], ServiceName] = lambda pair: pair.neighbour  # noqa: E731 - a key of two uses
    for name, group in groupby(sorted(unsure, key=named), key=named):
        together = tuple(group)
        wrong = "; ".join(
            f"{pair.theirs} {' and '.join([*_verbs('consumes', pair.lost), *_verbs('lacks', pair.missing)])}"
            for pair in together
        )
        says = f"what {name} runs in {together[0].environment} is not known, and beside {service.name} {version}"
        advice = f"See that every instance of it answers (deploygate observe {name}), and ask again."
        yield Finding("interface-unknown", service.where, f"{says} not all its releases fit: {wrong}", advice, _DOUBT)


def _verbs(verb: str, interfaces: Iterable[object]) -> list[str]:
    named = ", ".join(str(one) for one in interfaces)
    return [f"{verb} {named}"] if named else []


def _nowhere(service: Service, moving: Mapping[Environment, Iterable[Move]]) -> Iterator[Finding]:
    for environment, moves in moving.items():
        lost: list[InstanceName] = [move.instance for move in moves if move.was is None]
        if lost:
            whom = f"{', '.join(lost[:4])}{' and others' if len(lost) > 4 else ''}"
            says = f"what {whom} in {environment} would go back to is not known"
            advice = f"See what runs there: deploygate observe {service.name}."
            yield Finding("way-back", service.where, says, advice, _DOUBT)


def _once(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    return tuple({finding.says: finding for finding in findings}.values())


_DOUBT = Severity.WARNING
