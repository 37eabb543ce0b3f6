"""Which moves go together: waves are sizes, of production only, and the last one goes on."""

import pytest
from made import move, service
from msgspec.structs import replace

from deploygate.inventory import Rollout, Wave
from deploygate.names import PRODUCTION
from deploygate.plan import Move
from deploygate.waves import in_waves

EIGHT = tuple(f"i{number}" for number in range(1, 9))
ONE = move("i1")
MOVES = tuple(replace(ONE, instance=one) for one in EIGHT)


def sizes(waves: tuple[Wave, ...], moves: tuple[Move, ...] = MOVES) -> list[int]:
    found = in_waves(service(places=dict.fromkeys(EIGHT, PRODUCTION), rollout=Rollout(waves=waves)), moves)
    numbers = [one.wave for one in found if one.environment == PRODUCTION]
    return [numbers.count(number) for number in dict.fromkeys(numbers)]


@pytest.mark.parametrize(
    ("waves", "found"),
    [
        ((), [1] * 8),
        ((Wave(1),), [1] * 8),
        ((Wave(1), Wave(2)), [1, 2, 2, 2, 1]),
        ((Wave(1), Wave(2), Wave(3)), [1, 2, 3, 2]),
        ((Wave(1), Wave(25, percent=True)), [1, 2, 2, 2, 1]),
        ((Wave(1), Wave(100, percent=True)), [1, 7]),
        ((Wave(1, percent=True), Wave(30, percent=True)), [1, 2, 2, 2, 1]),
        ((Wave(1), Wave(50)), [1, 7]),
    ],
)
def test_a_wave_is_a_size_and_the_last_one_goes_on_to_the_end(waves: tuple[Wave, ...], found: list[int]) -> None:
    assert sizes(waves) == found


def test_a_share_is_of_the_fleet_and_not_of_what_is_left_to_do() -> None:
    assert sizes((Wave(1), Wave(50, percent=True)), MOVES[3:]) == [1, 4]


def test_a_run_that_resumes_begins_with_the_first_wave_again() -> None:
    assert sizes((Wave(1), Wave(2)), MOVES[5:]) == [1, 2]


def test_other_environments_go_one_by_one() -> None:
    beside = tuple(replace(move("p1"), instance=one) for one in ("p1", "p2", "p3"))
    found = in_waves(service(rollout=Rollout(waves=(Wave(1), Wave(2)))), (*beside, *MOVES[:3]))
    assert len({one.together for one in found[:3]}) == 3
    assert [one.wave for one in found[3:]] == [0, 1, 1]
