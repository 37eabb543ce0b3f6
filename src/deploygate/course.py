"""Which instances a deploy moves, in which order, and what each of them would come back to."""

from dataclasses import dataclass

from msgspec.structs import replace

from deploygate.inventory import Instance, Inventory
from deploygate.names import PRODUCTION, Environment, InstanceName, Version
from deploygate.past import Run
from deploygate.plan import Move
from deploygate.probe import Health, Sighting
from deploygate.waves import in_waves
from deploygate.wish import Known, Wish


@dataclass(frozen=True, slots=True)
class Course:
    """The moves of a deploy. `held` were moved by `resumed`, an earlier run of the same that was `cut_off`.

    `skipped` are unreachable and left out, as the failure budget allows; `there` are at the version already.
    """

    environments: tuple[Environment, ...]
    instances: tuple[Instance, ...]
    moves: tuple[Move, ...]
    held: tuple[Move, ...]
    there: tuple[Move, ...]
    skipped: tuple[InstanceName, ...]
    cut_off: Run | None
    resumed: Run | None


def course(inventory: Inventory, wish: Wish, known: Known) -> Course:
    """Return what a deploy of the wished version moves, and from where, as it was observed."""
    service, version = wish.service, wish.version or wish.service.wanted
    environments = inventory.up_to(wish.environment)
    instances = tuple(one for environment in environments for one in service.within(environment))
    cut_off = known.past.unfinished()
    resumed = cut_off if cut_off and cut_off.plan.version == version else None
    away = tuple(one for one in instances if not _is_at(known.seen[one.name], version))
    unreachable = tuple(
        one.name for one in away if known.seen[one.name].health is Health.UNKNOWN or _silent(known.seen[one.name])
    )
    budget = service.rollout.failure_budget
    excused = resumed.ways if resumed else {}
    lost = tuple(name for name in unreachable if name not in excused)
    skipped = lost if budget and "baseline" not in wish.waived and len(lost) <= budget else ()
    moving = sorted(
        (one for one in away if one.name not in skipped),
        key=lambda one: (environments.index(one.environment), known.seen[one.name].health is Health.HEALTHY),
    )
    first = next((one.name for one in moving if one.environment == PRODUCTION), None)
    moves = tuple(
        _move(one, version, known, resumed, service.rollout.bake if one.name == first else 0.0) for one in moving
    )
    there = tuple(
        _move(one, version, known, resumed, 0.0) for one in instances if one not in moving and one.name not in skipped
    )
    return Course(
        environments=environments,
        instances=instances,
        moves=in_waves(service, moves),
        held=tuple(
            replace(one, identity=None)  # what ran before it is gone already
            for one in there
            if one.instance in excused
        ),
        there=there,
        skipped=skipped,
        cut_off=cut_off,
        resumed=resumed,
    )


def _is_at(seen: Sighting, version: Version) -> bool:
    return seen.health is Health.HEALTHY and seen.version == version and seen.release in {None, version}


def _silent(seen: Sighting) -> bool:
    return seen.health is Health.ILL and seen.version is None


def _move(one: Instance, version: Version, known: Known, resumed: Run | None, bake: float) -> Move:
    seen = known.seen[one.name]
    stopping = resumed is not None and one.name in resumed.ways
    if resumed and one.name in resumed.ways:
        was = resumed.ways[one.name].was
    elif seen.running and seen.running != version:
        was = Version(seen.running)
    else:
        was = known.past.came_from(one.name, version)
    return Move(
        instance=one.name,
        environment=one.environment,
        to=version,
        was=was,
        identity=seen.identity,
        # one that a killed run was stopping may still answer now, and be gone in a moment
        serving=seen.health is Health.HEALTHY
        and (seen.in_service or (seen.in_service is None and one.name not in known.past.drained()))
        and not (stopping and seen.running != version),
        bake=bake,
    )
