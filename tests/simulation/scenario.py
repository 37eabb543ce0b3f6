"""What goes wrong in one simulated rollout: drawn by chance from a seed, or by hypothesis."""

import random
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypedDict

from deploygate.inventory import BackKind, Wave
from deploygate.names import InstanceName

OLD, NEW = "1.0", "2.0"


class Fault(StrEnum):
    """How a release behaves on an instance, or what befalls the instance."""

    ILL = "answers ill"
    WRONG = "healthy, but names the old version"
    NAMELESS = "healthy, but names no version"
    SILENT = "never answers in time"
    DIES = "its process dies at once"
    LATE = "falls ill after it was good for a while"
    LATE_DEATH = "dies after it was good for a while"
    FLAPS = "good and ill in turns"
    SLOW = "starts slowly"
    NO_START = "can't be started"
    NO_STOP = "what runs there can't be stopped"
    OLD_ILL = "the old release is ill when it comes back"
    OLD_LATE = "the old release falls ill soon after it came back"
    OLD_GONE = "the old release is not installed"
    OLD_LOST = "the old release is removed in the middle"
    NEVER_STAGED = "the new release can't be staged"
    HOST_LOST = "the host goes away in the middle"


class Raising(StrEnum):
    """What becomes of a raised rollback."""

    WORKS = "works"
    CANNOT = "cannot be raised"
    DIES = "dies in the middle"


@dataclass(frozen=True, slots=True)
class Scenario:
    """One simulated rollout.

    `killed_at` and `stopped_at` count the gate's calls to the world; `then` is what is done after a kill or a
    stop (nothing where it is empty), with all faults taken away if `healed`; a late fault shows after `good_for`
    seconds. `balanced` fleets stand behind a balancer, which does not obey for the `jammed`; with `restores`, traffic
    is put right first. `back` is what the new release says of the way back from it. At the calls `overtaken` of the
    deploy somebody plans a rollback by hand, and takes the lock for it; `elsewhere`, on another machine.
    """

    parallel: int = 1
    production: int = 3
    faults: dict[InstanceName, Fault] = field(default_factory=dict)
    down: frozenset[InstanceName] = frozenset()
    good_for: float = 2.5
    raising: Raising = Raising.WORKS
    killed_at: int | None = None
    stopped_at: int | None = None
    then: str = "deploy"
    healed: bool = False
    broken: bool = False
    halt: bool = False
    budget: int = 0
    floor: int | None = None
    balanced: bool = False
    jammed: frozenset[InstanceName] = frozenset()
    waves: tuple[Wave, ...] = ()
    restores: bool = False
    back: BackKind = BackKind.ALLOWED
    overtaken: tuple[int, int] | None = None
    elsewhere: bool = False

    @property
    def names(self) -> tuple[InstanceName, ...]:
        """All instances, in the inventory's order."""
        parallel = [InstanceName(f"p{number}") for number in range(1, self.parallel + 1)]
        return (*parallel, *(InstanceName(f"i{number}") for number in range(1, self.production + 1)))


def drawn(seed: int) -> Scenario:
    """Return the scenario of a seed."""
    dice = random.Random(seed)
    parallel, production = dice.choice((0, 1, 1, 2)), dice.choice((1, 2, 3, 3, 4, 6))
    names = Scenario(parallel, production).names
    faulty = dice.sample(names, min(len(names), dice.choice((0, 0, 1, 1, 1, 2, 3))))
    down = frozenset(dice.sample(names, 1)) if dice.random() < 0.1 else frozenset[InstanceName]()
    return Scenario(
        parallel=parallel,
        production=production,
        faults={name: dice.choice(list(Fault)) for name in faulty},
        down=down,
        good_for=dice.choice((0.5, 2.5, dice.uniform(0, 20))),
        raising=dice.choice((Raising.WORKS, Raising.WORKS, Raising.CANNOT, Raising.DIES)),
        killed_at=dice.randrange(120) if dice.random() < 0.3 else None,
        stopped_at=dice.randrange(120) if dice.random() < 0.15 else None,
        then=dice.choice(("deploy", "rollback")),
        healed=dice.random() < 0.5,
        broken=dice.random() < 0.5,
        halt=dice.random() < 0.15,
        budget=dice.choice((0, 0, 0, 1, 2)),
        floor=dice.choice((None, None, None, 0, 1)),
        **_later(random.Random(-seed), names),
    )


class _Later(TypedDict):
    balanced: bool
    jammed: frozenset[InstanceName]
    waves: tuple[Wave, ...]
    restores: bool
    back: BackKind
    overtaken: tuple[int, int] | None
    elsewhere: bool


def _later(dice: random.Random, names: tuple[InstanceName, ...]) -> _Later:
    """Draw what came later, from dice of its own: the rest of a seed's scenario stays as it was."""
    balanced = dice.random() < 0.5
    jammed = frozenset(dice.sample(names, 1)) if balanced and dice.random() < 0.15 else frozenset[InstanceName]()
    waves = dice.choice(((), (), (Wave(1), Wave(2)), (Wave(1), Wave(50, percent=True), Wave(100, percent=True))))
    restores = balanced and dice.random() < 0.3
    back = dice.choice((*[BackKind.ALLOWED] * 5, BackKind.MANUAL, BackKind.FORBIDDEN))
    begun = dice.randrange(120)
    overtaken = (begun, begun + dice.choice((0, dice.randrange(60)))) if dice.random() < 0.2 else None
    return _Later(
        balanced=balanced,
        jammed=jammed,
        waves=waves,
        restores=restores,
        back=back,
        overtaken=overtaken,
        elsewhere=dice.random() < 0.5,
    )
