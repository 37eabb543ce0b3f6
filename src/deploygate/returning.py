"""From a wish to go back, or only to have traffic where it belongs, to a plan, or to why there can't be one."""

from collections.abc import Container

from deploygate.admission import may_return
from deploygate.behind import back_in, left_out, patience, traffic
from deploygate.endings import Goal
from deploygate.findings import Finding
from deploygate.inventory import Inventory
from deploygate.names import InstanceName, Version
from deploygate.past import Run
from deploygate.plan import Move, Plan, Planned, floors_of, undo_seconds, watch_of
from deploygate.refusals import bad_version, forbidden_to_undo, no_way_back, not_waived
from deploygate.wish import Known, Wish


def plan_rollback(inventory: Inventory, wish: Wish, known: Known) -> Planned:
    """Return the plan that takes instances back: to a named version, else to what the last deploy found there."""
    service, past = wish.service, known.past
    idle = past.idle() if wish.version is None and wish.of_run is None else None
    undone = past.last_deploy(wish.of_run)
    if idle and _came_to(idle, known):
        idle, undone = None, idle
    places = {one.name: one.environment for one in service.instances}
    out = tuple(name for name in left_out(service, known) if wish.environment in {None, places[name]})
    if idle and not out:
        how = (
            "is under way and has not changed anything yet" if idle.alive else "was stopped before it changed anything"
        )
        says = f"run {idle.run} of {service.name} {idle.plan.version} {how}"
        stop = "Stop it. " if idle.alive else ""
        further = f"{stop}To go back further, name the version: --to VERSION."
        return (Finding("nothing-to-undo", service.where, says, further),)
    if undone and undone.unplanned and not wish.version:
        says = (
            f"what run {undone.run} of {service.name} {undone.plan.version} replaced was too much to be kept on record"
        )
        return (Finding("nothing-to-undo", service.where, says, "Name the version to go to: --to VERSION."),)
    targets: dict[InstanceName, Version | None] = {}
    if wish.version:
        targets = {one.name: wish.version for one in service.instances}
    elif undone and not idle:
        targets = {name: move.was for name, move in _came_to(undone, known).items()}
    instances = tuple(
        one
        for environment in inventory.environments
        for one in service.within(environment)
        if one.name in targets and wish.environment in {None, environment}
    )
    if not instances and (wish.of_run or not out):
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
    findings = [] if wish.raised else list(may_return(inventory, service, moves, known.running).against)
    if not wish.raised:
        findings += [*no_way_back(wish, moves), *forbidden_to_undo(wish, moves)]
    if wish.version and (why := past.bad(wish.version)):
        findings.append(bad_version(service, wish.version, why))
    refused = not_waived(wish, findings)
    if refused:
        return refused
    watch = watch_of(service)
    concerned = [one for one in service.instances if one in instances or one.name in out]
    environments = tuple(dict.fromkeys(one.environment for one in concerned))
    within = {one.name: one.environment for one in service.instances if one.environment in environments}
    bound = {"grace": watch.grace, "deadline": watch.deadline, "drain": patience(service)}
    worst = undo_seconds(len(moves), **bound, back_in=back_in(service))
    return Plan(
        goal=Goal.ROLLBACK,
        service=service.name,
        version=wish.version or next(iter(sorted(backs)), Version("")),
        moves=moves,
        watch=watch,
        instances=within,
        floors=floors_of(service, environments),
        waived=dict(sorted(wish.waived.items())),
        expected=float(len(moves)),
        worst=worst,
        of_run=undone.run if undone and not wish.version else "",
        raised=wish.raised,
        reason=wish.reason,
        spared=_spared(undone, targets, within) if undone and not (idle or wish.version) else {},
        **traffic(service, known, within),
    )


def _came_to(undone: Run, known: Known) -> dict[InstanceName, Move]:
    """Return the moves that a deploy has made, or may have made.

    Of one that goes on, or was cut off and is remembered by a forge, it may not be on record how far it came: what
    runs its version counts as well.
    """
    unsure = undone.ending is None and (undone.alive or undone.github_run is not None)
    more = undone.plan.moves if unsure else ()
    seen = {name for name, one in known.seen.items() if one.running == undone.plan.version}
    return undone.ways | {move.instance: move for move in more if move.instance in seen}


def _spared(
    undone: Run, targets: Container[InstanceName], within: Container[InstanceName]
) -> dict[InstanceName, Version]:
    """Return those that the deploy was to move as well and has not, each with its version: nobody may show it now."""
    names = [move.instance for move in undone.plan.moves]
    return {name: undone.plan.version for name in names if name in within and name not in targets}


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
    watch, names = watch_of(service), tuple(one.name for one in places)
    return Plan(
        goal=Goal.RESTORE,
        service=service.name,
        version=service.wanted,
        moves=moves,
        watch=watch,
        instances={one.name: one.environment for one in places},
        floors={},
        worst=undo_seconds(len(moves), grace=watch.grace, deadline=watch.deadline, back_in=back_in(service)),
        **traffic(service, known, names),
    )
