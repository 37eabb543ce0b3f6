"""How a run can end: one closed list, used alike in exit codes, outputs, statuses and the journal."""

from enum import StrEnum


class Ending(StrEnum):
    """The terminal states of every run, and of a check. What each one means stands in docs/endings.md."""

    DEPLOYED = "deployed"
    ALREADY_THERE = "already_there"
    SOUND = "sound"
    REFUSED = "refused"
    LOCKED = "locked"
    ROLLED_BACK = "rolled_back"
    MIXED = "mixed"
    ROLLBACK_FAILED = "rollback_failed"
    CANNOT_TELL = "cannot_tell"
    INTERRUPTED = "interrupted"
    USAGE_ERROR = "usage_error"
    INVENTORY_ERROR = "inventory_error"
    INTERNAL_ERROR = "internal_error"


class Goal(StrEnum):
    """What a run was asked for: a version on the fleet, the way back from one, or only traffic where it belongs."""

    DEPLOY = "deploy"
    ROLLBACK = "rollback"
    RESTORE = "restore"


EXIT_CODES: dict[Ending, int] = {
    Ending.DEPLOYED: 0,
    Ending.ALREADY_THERE: 0,
    Ending.SOUND: 0,
    Ending.INTERNAL_ERROR: 1,
    Ending.USAGE_ERROR: 2,
    Ending.INVENTORY_ERROR: 3,
    Ending.REFUSED: 4,
    Ending.LOCKED: 5,
    Ending.ROLLED_BACK: 6,
    Ending.MIXED: 7,
    Ending.ROLLBACK_FAILED: 8,
    Ending.CANNOT_TELL: 9,
    Ending.INTERRUPTED: 10,
}

MEANINGS: dict[Ending, str] = {
    Ending.DEPLOYED: "every instance answers, healthy, with the version that was asked for",
    Ending.ALREADY_THERE: "nothing to do: every instance was already there; nothing was restarted",
    Ending.SOUND: "a check found nothing that stands in the way; nothing was touched",
    Ending.REFUSED: "a check before the start said no; nothing was touched",
    Ending.LOCKED: "another run holds this service; nothing was touched",
    Ending.ROLLED_BACK: "every touched instance was taken back and verified at its old version",
    Ending.MIXED: "two versions are in the fleet: halted by policy, or some instances owe the new one",
    Ending.ROLLBACK_FAILED: "at least one instance could not be taken back: look at it now",
    Ending.CANNOT_TELL: "not every instance could be shown to be well; that is not a pass",
    Ending.INTERRUPTED: "stopped from outside; run it again to finish, or roll back",
    Ending.USAGE_ERROR: "the command line is wrong; nothing was touched",
    Ending.INVENTORY_ERROR: "the inventory has errors; nothing was touched",
    Ending.INTERNAL_ERROR: "a defect in the gate itself; the journal says how far it came",
}


_WANTED = {
    Goal.DEPLOY: Ending.DEPLOYED,
    Goal.ROLLBACK: Ending.ROLLED_BACK,
    Goal.RESTORE: Ending.ALREADY_THERE,  # no process was changed
}


def succeeded(ending: Ending, goal: Goal) -> bool:
    """Tell whether a run got what it was asked for; a deploy that was rolled back never did."""
    return ending in {Ending.ALREADY_THERE, Ending.SOUND, _WANTED[goal]}


def exit_code(ending: Ending, goal: Goal = Goal.DEPLOY) -> int:
    """Return 0 where the run got what it was asked for, else the ending's own code."""
    return 0 if succeeded(ending, goal) else EXIT_CODES[ending]
