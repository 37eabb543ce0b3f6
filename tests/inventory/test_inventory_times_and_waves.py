"""How long a deploy may take at the most, and how many instances the largest wave changes."""

from hypothesis import given
from hypothesis import strategies as st
from made import inventory, name, service

from deploygate.document import Document, Table
from deploygate.inventory import Instance, Rollout, Wave
from deploygate.names import PRODUCTION
from deploygate.plan import undo_seconds, worst_seconds
from deploygate.rules.times import worst_case
from deploygate.rules.waves import waves_floor
from deploygate.ways import Argv, Balancing, HAProxy, Plugin, Programs

NOWHERE = Document(Table(), "services.yml")
DO = Argv(("./do",))
BEFORE = HAProxy(("/run/haproxy/admin.sock",), "ads")
WAVES = st.lists(st.builds(Wave, st.integers(1, 100), percent=st.booleans()), max_size=6).map(
    lambda sizes: (Wave(1), *sizes)
)


def test_connections_are_drained_once_on_the_way_there_and_twice_on_the_way_back() -> None:
    bound = {"grace": 10.0, "deadline": 20.0}
    assert undo_seconds(4, **bound) == 4 * (10.0 + 20.0)
    assert undo_seconds(4, **bound, drain=5.0) == 4 * (5.0 + 10.0 + 20.0)
    without = worst_seconds(4, **bound, bake=7.0)
    assert worst_seconds(4, **bound, bake=7.0, drain=5.0) == without + 4 * 5.0 + 2 * 4 * 5.0
    assert worst_seconds(0, **bound, bake=7.0, drain=5.0, back_in=3.0) == 0.0


def test_whom_the_balancer_does_not_take_in_at_once_is_waited_for_on_each_way_back() -> None:
    bound = {"grace": 10.0, "deadline": 20.0}
    undo = 4 * (10.0 + 20.0 + 3.0) + 20.0 + 3.0
    assert undo_seconds(4, **bound, back_in=3.0) == undo
    without = worst_seconds(4, **bound, bake=7.0)
    assert worst_seconds(4, **bound, bake=7.0, back_in=3.0) == without + 4 * 3.0 + 2 * (4 * 3.0 + 20.0 + 3.0)


def test_the_longest_deploy_counts_what_the_driver_and_the_balancer_may_take() -> None:
    assert worst_case(service()) == worst_seconds(4, grace=10.0, deadline=20.0, bake=7.0)
    balanced = service(balancer=Balancing(BEFORE, drain=5.0))
    assert worst_case(balanced) == worst_seconds(4, grace=10.0, deadline=20.0, bake=7.0, drain=5.0, back_in=10.0)
    programs = service(deploy=Programs(DO, DO, DO, timeout=50.0, grace=3.0))
    assert worst_case(programs) == worst_seconds(4, grace=50.0, deadline=20.0, bake=7.0)
    plugged = service(deploy=Plugin("nomad", grace=3.0))
    assert worst_case(plugged) == worst_seconds(4, grace=3.0, deadline=20.0, bake=7.0)


def complaints(fleet: int, rollout: Rollout) -> list[str]:
    instances = tuple(Instance(name(f"i{one}"), PRODUCTION, f"http://a{one}") for one in range(fleet))
    found = waves_floor(inventory(service(instances=instances, rollout=rollout)), NOWHERE)
    return [one.help for one in found]


@given(fleet=st.integers(1, 60), waves=WAVES, floor=st.none() | st.integers(0, 60))
def test_the_floor_that_is_advised_lets_every_wave_go_and_no_higher_one_does(
    fleet: int, waves: tuple[Wave, ...], floor: int | None
) -> None:
    for advice in complaints(fleet, Rollout(waves=waves, floor=floor)):
        advised = int(advice.removeprefix("Write `floor: ").partition("`")[0])
        assert complaints(fleet, Rollout(waves=waves, floor=advised)) == []
        assert advised + 1 >= fleet or complaints(fleet, Rollout(waves=waves, floor=advised + 1))


@given(fleet=st.integers(1, 60), floor=st.none() | st.integers(0, 60))
def test_one_at_a_time_never_breaks_the_floor(fleet: int, floor: int | None) -> None:
    assert complaints(fleet, Rollout(waves=(), floor=floor)) == []
    assert complaints(fleet, Rollout(waves=(Wave(1),), floor=floor)) == []


def test_the_last_wave_is_what_is_left() -> None:
    assert complaints(4, Rollout(waves=(Wave(1), Wave(100, percent=True)), floor=1)) == []
    assert complaints(3, Rollout(waves=(Wave(1), Wave(1), Wave(50)))) == []
    assert complaints(4, Rollout(waves=(Wave(1), Wave(100)), floor=2)) == [
        "Write `floor: 1`, or make no wave larger than 2."
    ]
