"""What a plan does not guard against, said before it starts, so that nobody has to find out."""

from collections.abc import Iterable

from deploygate.interfaces import Running
from deploygate.inventory import BackKind, Inventory
from deploygate.names import PRODUCTION, InstanceName
from deploygate.plan import Move
from deploygate.wish import Known, Wish
from deploygate.wording import plain

_BACK = {
    BackKind.FORBIDDEN: "there is no way back: what fails is left as it is, and so is the rest",
    BackKind.MANUAL: "the way back is by hand: what fails is taken back, and the rest is left where it is",
}


def unprotected(
    inventory: Inventory,
    wish: Wish,
    moves: tuple[Move, ...],
    known: Known,
    skipped: tuple[InstanceName, ...],
) -> Iterable[str]:
    """Return what is not protected, a line each."""
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
    back = service.release(wish.version or service.wanted).rollback
    if back.kind is not BackKind.ALLOWED:
        yield f"{_BACK[back.kind]} ({plain(back.reason, 300)})"
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
