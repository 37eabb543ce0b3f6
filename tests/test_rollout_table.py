"""The machine is a table: each pair of phase and event is in it, or is impossible and says so."""

from collections import defaultdict

import pytest
from simulation.gate import simulate
from simulation.scenario import drawn

from deploygate.endings import Ending
from deploygate.events import (
    Broke,
    Drained,
    Event,
    Interrupted,
    LockHeld,
    LockLost,
    LockReleased,
    LockTaken,
    Proved,
    Pruned,
    Restored,
    RollbackEnded,
    Seen,
    Staged,
    Switched,
)
from deploygate.rollout import TABLE, Impossible, Phase, Rollout, Turn, apply, next_action, start

LATER = 5_000.0
EVENTS: tuple[Event, ...] = (
    LockTaken(LATER),
    LockHeld(LATER, "another run"),
    LockLost(LATER, "another run"),
    Staged(LATER),
    Proved(LATER),
    Drained(LATER, ()),
    Switched(LATER),
    Restored(LATER, ()),
    Seen(LATER, ()),
    RollbackEnded(LATER, "done", Ending.ROLLED_BACK),
    Pruned(LATER),
    LockReleased(LATER),
    Interrupted(LATER, "SIGTERM"),
    Broke(LATER, "a defect"),
)
EXPECTED: dict[Phase, set[type[Event]]] = {
    Phase.LOCKING: {LockTaken, LockHeld},
    Phase.STAGING: {Staged},
    Phase.PROVING: {Proved},
    Phase.CONFIRMING: {Seen},
    Phase.READY: {Seen, Drained, Switched, Restored},
    Phase.WATCHING: {Seen},
    Phase.CONTAINING: {Drained, Switched},
    Phase.CHECKING: {Seen},
    Phase.RAISING: {RollbackEnded, Restored},
    Phase.CLAIMING: {LockTaken, LockHeld},
    Phase.PROVING_BACK: {Proved},
    Phase.UNDOING: {Seen, Drained, Switched, Restored},
    Phase.VERIFYING: {Seen},
    Phase.CLOSING: {Seen, Restored, LockLost, Interrupted},
    Phase.PRUNING: {Pruned},
    Phase.UNLOCKING: {LockReleased},
    Phase.ENDED: set(),
}
ENDING = {Phase.CLOSING, Phase.PRUNING, Phase.UNLOCKING, Phase.ENDED}


@pytest.fixture(scope="module")
def states() -> dict[Phase, list[Rollout]]:
    """Return states that simulated runs were really in, by phase."""
    found: dict[Phase, list[Rollout]] = defaultdict(list)
    for seed in range(400):
        for told in simulate(drawn(seed)).told:
            if told.plan is None or told.state is None:
                continue
            state = start(told.plan, told.baseline)
            for event in told.events:
                if len(found[state.phase]) < 40:
                    found[state.phase].append(state)
                state = apply(state, event)
            found[state.phase].append(state)
    return found


def test_every_phase_is_reached(states: dict[Phase, list[Rollout]]) -> None:
    assert set(states) == set(Phase)


@pytest.mark.parametrize("phase", Phase)
@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_each_pair_is_in_the_table_or_impossible(
    states: dict[Phase, list[Rollout]],
    phase: Phase,
    event: Event,
) -> None:
    always = set() if phase in ENDING else {Interrupted, LockLost}
    possible = EXPECTED[phase] | always | (set() if phase is Phase.ENDED else {Broke})
    for state in states[phase]:
        if type(event) in possible:
            after = apply(state, event)
            assert after.phase in {TABLE[pair] for pair in TABLE if pair[0] is phase}
        else:
            with pytest.raises(Impossible):
                apply(state, event)


def test_every_row_of_the_table_is_walked() -> None:
    walked: set[tuple[Phase, Phase]] = set()
    for seed in range(3000):
        for told in simulate(drawn(seed)).told:
            if told.plan and told.state:
                state = start(told.plan, told.baseline)
                for event in told.events:
                    after = apply(state, event)
                    walked.add((state.phase, after.phase))
                    state = after
    rows = {(phase, after) for (phase, turn), after in TABLE.items() if turn not in {Turn.BROKE, Turn.INTERRUPTED}}
    never_simulated = {(Phase.LOCKING, Phase.CLOSING), (Phase.CLAIMING, Phase.CLOSING)}  # one gate at a time there
    assert rows - walked <= never_simulated


def test_only_an_ended_run_has_nothing_to_do(states: dict[Phase, list[Rollout]]) -> None:
    for phase, some in states.items():
        for state in some:
            assert (next_action(state) is None) == (phase is Phase.ENDED)
            assert (state.ending is None) <= (phase not in ENDING)
