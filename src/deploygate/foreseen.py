"""What a deploy would do, told before anything is asked of the instances: from what is recorded, or declared."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from deploygate.admission import admission
from deploygate.behind import back_in, patience
from deploygate.caveats import unprotected
from deploygate.changes import Change, changed
from deploygate.difference import Difference, differences
from deploygate.endings import Goal
from deploygate.interfaces import Running, neighbours
from deploygate.inventory import Inventory, Service
from deploygate.names import PRODUCTION, Environment, ServiceName, Version
from deploygate.past import Past
from deploygate.plan import Move, Plan, Planned, floors_of, times, watch_of
from deploygate.refusals import (
    broken_floor,
    forbidden_back,
    forbidden_to_leave,
    line_stopped,
    not_waived,
)
from deploygate.waves import in_waves
from deploygate.wish import Known, Wish


class Source(StrEnum):
    """How it is known what runs now."""

    OBSERVED = "observed"
    RECORDED = "recorded"
    DECLARED = "declared"


@dataclass(frozen=True, slots=True)
class Foreseen:
    """One change that an edit of the inventory asks for, with its plan, or why it would be refused."""

    change: Change
    source: Source
    planned: Planned


@dataclass(frozen=True, slots=True)
class Edit:
    """What an edit of the inventory does: what it deploys, in order, and all that it changes, the dangerous first."""

    foreseen: tuple[Foreseen, ...]
    differences: tuple[Difference, ...]

    def of(self, service: ServiceName) -> "Edit":
        """Return what the edit does to one service."""
        foreseen = tuple(one for one in self.foreseen if one.change.service.name == service)
        return Edit(foreseen, tuple(one for one in self.differences if one.service == service))


Foreseeing = Callable[[Change, Mapping[ServiceName, Version]], Foreseen]


def edit_of(before: Inventory, after: Inventory, foreseeing: Foreseeing) -> Edit:
    """Return what an edit does; `foreseeing` tells of one change, given the versions of the neighbours by then."""
    changes = changed(before, after)
    foreseen = tuple(
        foreseeing(change, assumed(before, after, changes[:number])) for number, change in enumerate(changes)
    )
    return Edit(foreseen, differences(before, after))


def foresee(
    inventory: Inventory,
    change: Change,
    past: Past,
    now: Mapping[ServiceName, Version],
    upto: Environment | None = None,
) -> Foreseen:
    """Return the plan of a change, up to an environment, that nobody has looked at the fleet for; the run will look.

    `now` are the versions that the neighbours are taken to be at: those changed before this one at their new one.
    """
    service, good = change.service, past.last_good()
    source = Source.RECORDED if good else Source.DECLARED
    was = good or change.was
    known = Known(seen={}, running=beside_assumed(inventory, service, now), past=past)
    wish = Wish(service, change.to, upto)
    environments = inventory.up_to(upto)
    moves = in_waves(
        service,
        tuple(
            Move(one.name, environment, to=change.to, was=was, bake=_bake(change, environment, number))
            for environment in environments
            for number, one in enumerate(service.within(environment))
        ),
    )
    cut_off = past.unfinished()
    resumed = cut_off if cut_off and cut_off.plan.version == change.to else None
    admitted = admission(inventory, service, change.to, moves, known.running)
    findings = (
        *line_stopped(wish, change.to, past, cut_off, resumed),
        *broken_floor(wish, floors_of(service, environments)),
        *forbidden_back(wish, change.to, moves, known),
        *forbidden_to_leave(wish, change.to, moves, known),
        *admitted.against,
    )
    refused = not_waived(wish, findings)
    if refused:
        return Foreseen(change, source, refused)
    watch = watch_of(service)
    expected, worst = times(watch, moves, patience(service), back_in(service))
    planned = Plan(
        goal=Goal.DEPLOY,
        service=service.name,
        version=change.to,
        moves=moves if was != change.to else (),
        watch=watch,
        instances={one.name: one.environment for environment in environments for one in service.within(environment)},
        floors=floors_of(service, environments),
        back=service.release(change.to).rollback.kind,
        unprotected=tuple(unprotected(inventory, wish, moves, known, admitted)),
        balanced=tuple(one.name for one in service.behind),
        drain=patience(service),
        back_in=back_in(service),
        expected=expected,
        worst=worst,
    )
    return Foreseen(change, source, planned)


def assumed(before: Inventory, after: Inventory, done: Iterable[Change]) -> dict[ServiceName, Version]:
    """Return the versions that services are taken to be at when these changes are made: else as they were wanted."""
    now = {name: service.wanted for name, service in before.services.items() if name in after.services}
    return now | {one.service.name: one.to for one in done}


def beside_assumed(inventory: Inventory, service: Service, now: Mapping[ServiceName, Version]) -> tuple[Running, ...]:
    """Return what is taken to run beside a service: each neighbour at its version in `now`, where it has instances."""
    beside = neighbours(inventory, service)
    running = []
    for environment in inventory.environments:
        there = [name for name in beside if inventory.services[name].within(environment)]
        running.append(Running(environment, {name: frozenset({now[name]} if name in now else ()) for name in there}))
    return tuple(running)


def _bake(change: Change, environment: str, number: int) -> float:
    return change.service.rollout.bake if environment == PRODUCTION and number == 0 else 0.0
