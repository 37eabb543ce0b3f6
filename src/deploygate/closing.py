"""How a run ended, as the one line and the state that a forge shows of it; and what such a line tells."""

import dataclasses
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from deploygate.endings import Ending, succeeded
from deploygate.events import Action, Drain, Event, Restored, Switch
from deploygate.names import NAME, Environment, InstanceName
from deploygate.plan import Plan
from deploygate.wording import plain

LONGEST = 140  # characters that a forge shows of a status
_LEAST_SAID = 40  # characters that the reason keeps beside the names of instances
_ALL = "*"  # in place of names that would not fit
_FINAL = {"success", "failure", "error", "inactive"}
_UNDECIDED = {Ending.INTERRUPTED, Ending.INTERNAL_ERROR, Ending.CANNOT_TELL}
_SAID = re.compile(
    r"(?P<ending>[a-z_]+)(?P<bad> bad)?(?: owes (?P<owes>[^ :]+))?(?: out (?P<out>[^ :]+))?(?:: (?P<says>.*))?"
)


@dataclass(frozen=True, slots=True)
class Said:
    """One status of a record: its state, its line, and when, in seconds."""

    state: str
    says: str
    at: float = 0.0


@dataclass(frozen=True, slots=True)
class Closing:
    """How a run ended, as the line of a status tells it; `owes` and `out` are None where that did not fit."""

    ending: Ending
    bad: bool
    owes: tuple[InstanceName, ...] | None
    out: tuple[InstanceName, ...] | None
    says: str
    at: float = 0.0


@dataclass(slots=True)
class Course:
    """How far a run has come, by its plan's environments: a fold over what it writes into its journal."""

    plan: Plan
    reached: dict[Environment, None] = field(default_factory=dict)
    forward: set[InstanceName] = field(default_factory=set)
    back: set[InstanceName] = field(default_factory=set)
    out: dict[InstanceName, None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.out |= dict.fromkeys(self.plan.out)

    def before(self, action: Action) -> tuple[Environment, ...]:
        """Take in what is about to be done, and return the environments that are changed for the first time."""
        if isinstance(action, Drain):
            self.out |= dict.fromkeys(action.instances)
        if not isinstance(action, Switch):
            return ()
        for change in action.changes:
            (self.forward if change.start == self.plan.version else self.back).add(change.instance)
        places = dict.fromkeys(self.plan.instances[change.instance] for change in action.changes)
        new = tuple(place for place in places if place not in self.reached)
        self.reached |= dict.fromkeys(new)
        return new

    def after(self, event: Event) -> None:
        """Take in what came of it."""
        if isinstance(event, Restored):
            failed = {trouble.instance for trouble in event.troubles}
            for name in event.instances:
                if name not in failed:
                    self.out.pop(name, None)

    def state(self, environment: Environment, ending: Ending, debts: Sequence[InstanceName]) -> str:
        """Return the state that an environment is left in: `inactive` where it was not touched."""
        if succeeded(ending, self.plan.goal):
            return "success"
        if environment not in self.reached:
            return "inactive"
        moved = {move.instance for move in self.plan.moves if move.environment == environment}
        if ending is Ending.MIXED and moved <= self.forward and not moved & (self.back | set(debts)):
            return "success"
        return "error" if ending in _UNDECIDED else "failure"


def description(
    ending: Ending,
    says: str = "",
    *,
    bad: bool = False,
    debts: Sequence[InstanceName] = (),
    out: Sequence[InstanceName] | None = (),
) -> str:
    """Return the line that closes a record: `<ending>[ bad][ owes a,b][ out a,b][: <says>]`.

    `out` are left out of the balancer; None: that is not known. Names that do not fit, or are not known, are `*`: a
    reader takes it that each of the environment may be meant.
    """
    head = f"{ending}{' bad' if bad else ''}"
    for word, names in (("owes", debts), ("out", (InstanceName(_ALL),) if out is None else out)):
        told = f" {word} {','.join(names)}" if names else ""
        fits = len(head) + len(told) <= LONGEST - _LEAST_SAID
        head += told if fits else f" {word} {_ALL}"
    line = plain(says, LONGEST - len(head) - 2) if says else ""
    return f"{head}: {line}" if line else head


def closing(line: str) -> Closing | None:
    """Return what a line tells of an ending, or nothing where it is not one of ours."""
    found = _SAID.fullmatch(line.strip()) if len(line) <= LONGEST else None
    if found is None or found["ending"] not in set(Ending):
        return None
    try:
        owes, out = _names(found["owes"]), _names(found["out"])
    except ValueError:
        return None
    return Closing(Ending(found["ending"]), bool(found["bad"]), owes, out, plain(found["says"] or "", LONGEST))


def ended(statuses: Sequence[Said]) -> Closing | None:
    """Return how the newest status that closes a record says that it ended; later marks of the forge say nothing."""
    for said in statuses:
        told = closing(said.says)
        if told and said.state in _FINAL:
            return dataclasses.replace(told, at=said.at)
    return None


def _names(text: str | None) -> tuple[InstanceName, ...] | None:
    """Return the names in a line; None for all.

    Raises:
        ValueError: They are none.
    """
    if text is None:
        return ()
    if text == _ALL:
        return None
    names = text.split(",")
    if not all(NAME.fullmatch(name) for name in names):
        raise ValueError(text)
    return tuple(InstanceName(name) for name in names)
