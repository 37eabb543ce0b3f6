"""A rollback by hand has the lock before its plan is final: what another run did until then is seen, and taken back."""

from collections.abc import Callable
from dataclasses import replace

from deploygate.behind import back_in, patience
from deploygate.endings import Goal
from deploygate.events import LockHeld, LockTaken, ReleaseLock, TakeLock
from deploygate.inventory import Service
from deploygate.perform import World, perform
from deploygate.plan import Plan, Planned, undo_seconds, watch_of
from deploygate.wish import Known, Wish

Found = tuple[Known, Planned]


def fenced(world: World, wish: Wish, found: Found, again: Callable[[], Found]) -> tuple[World, Found]:
    """Take the lock for a rollback by hand, and plan once more where another run may have changed anything since.

    A deploy that is overtaken changes nothing more, but it may have gone on until then. All hosts that the wish is
    about are claimed before anything is asked of them again, since the new plan may reach further than the first. A
    raised rollback is no race: the deploy that raises it waits. What came of taking the lock is kept in the world,
    for the drive that begins with it.
    """
    known, planned = found
    if wish.goal is not Goal.ROLLBACK or wish.raised or not isinstance(planned, Plan) or world.clock.stopped():
        return world, found
    claimed = perform(world, wish.service, _claim(wish))
    world = replace(world, claimed=claimed)
    if isinstance(claimed, LockHeld) or (isinstance(claimed, LockTaken) and not claimed.over and known.past.settled):
        return world, found
    try:
        found = again()
    except BaseException:
        let_go(world, wish.service)
        raise
    if not isinstance(found[1], Plan):
        let_go(world, wish.service)
    return world, found


def let_go(world: World, service: Service) -> None:
    """Release the lock and the hosts of a service, where there is nothing to be done with them after all."""
    perform(world, service, ReleaseLock())


def _claim(wish: Wish) -> TakeLock:
    service, watch = wish.service, watch_of(wish.service)
    names = tuple(one.name for one in service.instances if wish.environment in {None, one.environment})
    bound = {"grace": watch.grace, "deadline": watch.deadline, "drain": patience(service)}
    lasts = undo_seconds(len(names), **bound, back_in=back_in(service))
    return TakeLock(Goal.ROLLBACK, names, lasts)
