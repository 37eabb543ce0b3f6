"""From an inventory, a wish and an observation to the plan of a deploy, or to every reason why there can't be one."""

from deploygate.admission import admission
from deploygate.behind import apart, back_in, left_out, patience, traffic
from deploygate.caveats import unprotected
from deploygate.course import course
from deploygate.endings import Goal
from deploygate.inventory import BackKind, Inventory
from deploygate.plan import Plan, Planned, floors_of, times, watch_of
from deploygate.refusals import (
    broken_floor,
    forbidden_back,
    forbidden_to_leave,
    ill_baseline,
    left_apart,
    line_stopped,
    no_way_back,
    not_waived,
    silent_balancer,
    superseded,
)
from deploygate.wish import Known, Wish


def plan_deploy(inventory: Inventory, wish: Wish, known: Known) -> Planned:
    """Return the plan that takes every instance to the wished version; one without moves is already there."""
    service, version = wish.service, wish.version or wish.service.wanted
    way = course(inventory, wish, known)
    moves, held, skipped, environments = way.moves, way.held, way.skipped, way.environments
    environment_of = {one.name: one.environment for one in way.instances if one.name not in skipped}
    admitted = admission(inventory, service, version, (*held, *moves) if moves else (), known.running)
    back = service.release(version).rollback.kind
    findings = [
        *line_stopped(wish, version, known.past, way.cut_off, way.resumed, out=left_out(service, known)),
        *(superseded(wish, version, known) if moves else ()),
        *broken_floor(wish, floors_of(service, environments)),
        *ill_baseline(wish, moves, known, way.resumed.ways if way.resumed else {}),
        *silent_balancer(wish, moves, known),
        *left_apart(wish, () if not moves else (name for name in apart(service, known) if name in environment_of)),
        *forbidden_back(wish, version, (*held, *moves), known),
        *forbidden_to_leave(wish, version, moves, known),
        *(() if back is BackKind.FORBIDDEN else no_way_back(wish, (*held, *moves))),
        *admitted.against,
    ]
    refused = not_waived(wish, findings)
    if refused:
        return refused
    watch = watch_of(service)
    expected, _ = times(watch, moves, patience(service), back_in(service))
    _, worst = times(watch, (*held, *moves), patience(service), back_in(service))
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
        failure_budget=max(0, service.rollout.failure_budget - len(skipped)),
        waived=dict(sorted(wish.waived.items())),
        reason=wish.reason,
        back=back,
        **left,
        unprotected=tuple(unprotected(inventory, wish, moves, known, admitted, skipped)),
        expected=expected,
        worst=max(worst, watch.deadline if left["out"] else 0.0),
    )
