"""From an inventory, a wish and an observation to the plan of a deploy, or to every reason why there can't be one."""

from msgspec.structs import replace

from deploygate.behind import apart, patience, traffic
from deploygate.caveats import unprotected
from deploygate.endings import Goal
from deploygate.inventory import BackKind, Instance, Inventory
from deploygate.names import PRODUCTION, Version
from deploygate.past import Run
from deploygate.plan import Move, Plan, Planned, floors_of, times, watch_of
from deploygate.probe import Health, Sighting
from deploygate.refusals import (
    broken_floor,
    forbidden_back,
    forbidden_to_leave,
    ill_baseline,
    left_apart,
    line_stopped,
    lost_interfaces,
    no_way_back,
    not_waived,
    silent_balancer,
    superseded,
)
from deploygate.waves import in_waves
from deploygate.wish import Known, Wish


def plan_deploy(inventory: Inventory, wish: Wish, known: Known) -> Planned:
    """Return the plan that takes every instance to the wished version; one without moves is already there."""
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
    moves = in_waves(service, moves)
    held = tuple(
        replace(_move(one, version, known, resumed, 0.0), identity=None)  # what ran before it is gone already
        for one in instances
        if one.name in excused and one not in moving and one.name not in skipped
    )
    environment_of = {one.name: one.environment for one in instances if one.name not in skipped}
    back = service.release(version).rollback.kind
    findings = [
        *line_stopped(wish, version, known.past, cut_off, resumed),
        *(superseded(wish, version, known) if moves else ()),
        *broken_floor(wish, floors_of(service, environments)),
        *ill_baseline(wish, moves, known, excused),
        *silent_balancer(wish, moves, known),
        *left_apart(wish, () if not moves else (name for name in apart(service, known) if name in environment_of)),
        *forbidden_back(wish, version, (*held, *moves), known),
        *forbidden_to_leave(wish, version, moves, known),
        *(() if back is BackKind.FORBIDDEN else no_way_back(wish, (*held, *moves))),
        *(
            ()
            if not moves
            else lost_interfaces(inventory, wish, {version, *(move.was for move in moves if move.was)}, known)
        ),
    ]
    refused = not_waived(wish, findings)
    if refused:
        return refused
    watch = watch_of(service)
    expected, _ = times(watch, moves, patience(service))
    _, worst = times(watch, (*held, *moves), patience(service))
    left = traffic(service, known, environment_of)
    return Plan(
        goal=Goal.DEPLOY,
        service=service.name,
        version=version,
        moves=moves,
        held=held,
        skipped=skipped,
        watch=watch,
        instances=environment_of,
        floors=floors_of(service, environments, (*skipped, *apart(service, known))),
        keep=tuple(version for version in (known.past.last_good(),) if version),
        on_failure=service.rollout.on_failure,
        failure_budget=max(0, budget - len(skipped)),
        waived=dict(sorted(wish.waived.items())),
        reason=wish.reason,
        back=back,
        **left,
        unprotected=tuple(unprotected(inventory, wish, moves, known, skipped)),
        expected=expected,
        worst=max(worst, watch.deadline if left["out"] else 0.0),
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
