"""Why there can't be a plan: every reason at once, each with what to do about it."""

from collections.abc import Iterable, Mapping, Sequence

from deploygate.endings import Ending
from deploygate.findings import Finding
from deploygate.inventory import BackKind, Service
from deploygate.names import Environment, InstanceName, Version
from deploygate.past import Past, Run
from deploygate.plan import Move
from deploygate.probe import Health
from deploygate.wish import Known, Wish
from deploygate.wording import count, plain


def not_waived(wish: Wish, findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return the findings that refuse: all but those of rules that were waived."""
    return tuple(finding for finding in findings if finding.rule not in wish.waived)


def line_stopped(
    wish: Wish,
    version: Version,
    past: Past,
    cut_off: Run | None,
    resumed: Run | None,
    *,
    out: Sequence[InstanceName] = (),
) -> Iterable[Finding]:
    """Find a version that failed before, or another one's deploy that was left half-way, and who is `out` by it."""
    service = wish.service
    why = past.bad(version)
    if why:
        yield bad_version(service, version, why)
    if cut_off and not resumed and cut_off.ending is not Ending.MIXED:  # a mixed fleet is known, and may move on
        other = cut_off.plan.version
        says = f"run {cut_off.run} of {service.name} {other} was cut off and left the fleet half-way"
        back = f"Finish it (deploygate deploy {service.name} {other}) or undo it (deploygate rollback {service.name})."
        if out:
            says += f"; still out of the balancer: {_some(out)}"
            back += f" Until then, deploygate restore {service.name} puts what is well back into the balancer."
        yield Finding("unfinished", service.where, says, back)


def superseded(wish: Wish, version: Version, known: Known) -> Iterable[Finding]:
    """Find that a newer run of the workflow has deployed another version: run again, an old one would take it back."""
    newer = None if known.github_run is None else known.past.newer(known.github_run, version)
    if newer:
        name = wish.service.name
        says = f"{name} {newer.plan.version} was deployed since, by run {newer.run} of a newer run of the workflow"
        back = f"To go back on purpose: deploygate rollback {name} --to {version}, or --waive superseded=REASON."
        yield Finding("superseded", wish.service.where, says, back)


def bad_version(service: Service, version: Version, why: str) -> Finding:
    """Return the finding of a version that failed."""
    says = f"{service.name} {version} failed before ({why})"
    return Finding("bad-version", service.where, says, "Release a new version, or --waive bad-version=REASON.")


def ill_baseline(
    wish: Wish,
    moves: tuple[Move, ...],
    known: Known,
    excused: Mapping[InstanceName, Move],
) -> Iterable[Finding]:
    """Find instances that do not answer well, or whose process can't be told, before anything was done to them."""
    places = {one.name: one.where for one in wish.service.instances}
    for move in moves:
        seen, where = known.seen[move.instance], places[move.instance]
        if seen.health is not Health.HEALTHY and move.instance not in excused:
            says = f"{move.instance} is not healthy before the start: {seen.says or seen.health.value}"
            yield Finding("baseline", where, says, "Mend it first, or roll over it with --baseline broken.")
        elif seen.health is Health.HEALTHY and seen.version is None:
            says = f"{move.instance} is healthy, but its version cannot be told: {seen.says}"
            yield Finding("baseline", where, says, "Make its version probe answer, or use --baseline broken.")
        elif seen.health is Health.HEALTHY and seen.identity is None:
            says = f"which process answers as {move.instance} cannot be told, so a restart could not be proven"
            says += f": {seen.says}" if seen.says else ""
            yield Finding("identity", where, says, "Give version_probe.identity; or stop it and use --baseline broken.")


def left_apart(wish: Wish, names: Iterable[InstanceName]) -> Iterable[Finding]:
    """Find healthy instances that somebody has taken out of the balancer: they would be rolled, and serve nobody."""
    places = {one.name: one.where for one in wish.service.instances}
    for name in names:
        says = f"{name} is healthy, but the balancer sends it nothing, and no run of the gate has taken it out"
        yield Finding("baseline", places[name], says, "Put it back first, or roll without it with --baseline broken.")


def silent_balancer(wish: Wish, moves: tuple[Move, ...], known: Known) -> Iterable[Finding]:
    """Find a balancer that should say whom it sends traffic to, and does not: nobody could be taken out of it."""
    service = wish.service
    balancer = service.balancer
    if balancer is None or not balancer.tells:
        return
    asked = [move.instance for move in moves if move.environment in balancer.environments]
    mute = [name for name in asked if known.seen[name].in_service is None]
    if mute:
        says = (
            f"the balancer does not say whether it sends traffic to {_some(mute)}, so nobody could be taken out of it"
        )
        advice = "See that it runs, knows these instances and may be asked from here; or --waive balancer=REASON."
        yield Finding("balancer", service.where, says, advice)


def broken_floor(wish: Wish, floors: Mapping[Environment, int]) -> Iterable[Finding]:
    """Find environments of which no instance may ever be taken out."""
    for environment, floor in floors.items():
        size = len(wish.service.within(environment))
        if size and floor >= size:
            says = f"the floor of {environment} is {floor}, so none of its {count(size, 'instance')} may be switched"
            yield Finding("floor", wish.service.where, says, "Lower rollout.floor, or add instances.")


def no_way_back(wish: Wish, moves: tuple[Move, ...]) -> Iterable[Finding]:
    """Find instances that have nothing to come back to."""
    for move in moves:
        if move.was is None and "baseline" not in wish.waived:
            says = f"what {move.instance} ran before is not known, so there is nothing that it could be taken back to"
            yield Finding("way-back", wish.service.where, says, "Go on all the same: --waive way-back=REASON.")


def forbidden_back(wish: Wish, version: Version, moves: tuple[Move, ...], known: Known) -> Iterable[Finding]:
    """Find a release from which nobody may come back, where it is about to be put onto instances."""
    back = wish.service.release(version).rollback
    coming = [one for one in moves if (seen := known.seen.get(one.instance)) is None or seen.running != version]
    if back.kind is BackKind.FORBIDDEN and coming:
        says = f"the way back from {wish.service.name} {version} is forbidden{_because(back.reason)}"
        yield Finding("way-back", wish.service.where, says, "Deploy it without a way back: --waive way-back=REASON.")


def forbidden_to_leave(wish: Wish, version: Version, moves: tuple[Move, ...], known: Known) -> Iterable[Finding]:
    """Find releases that run and from which nobody may come back, where an older one is about to replace them."""
    service = wish.service
    for left in sorted({move.was for move in moves if move.was and known.past.older(version, move.was)}):
        yield from _left(service, left, version, [move.instance for move in moves if move.was == left])


def forbidden_to_undo(wish: Wish, moves: tuple[Move, ...]) -> Iterable[Finding]:
    """Find releases that run and from which nobody may come back, where a rollback is asked to do that."""
    service = wish.service
    for left, to in sorted({(move.to, move.was) for move in moves if move.was and move.was != move.to}):
        yield from _left(service, left, to, [one.instance for one in moves if (one.to, one.was) == (left, to)])


def _left(service: Service, left: Version, to: Version | None, where: Sequence[InstanceName]) -> Iterable[Finding]:
    back = service.release(left).rollback
    if back.kind is BackKind.FORBIDDEN:
        says = f"{service.name} {left} runs on {_some(where)}, and may not be left for {to}{_because(back.reason)}"
        yield Finding("way-back", service.where, says, "Release a newer version, or --waive way-back=REASON.")


def _because(reason: str) -> str:
    return f": {plain(reason, 300)}" if reason else ""


def _some(names: Sequence[InstanceName]) -> str:
    """Name a few instances, and say that there are others."""
    return f"{', '.join(names[:4])}{' and others' if len(names) > 4 else ''}"
