"""While there is an action: write it down, perform it, write down what came of it, and say so."""

from collections.abc import Callable

from deploygate.events import Action, Broke, Event, Interrupted, Look
from deploygate.inventory import Service
from deploygate.perform import World, perform
from deploygate.plan import Plan
from deploygate.ports import Journal
from deploygate.probe import Sighting
from deploygate.rollout import Phase, Rollout, apply, next_action, start
from deploygate.wording import plain

Announce = Callable[[Rollout, Action, Event | None], None]

_FORWARD = {Phase.LOCKING, Phase.STAGING, Phase.PROVING, Phase.CONFIRMING, Phase.READY, Phase.WATCHING}
_LEAVING = {Phase.PRUNING, Phase.UNLOCKING}


def drive(
    world: World,
    service: Service,
    plan: Plan,
    baseline: tuple[Sighting, ...],
    journal: Journal,
    announce: Announce,
) -> Rollout:
    """Run a plan to its ending and return the rollout; `announce` hears of each action before and after it.

    On the way forward, what can't be written down is not done. The way back goes on all the same, and says so.
    """
    rollout = start(plan, baseline)
    journal.begin(plan, baseline)
    while (action := next_action(rollout)) is not None:
        event = _step(world, service, rollout, action, journal, announce)
        rollout = apply(rollout, event)
        announce(rollout, action, event)
    _write(world, lambda: _end(journal, rollout))
    return rollout


def _end(journal: Journal, rollout: Rollout) -> None:
    cause = rollout.cause
    if rollout.ending is not None:
        bad = bool(cause and cause.verdict)
        journal.end(rollout.ending, cause.says if cause else "", bad=bad, debts=rollout.debts)


def _write(world: World, write: Callable[[], None]) -> Broke | None:
    """Write to the journal, and return why that was not possible."""
    try:
        write()
    except OSError as error:
        return Broke(world.clock.now(), plain(f"the journal can't be written: {error.strerror or error}"))
    return None


def _step(
    world: World,
    service: Service,
    rollout: Rollout,
    action: Action,
    journal: Journal,
    announce: Announce,
) -> Event:
    if isinstance(action, Look):
        world.clock.wait_until(action.at)
    stopped = world.clock.stopped()
    if stopped and not rollout.stopped and rollout.phase not in _LEAVING:
        event: Event = Interrupted(world.clock.now(), stopped)
        _write(world, lambda: journal.after(event))
        return event
    announce(rollout, action, None)
    unwritten = _write(world, lambda: journal.before(action))
    if unwritten:
        announce(rollout, action, unwritten)
        if rollout.phase in _FORWARD:
            return unwritten
    event = perform(world, service, action)
    _write(world, lambda: journal.after(event))  # where that fails, so does the next line
    return event
