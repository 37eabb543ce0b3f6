"""From an inventory, a wish and an observation to a plan, or to every reason why there can't be one."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from msgspec.structs import replace

from deploygate.endings import Ending, Goal
from deploygate.findings import Finding
from deploygate.interfaces import Running, clashes
from deploygate.inventory import Instance, Inventory, Service
from deploygate.names import PRODUCTION, Environment, InstanceName, RunId, Version
from deploygate.past import Past, Run
from deploygate.plan import Move, Plan, Watch, times
from deploygate.probe import Health, Sighting
from deploygate.wording import count

Planned = Plan | tuple[Finding, ...]

WAIVABLE = {
    "baseline": "the instances that do not answer well before the start are rolled all the same",
    "bad-version": "a version that failed before is tried again",
    "way-back": "there is no proven way back",
    "unfinished": "the run that was cut off before is left as it is",
    "interface-lost": "a running neighbour loses an interface that it consumes",
    "interface-missing": "an interface that this version consumes is not provided",
}


@dataclass(frozen=True, slots=True)
class Wish:
    """What was asked for. `environment` is the last one to go to (or, on the way back, the only one).

    `waived` has a reason for each rule that is not to refuse; `of_run` is the deploy to be undone, `raised` says
    that this deploy raises it itself, having proven its way back before it began.
    """

    service: Service
    version: Version | None
    environment: Environment | None = None
    waived: Mapping[str, str] = field(default_factory=dict)
    goal: Goal = Goal.DEPLOY
    of_run: RunId | None = None
    raised: bool = False


@dataclass(frozen=True, slots=True)
class Known:
    """What was found out: a sighting of each instance, what runs beside it, and what earlier runs left."""

    seen: Mapping[InstanceName, Sighting]
    running: tuple[Running, ...]
    past: Past


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
    held = tuple(
        replace(_move(one, version, known, resumed, 0.0), identity=None)  # what ran before it is gone already
        for one in instances
        if one.name in excused and one not in moving and one.name not in skipped
    )
    findings = [
        *_line_stopped(wish, version, known.past, cut_off, resumed),
        *_floor(wish, environments),
        *_baseline(wish, moves, known, excused),
        *_no_way_back(wish, (*held, *moves)),
        *(
            ()
            if not moves
            else _interfaces(inventory, wish, {version, *(move.was for move in moves if move.was)}, known)
        ),
    ]
    refused = _refused(wish, findings)
    if refused:
        return refused
    watch = _watch(service)
    expected, worst = times(watch, moves)
    return Plan(
        goal=Goal.DEPLOY,
        service=service.name,
        version=version,
        moves=moves,
        held=held,
        skipped=skipped,
        watch=watch,
        instances={one.name: one.environment for one in instances if one.name not in skipped},
        floors=_floors(service, environments, skipped),
        keep=tuple(version for version in (known.past.last_good(),) if version),
        on_failure=service.rollout.on_failure.value,
        failure_budget=max(0, budget - len(skipped)),
        waived=dict(sorted(wish.waived.items())),
        unprotected=tuple(_unprotected(inventory, wish, moves, known, skipped)),
        expected=expected,
        worst=worst,
    )


def plan_rollback(inventory: Inventory, wish: Wish, known: Known) -> Planned:
    """Return the plan that takes instances back: to a named version, else to what the last deploy found there."""
    service, past = wish.service, known.past
    idle = past.idle() if wish.version is None and wish.of_run is None else None
    if idle:
        says = f"run {idle.run} of {service.name} {idle.plan.version} was stopped before it changed anything"
        return (Finding("nothing-to-undo", service.where, says, "To go back further, name the version: --to VERSION."),)
    undone = past.last_deploy(wish.of_run)
    targets: dict[InstanceName, Version | None] = {}
    if wish.version:
        targets = {one.name: wish.version for one in service.instances}
    elif undone:
        targets = {name: move.was for name, move in undone.ways.items()}
    instances = tuple(
        one
        for environment in inventory.environments
        for one in service.within(environment)
        if one.name in targets and wish.environment in {None, environment}
    )
    if not instances:
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
    findings = [] if wish.raised else list(_interfaces(inventory, wish, backs, known))
    if not wish.raised:
        findings += _no_way_back(wish, moves)
    if wish.version and (why := past.bad(wish.version)):
        findings.append(_bad(service, wish.version, why))
    refused = _refused(wish, findings)
    if refused:
        return refused
    watch = _watch(service)
    environments = tuple(dict.fromkeys(one.environment for one in instances))
    worst = sum(watch.grace + watch.deadline for _ in moves)
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
    )


def _up_to(environments: tuple[Environment, ...], last: Environment | None) -> tuple[Environment, ...]:
    return environments if last is None else environments[: environments.index(last) + 1]


def _is_at(seen: Sighting, version: Version) -> bool:
    return seen.health is Health.HEALTHY and seen.version == version and seen.release in {None, version}


def _silent(seen: Sighting) -> bool:
    return seen.health is Health.ILL and seen.version is None


def _move(one: Instance, version: Version, known: Known, resumed: Run | None, bake: float) -> Move:
    seen = known.seen[one.name]
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
        serving=seen.health is Health.HEALTHY,
        bake=bake,
    )


def _line_stopped(
    wish: Wish,
    version: Version,
    past: Past,
    cut_off: Run | None,
    resumed: Run | None,
) -> Iterable[Finding]:
    service = wish.service
    why = past.bad(version)
    if why:
        yield _bad(service, version, why)
    elif cut_off and not resumed and cut_off.ending is not Ending.MIXED:  # a mixed fleet is known, and may move on
        other = cut_off.plan.version
        says = f"run {cut_off.run} of {service.name} {other} was cut off and left the fleet half-way"
        back = f"Finish it (deploygate deploy {service.name} {other}) or undo it (deploygate rollback {service.name})."
        yield Finding("unfinished", service.where, says, back)


def _bad(service: Service, version: Version, why: str) -> Finding:
    says = f"{service.name} {version} failed before ({why})"
    return Finding("bad-version", service.where, says, "Release a new version, or --waive bad-version=REASON.")


def _baseline(
    wish: Wish,
    moves: tuple[Move, ...],
    known: Known,
    excused: Mapping[InstanceName, Move],
) -> Iterable[Finding]:
    for move in moves:
        seen = known.seen[move.instance]
        where = next(one.where for one in wish.service.instances if one.name == move.instance)
        if seen.health is not Health.HEALTHY and move.instance not in excused:
            says = f"{move.instance} is not healthy before the start: {seen.says or seen.health.value}"
            yield Finding("baseline", where, says, "Mend it first, or roll over it with --baseline broken.")
        elif seen.health is Health.HEALTHY and seen.version is None:
            says = f"{move.instance} is healthy, but its version cannot be told: {seen.says}"
            yield Finding("baseline", where, says, "Make its version probe answer, or use --baseline broken.")
        elif seen.health is Health.HEALTHY and seen.identity is None:
            says = f"which process answers as {move.instance} cannot be told, so a restart could not be proven"
            yield Finding("identity", where, says, "Give version_probe.identity; or stop it and use --baseline broken.")


def _floor(wish: Wish, environments: tuple[Environment, ...]) -> Iterable[Finding]:
    for environment, floor in _floors(wish.service, environments).items():
        size = len(wish.service.within(environment))
        if size and floor >= size:
            says = f"the floor of {environment} is {floor}, so none of its {count(size, 'instance')} may be switched"
            yield Finding("floor", wish.service.where, says, "Lower rollout.floor, or add instances.")


def _no_way_back(wish: Wish, moves: tuple[Move, ...]) -> Iterable[Finding]:
    for move in moves:
        if move.was is None and "baseline" not in wish.waived:
            says = f"what {move.instance} ran before is not known, so there is nothing that it could be taken back to"
            yield Finding("way-back", wish.service.where, says, "Go on all the same: --waive way-back=REASON.")


def _interfaces(
    inventory: Inventory,
    wish: Wish,
    versions: Iterable[Version],
    known: Known,
) -> Iterable[Finding]:
    """Both versions are in service during a roll, and the old one again after a rollback: both must fit."""
    seen: set[str] = set()
    for version in sorted(versions):
        for running in known.running:
            for finding in clashes(inventory, wish.service, version, running):
                if finding.says not in seen:
                    seen.add(finding.says)
                    yield finding


def _refused(wish: Wish, findings: Iterable[Finding]) -> tuple[Finding, ...]:
    return tuple(finding for finding in findings if finding.rule not in wish.waived)


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


def _unprotected(
    inventory: Inventory,
    wish: Wish,
    moves: tuple[Move, ...],
    known: Known,
    skipped: tuple[InstanceName, ...],
) -> Iterable[str]:
    """Say what this plan does not guard against, so that nobody has to find out."""
    service = wish.service
    for environment in inventory.environments:
        size = len(service.within(environment))
        if size == 1 and environment == PRODUCTION:
            yield "production has a single instance: it serves nobody while it is switched"
        if not size and environment != PRODUCTION:
            yield f"{service.name} has no instance in {environment}: the first candidate runs in production"
    lost = [move.instance for move in moves if move.was is None]
    if lost:
        yield f"no version to come back to: {', '.join(lost)}"
    if skipped:
        yield f"left out as unreachable: {', '.join(skipped)}"
    yield from _unlike_production(known.running)
    for running in known.running:
        silent = sorted(name for name, versions in running.versions.items() if not versions)
        if silent:
            yield f"interfaces are unchecked in {running.environment} with {', '.join(silent)}: nothing answers there"
    for rule, reason in sorted(wish.waived.items()):
        yield f"waived, {rule}: {reason}"


def _unlike_production(running: tuple[Running, ...]) -> Iterable[str]:
    """Name the neighbours that the parallel chain has at other versions than production."""
    real = next((one.versions for one in running if one.environment == PRODUCTION), {})
    for one in running:
        for name in sorted(one.versions):
            here, there = one.versions[name], real.get(name, frozenset())
            if one.environment != PRODUCTION and here and there and here != there:
                where = f"{', '.join(sorted(here))} in {one.environment}"
                yield f"{name} runs {where}, and {', '.join(sorted(there))} in production"
