"""While there is an action: write it down, perform it, write down what came of it, and say so."""

from collections.abc import Callable

from deploygate.events import Action, Event, Interrupted, Look
from deploygate.inventory import Service
from deploygate.perform import World, perform
from deploygate.plan import Plan
from deploygate.ports import Journal
from deploygate.probe import Sighting
from deploygate.rollout import Phase, Rollout, apply, next_action, start

Announce = Callable[[Rollout, Action, Event | None], None]

_LEAVING = {Phase.CLOSING, Phase.PRUNING, Phase.UNLOCKING}


def drive(
    world: World,
    service: Service,
    plan: Plan,
    baseline: tuple[Sighting, ...],
    journal: Journal,
    announce: Announce,
) -> Rollout:
    """Run a plan to its ending and return the rollout; `announce` hears of each action before and after it."""
    rollout = start(plan, baseline)
    journal.begin(plan, baseline)
    while (action := next_action(rollout)) is not None:
        event = _step(world, service, rollout, action, journal, announce)
        rollout = apply(rollout, event)
        announce(rollout, action, event)
    cause = rollout.cause
    if rollout.ending is not None:
        journal.end(
            rollout.ending,
            cause.says if cause else "",
            bad=bool(cause and cause.verdict),
            debts=rollout.debts,
        )
    return rollout


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
    if stopped and rollout.phase not in _LEAVING:
        event: Event = Interrupted(world.clock.now(), stopped)
        journal.after(event)
        return event
    announce(rollout, action, None)
    journal.before(action)
    event = perform(world, service, action)
    journal.after(event)
    return event
