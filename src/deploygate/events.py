"""What the machine asks for (actions) and what came of it (events): the words of the journal."""

import msgspec

from deploygate.endings import Ending, Goal
from deploygate.names import InstanceName, RunId, Version
from deploygate.probe import Sighting


class Trouble(msgspec.Struct, frozen=True, omit_defaults=True):
    """What went wrong with one instance, in one line; `by` names the run that has its host now, where that is why."""

    instance: InstanceName
    says: str
    by: str = ""


class Start(msgspec.Struct, frozen=True):
    """A release that must be startable on an instance."""

    instance: InstanceName
    version: Version


class Change(msgspec.Struct, frozen=True):
    """Kill what runs on an instance (`stop`, as far as known) and start `start` (None: start nothing).

    With `keep`, a living process of `start` is left alone: the way back may be gone twice.
    """

    instance: InstanceName
    stop: Version | None
    start: Version | None
    keep: bool = False


class TakeLock(msgspec.Struct, frozen=True, tag=True, omit_defaults=True):
    """Hold the service and its hosts, for `lasts` seconds at the most; a rollback outranks a deploy."""

    rank: Goal
    instances: tuple[InstanceName, ...] = ()
    lasts: float = 0.0


class Stage(msgspec.Struct, frozen=True, tag=True):
    """Install the releases beside the running ones, on all instances at once; harmless."""

    releases: tuple[Start, ...]


class Prove(msgspec.Struct, frozen=True, tag=True):
    """Show that each of these could be started: installed, complete, executable; `unchanged`: and as staged."""

    releases: tuple[Start, ...]
    unchanged: bool


class Drain(msgspec.Struct, frozen=True, tag=True):
    """Take these instances out of the balancer, and wait `patience` seconds at the most for their connections."""

    instances: tuple[InstanceName, ...]
    patience: float


class Restore(msgspec.Struct, frozen=True, tag=True):
    """Put these instances back into the balancer."""

    instances: tuple[InstanceName, ...]


class Switch(msgspec.Struct, frozen=True, tag=True):
    """Change these instances, at once."""

    changes: tuple[Change, ...]


class Look(msgspec.Struct, frozen=True, tag=True):
    """Ask these instances how they are, at `at` seconds or as soon as possible after."""

    instances: tuple[InstanceName, ...]
    at: float


class RaiseRollback(msgspec.Struct, frozen=True, tag=True):
    """Start the rollback workflow for what this run has changed, and follow it to its end."""

    reason: str
    budget: float


class Prune(msgspec.Struct, frozen=True, tag=True):
    """Remove old releases, never one of `protect`."""

    instances: tuple[InstanceName, ...]
    protect: tuple[Version, ...]


class ReleaseLock(msgspec.Struct, frozen=True, tag=True, omit_defaults=True):
    """Let go of the service and its hosts, where this run still holds them."""

    instances: tuple[InstanceName, ...] = ()


Action = TakeLock | Stage | Prove | Drain | Switch | Restore | Look | RaiseRollback | Prune | ReleaseLock


class LockTaken(msgspec.Struct, frozen=True, tag=True, omit_defaults=True):
    """This run holds the service; `over` names the run it was taken from."""

    at: float
    over: str = ""


class LockHeld(msgspec.Struct, frozen=True, tag=True):
    """Another run, which is alive, holds the service."""

    at: float
    by: str


class LockLost(msgspec.Struct, frozen=True, tag=True):
    """The lock was found in other hands before a change; the change was not made."""

    at: float
    by: str


class Staged(msgspec.Struct, frozen=True, tag=True, omit_defaults=True):
    """The releases are installed, but for the troubles."""

    at: float
    troubles: tuple[Trouble, ...] = ()


class Proved(msgspec.Struct, frozen=True, tag=True, omit_defaults=True):
    """The releases are startable, but for the troubles."""

    at: float
    troubles: tuple[Trouble, ...] = ()


class Drained(msgspec.Struct, frozen=True, tag=True, omit_defaults=True):
    """The instances are out of service, but for the troubles."""

    at: float
    instances: tuple[InstanceName, ...]
    troubles: tuple[Trouble, ...] = ()


class Restored(msgspec.Struct, frozen=True, tag=True, omit_defaults=True):
    """The instances are in service, but for the troubles."""

    at: float
    instances: tuple[InstanceName, ...]
    troubles: tuple[Trouble, ...] = ()


class Switched(msgspec.Struct, frozen=True, tag=True, omit_defaults=True):
    """The processes were changed, but for the troubles."""

    at: float
    troubles: tuple[Trouble, ...] = ()


class Seen(msgspec.Struct, frozen=True, tag=True):
    """What the instances answered."""

    at: float
    sightings: tuple[Sighting, ...]


class RollbackEnded(msgspec.Struct, frozen=True, tag=True, omit_defaults=True):
    """The raised rollback came to an end; without one (`ending` None) it could not be raised or followed."""

    at: float
    says: str
    ending: Ending | None = None
    run: RunId = RunId("")


class Pruned(msgspec.Struct, frozen=True, tag=True, omit_defaults=True):
    """Old releases were removed."""

    at: float
    versions: tuple[Version, ...] = ()


class LockReleased(msgspec.Struct, frozen=True, tag=True):
    """The service is free."""

    at: float


class Interrupted(msgspec.Struct, frozen=True, tag=True):
    """Somebody asked the run to stop."""

    at: float
    says: str


class Broke(msgspec.Struct, frozen=True, tag=True):
    """Performing the action failed in a way that nobody foresaw."""

    at: float
    says: str


Event = (
    LockTaken
    | LockHeld
    | LockLost
    | Staged
    | Proved
    | Drained
    | Switched
    | Restored
    | Seen
    | RollbackEnded
    | Pruned
    | LockReleased
    | Interrupted
    | Broke
)
