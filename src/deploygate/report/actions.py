"""Actions, a line each."""

from collections.abc import Sequence

from deploygate.events import (
    Action,
    Change,
    Drain,
    Look,
    Prove,
    Prune,
    RaiseRollback,
    ReleaseLock,
    Restore,
    Stage,
    Switch,
    TakeLock,
)
from deploygate.report.forms import SCHEMA, json_text
from deploygate.wording import count, seconds


def action_line(action: Action) -> str:
    """Return an action as a line for people."""
    match action:
        case TakeLock(rank):
            return f"take the lock, as a {rank}"
        case Stage(releases):
            versions = ", ".join(sorted({one.version for one in releases}))
            return f"stage {versions or 'nothing'} beside what runs ({count(len(releases), 'instance')})"
        case Prove(releases):
            versions = ", ".join(sorted({one.version for one in releases}))
            return f"prove that {versions or 'nothing'} can be started, forwards and back"
        case Switch(changes):
            return "; ".join(change_line(change) for change in changes)
        case Drain(names, patience):
            return f"take {', '.join(names)} out of the balancer, waiting {seconds(patience)} at most for connections"
        case Restore(names):
            return f"put {', '.join(names)} back into the balancer"
        case Look(names):
            return f"look at {', '.join(names[:4])}{' and others' if len(names) > 4 else ''}"
        case RaiseRollback(reason):
            return f"raise the rollback: {reason}"
        case Prune(_, protect):
            return f"remove old releases, but never {', '.join(protect)}"
        case ReleaseLock():
            return "let go of the lock"


def change_line(change: Change) -> str:
    """Return one change as people say it: `adcaster-1: kill 1.2, start 2.0`."""
    stop = f"kill {change.stop}, " if change.stop else ""
    return f"{change.instance}: {stop}" + (f"start {change.start}" if change.start else "start nothing")


def actions_json(lines: Sequence[str]) -> str:
    """Return the actions of a rehearsal for a program, `schema: 1`."""
    return json_text({"schema": SCHEMA, "actions": list(lines)})
