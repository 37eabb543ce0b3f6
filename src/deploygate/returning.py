"""From a wish to go back, or only to have traffic where it belongs, to a plan, or to why there can't be one."""

from deploygate.behind import left_out, patience, traffic
from deploygate.endings import Goal
from deploygate.findings import Finding
from deploygate.inventory import Inventory
from deploygate.names import InstanceName, Version
from deploygate.plan import Move, Plan, Planned, floors_of, undo_seconds, watch_of
from deploygate.refusals import bad_version, forbidden_to_undo, lost_interfaces, no_way_back, not_waived
from deploygate.wish import Known, Wish


def plan_rollback(inventory: Inventory, wish: Wish, known: Known) -> Planned:
    """Return the plan that takes instances back: to a named version, else to what the last deploy found there."""
    service, past = wish.service, known.past
    idle = past.idle() if wish.version is None and wish.of_run is None else None
    places = {one.name: one.environment for one in service.instances}
    out = tuple(name for name in left_out(service, known) if wish.environment in {None, places[name]})
    if idle and not out:
        says = f"run {idle.run} of {service.name} {idle.plan.version} was stopped before it changed anything"
        return (Finding("nothing-to-undo", service.where, says, "To go back further, name the version: --to VERSION."),)
    undone = past.last_deploy(wish.of_run)
    if undone and undone.unplanned and not wish.version:
        says = (
            f"what run {undone.run} of {service.name} {undone.plan.version} replaced was too much to be kept on record"
        )
        return (Finding("nothing-to-undo", service.where, says, "Name the version to go to: --to VERSION."),)
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
    findings = [] if wish.raised else list(lost_interfaces(inventory, wish, backs, known))
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
    worst = undo_seconds(len(moves), grace=watch.grace, deadline=watch.deadline, drain=patience(service))
    return Plan(
        goal=Goal.ROLLBACK,
        service=service.name,
        version=wish.version or next(iter(sorted(backs)), Version("")),
        moves=moves,
        watch=watch,
        instances={one.name: one.environment for one in service.instances if one.environment in environments},
        floors=floors_of(service, environments),
        waived=dict(sorted(wish.waived.items())),
        expected=float(len(moves)),
        worst=worst,
        of_run=undone.run if undone and not wish.version else "",
        raised=wish.raised,
        reason=wish.reason,
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
    watch, names = watch_of(service), tuple(one.name for one in places)
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
