"""Which moves go together: in production the waves that the service asks for, elsewhere one by one."""

from collections.abc import Iterator
from itertools import count, repeat

from msgspec.structs import replace

from deploygate.inventory import Service, Wave
from deploygate.names import PRODUCTION
from deploygate.plan import Move


def in_waves(service: Service, moves: tuple[Move, ...]) -> tuple[Move, ...]:
    """Return the moves with the number of the wave of each; a share is one of the service's production instances."""
    numbers = _numbers(service.rollout.waves or (Wave(1),), len(service.within(PRODUCTION)))
    return tuple(
        replace(move, wave=next(numbers) if move.environment == PRODUCTION else at) for at, move in enumerate(moves)
    )


def _numbers(waves: tuple[Wave, ...], fleet: int) -> Iterator[int]:
    """Give the number of the wave of one instance after the other; the last size goes on for ever."""
    for number in count():
        yield from repeat(number, waves[min(number, len(waves) - 1)].of(fleet))
