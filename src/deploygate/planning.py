"""From an inventory, a wish and an observation to a plan, or to every reason why there can't be one."""

from msgspec.structs import replace

from deploygate.behind import apart, left_out, patience, traffic
from deploygate.caveats import unprotected
from deploygate.endings import Goal
from deploygate.findings import Finding
from deploygate.inventory import Instance, Inventory, Service
from deploygate.names import PRODUCTION, Environment, InstanceName, Version
from deploygate.past import Run
from deploygate.plan import Move, Plan, Watch, times, undo_seconds
from deploygate.probe import Health, Sighting
from deploygate.refusals import (
    bad_version,
    broken_floor,
    ill_baseline,
    left_apart,
    line_stopped,
    lost_interfaces,
    no_way_back,
    not_waived,
)
from deploygate.waves import in_waves
from deploygate.wish import Known, Wish

Planned = Plan | tuple[Finding, ...]


def plan_deploy(inventory: Inventory, wish: Wish, known: Known) -> Planned:
    """Return the plan that takes every instance to the wished version; one without moves is already there."""
    service, version = wish.service, wish.version or wish.service.wanted
    environments = _up_to(inventory.environments, wish.environment)
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
    findings = [
        *line_stopped(wish, version, known.past, cut_off, resumed),
        *broken_floor(wish, _floors(service, environments)),
        *ill_baseline(wish, moves, known, excused),
        *left_apart(wish, apart(service, known)),
        *no_way_back(wish, (*held, *moves)),
        *(
            ()
            if not moves
            else lost_interfaces(inventory, wish, {version, *(move.was for move in moves if move.was)}, known)
        ),
    ]
    refused = not_waived(wish, findings)
    if refused:
        return refused
    watch = _watch(service)
    expected, worst = times(watch, moves, patience(service))
    return Plan(
        goal=Goal.DEPLOY,
        service=service.name,
        version=version,
        moves=moves,
        held=held,
        skipped=skipped,
        watch=watch,
        instances={one.name: one.environment for one in instances if one.name not in skipped},
        floors=_floors(service, environments, (*skipped, *apart(service, known))),
        keep=tuple(version for version in (known.past.last_good(),) if version),
        on_failure=service.rollout.on_failure,
        failure_budget=max(0, budget - len(skipped)),
        waived=dict(sorted(wish.waived.items())),
        **traffic(service, known, {one.name for one in instances if one.name not in skipped}),
        unprotected=tuple(unprotected(inventory, wish, moves, known, skipped)),
        expected=expected,
        worst=worst,
    )


def plan_rollback(inventory: Inventory, wish: Wish, known: Known) -> Planned:
    """Return the plan that takes instances back: to a named version, else to what the last deploy found there."""
    service, past = wish.service, known.past
    idle = past.idle() if wish.version is None and wish.of_run is None else None
    out = left_out(service, known)
    if idle and not out:
        says = f"run {idle.run} of {service.name} {idle.plan.version} was stopped before it changed anything"
        return (Finding("nothing-to-undo", service.where, says, "To go back further, name the version: --to VERSION."),)
    undone = past.last_deploy(wish.of_run)
    targets: dict[InstanceName, Version | None] = {}
    if wish.version:
        targets = {one.name: wish.version for one in service.instances}
    elif undone and not idle:
        targets = {name: move.was for name, move in undone.ways.items()}
    instances = tuple(
        one
        for environment in inventory.environments
        for one in service.within(environment)
        if one.name in targets and wish.environment in {None, environment}
    )
    if not instances and not out:
        says = f"there is nothing to roll {service.name} back from: no deploy of it is on record"
        return (Finding("nothing-to-undo", service.where, says, "Name the version to go to: --to VERSION."),)
    moves = tuple(
        Move(
            instance=one.name,
            environment=one.environment,
            to=Version(known.seen[one.name].running or (undone.plan.version if undone else "")),
            was=targets[one.name],
            identity=known.seen[one.name].identity,
        )
        for one in instances
    )
    backs = {move.was for move in moves if move.was}
    findings = [] if wish.raised else list(lost_interfaces(inventory, wish, backs, known))
    if not wish.raised:
        findings += no_way_back(wish, moves)
    if wish.version and (why := past.bad(wish.version)):
        findings.append(bad_version(service, wish.version, why))
    refused = not_waived(wish, findings)
    if refused:
        return refused
    watch = _watch(service)
    concerned = [one for one in service.instances if one in instances or one.name in out]
    environments = tuple(dict.fromkeys(one.environment for one in concerned))
    worst = undo_seconds(len(moves), grace=watch.grace, deadline=watch.deadline, drain=patience(service))
    return Plan(
        goal=Goal.ROLLBACK,
        service=service.name,
        version=wish.version or next(iter(sorted(backs)), Version("")),
        moves=moves,
        watch=watch,
        instances={one.name: one.environment for one in service.instances if one.environment in environments},
        floors=_floors(service, environments),
        waived=dict(sorted(wish.waived.items())),
        expected=float(len(moves)),
        worst=worst,
        of_run=undone.run if undone and not wish.version else "",
        raised=wish.raised,
        **traffic(service, known, {one.name for one in service.instances if one.environment in environments}),
    )


def plan_restore(wish: Wish, known: Known) -> Planned:
    """Return the plan that puts back into the balancer what earlier runs left out of it; it changes no process."""
    service = wish.service
    out = left_out(service, known)
    places = [one for one in service.instances if one.name in out]
    moves = tuple(
        Move(
            instance=one.name,
            environment=one.environment,
            to=Version(known.seen[one.name].running or ""),
            was=Version(known.seen[one.name].running or service.wanted),
        )
        for one in places
    )
    watch, names = _watch(service), tuple(one.name for one in places)
    return Plan(
        goal=Goal.RESTORE,
        service=service.name,
        version=service.wanted,
        moves=moves,
        watch=watch,
        instances={one.name: one.environment for one in places},
        floors={},
        worst=undo_seconds(len(moves), grace=watch.grace, deadline=watch.deadline),
        **traffic(service, known, names),
    )


def _up_to(environments: tuple[Environment, ...], last: Environment | None) -> tuple[Environment, ...]:
    return environments if last is None else environments[: environments.index(last) + 1]


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


def _watch(service: Service) -> Watch:
    probe = service.health
    return Watch(
        interval=probe.interval,
        passes=probe.passes,
        fails=probe.fails,
        min_healthy=probe.min_healthy,
        deadline=probe.deadline,
        grace=service.deploy.grace,
    )


def _floors(
    service: Service,
    environments: tuple[Environment, ...],
    skipped: tuple[InstanceName, ...] = (),
) -> dict[Environment, int]:
    """Return how many must keep serving: as the inventory says, else all but one of those that take part."""
    floors = {}
    for environment in environments:
        size = sum(1 for one in service.within(environment) if one.name not in skipped)
        floor = service.rollout.floor if environment == PRODUCTION else None
        floors[environment] = max(0, size - 1) if floor is None else floor
    return floors
