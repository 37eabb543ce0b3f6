"""The table of (phase, turn) -> phase. What is not in it is impossible, and says so."""

from enum import StrEnum


class Phase(StrEnum):
    """Where a run is."""

    LOCKING = "locking"
    STAGING = "staging"
    PROVING = "proving"
    CONFIRMING = "confirming"
    READY = "ready"
    WATCHING = "watching"
    CONTAINING = "containing"
    CHECKING = "checking"
    RAISING = "raising"
    CLAIMING = "claiming"
    PROVING_BACK = "proving_back"
    UNDOING = "undoing"
    VERIFYING = "verifying"
    CLOSING = "closing"
    PRUNING = "pruning"
    UNLOCKING = "unlocking"
    ENDED = "ended"


class Turn(StrEnum):
    """What an event means in the phase that it meets."""

    GRANTED = "the lock is ours"
    HELD = "another run holds the lock"
    DONE = "done"
    TROUBLE = "not possible"
    AGAIN = "not decided yet"
    DRAINED = "out of the balancer"
    RESTORED = "in the balancer again"
    SWITCHED = "switched"
    PASSED = "it passed"
    ALL_PASSED = "every instance passed"
    UNTOLD = "an untouched instance is not well"
    FAILED = "an instance failed"
    BLOCKED = "the floor would be broken"
    RESUME = "contained, within the budget"
    WATCH_ON = "an earlier one contained, within the budget"
    HALTED = "halted by policy"
    RAISE = "contained, the rest must come back"
    UNDONE = "everything is back"
    NOT_RAISED = "no rollback was raised, or it failed"
    FOUND = "some run the old version already"
    SETTLED = "nothing is left to take back"
    INTERRUPTED = "interrupted, or the lock was lost"
    BROKE = "the gate itself broke"


class Impossible(Exception):  # noqa: N818 - what the table says of a pair, not an error's name
    """A pair of phase and event that the table does not have: a defect in the gate."""


TABLE: dict[tuple[Phase, Turn], Phase] = {
    (Phase.LOCKING, Turn.GRANTED): Phase.STAGING,
    (Phase.LOCKING, Turn.HELD): Phase.CLOSING,
    (Phase.STAGING, Turn.DONE): Phase.PROVING,
    (Phase.STAGING, Turn.TROUBLE): Phase.CLOSING,
    (Phase.PROVING, Turn.DONE): Phase.CONFIRMING,
    (Phase.PROVING, Turn.TROUBLE): Phase.CLOSING,
    (Phase.CONFIRMING, Turn.DONE): Phase.READY,
    (Phase.CONFIRMING, Turn.TROUBLE): Phase.CLOSING,
    (Phase.READY, Turn.AGAIN): Phase.READY,
    (Phase.READY, Turn.DRAINED): Phase.READY,
    (Phase.READY, Turn.RESTORED): Phase.READY,
    (Phase.READY, Turn.SWITCHED): Phase.WATCHING,
    (Phase.READY, Turn.FAILED): Phase.CONTAINING,
    (Phase.READY, Turn.BLOCKED): Phase.RAISING,
    (Phase.READY, Turn.HALTED): Phase.CLOSING,
    (Phase.READY, Turn.TROUBLE): Phase.CLOSING,
    (Phase.READY, Turn.ALL_PASSED): Phase.PRUNING,
    (Phase.READY, Turn.UNTOLD): Phase.CLOSING,
    (Phase.WATCHING, Turn.AGAIN): Phase.WATCHING,
    (Phase.WATCHING, Turn.PASSED): Phase.READY,
    (Phase.WATCHING, Turn.HALTED): Phase.CLOSING,
    (Phase.WATCHING, Turn.FAILED): Phase.CONTAINING,
    (Phase.CONTAINING, Turn.DRAINED): Phase.CONTAINING,
    (Phase.CONTAINING, Turn.SWITCHED): Phase.CHECKING,
    (Phase.CONTAINING, Turn.HALTED): Phase.CLOSING,
    (Phase.CONTAINING, Turn.RAISE): Phase.RAISING,
    (Phase.CHECKING, Turn.AGAIN): Phase.CHECKING,
    (Phase.CHECKING, Turn.RESUME): Phase.READY,
    (Phase.CHECKING, Turn.WATCH_ON): Phase.WATCHING,
    (Phase.CHECKING, Turn.HALTED): Phase.CLOSING,
    (Phase.CHECKING, Turn.RAISE): Phase.RAISING,
    (Phase.CHECKING, Turn.UNDONE): Phase.CLOSING,
    (Phase.RAISING, Turn.RESTORED): Phase.RAISING,
    (Phase.RAISING, Turn.UNDONE): Phase.CLOSING,
    (Phase.RAISING, Turn.NOT_RAISED): Phase.CLAIMING,
    (Phase.CLAIMING, Turn.GRANTED): Phase.PROVING_BACK,
    (Phase.CLAIMING, Turn.HELD): Phase.CLOSING,
    (Phase.PROVING_BACK, Turn.DONE): Phase.UNDOING,
    (Phase.PROVING_BACK, Turn.SETTLED): Phase.CLOSING,
    (Phase.UNDOING, Turn.AGAIN): Phase.UNDOING,
    (Phase.UNDOING, Turn.DRAINED): Phase.UNDOING,
    (Phase.UNDOING, Turn.RESTORED): Phase.UNDOING,
    (Phase.UNDOING, Turn.SWITCHED): Phase.VERIFYING,
    (Phase.UNDOING, Turn.FOUND): Phase.VERIFYING,
    (Phase.UNDOING, Turn.SETTLED): Phase.CLOSING,
    (Phase.VERIFYING, Turn.AGAIN): Phase.VERIFYING,
    (Phase.VERIFYING, Turn.DONE): Phase.UNDOING,
    (Phase.VERIFYING, Turn.SETTLED): Phase.CLOSING,
    (Phase.CLOSING, Turn.AGAIN): Phase.CLOSING,
    (Phase.CLOSING, Turn.RESTORED): Phase.CLOSING,
    (Phase.CLOSING, Turn.DONE): Phase.UNLOCKING,
    (Phase.PRUNING, Turn.DONE): Phase.UNLOCKING,
    (Phase.UNLOCKING, Turn.DONE): Phase.ENDED,
    # Before the first change, a defect of the gate ends the run; after it, the fleet is taken back.
    (Phase.LOCKING, Turn.BROKE): Phase.CLOSING,
    (Phase.STAGING, Turn.BROKE): Phase.CLOSING,
    (Phase.PROVING, Turn.BROKE): Phase.CLOSING,
    (Phase.CONFIRMING, Turn.BROKE): Phase.CLOSING,
    (Phase.READY, Turn.BROKE): Phase.RAISING,
    (Phase.WATCHING, Turn.BROKE): Phase.RAISING,
    (Phase.CLAIMING, Turn.BROKE): Phase.PROVING_BACK,
    **{
        (phase, Turn.INTERRUPTED): Phase.CLOSING
        for phase in Phase
        if phase not in {Phase.CLOSING, Phase.PRUNING, Phase.UNLOCKING, Phase.ENDED}
    },
}


def diagram() -> str:
    """Return the table as a Mermaid state diagram, for the docs."""
    lines = ["stateDiagram-v2", "    [*] --> locking: deploy", "    [*] --> claiming: rollback"]
    lines += [
        f"    {phase} --> {after}: {turn}"
        for (phase, turn), after in TABLE.items()
        if turn not in {Turn.INTERRUPTED, Turn.BROKE}
    ]
    return "\n".join([*lines, "    ended --> [*]", ""])
