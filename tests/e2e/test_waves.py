"""Waves on real processes behind a real balancer: shares, a floor that splits them, a failure or a refusal inside."""

import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from .balancing import NO_HAPROXY, HAProxyServer
from .served import Served, out, told
from .test_contracts import LB

pytestmark = pytest.mark.skipif(bool(NO_HAPROXY), reason=NO_HAPROXY)


def sizes(fleet: Served) -> list[int]:
    """Return how many production instances the last run changed at once, switch by switch."""
    return [len(switch) for switch in fleet.switches() if switch[0][0] != "p-1"]


def test_a_share_is_of_the_whole_fleet_and_loses_no_request(tmp_path: Path, stack: ExitStack) -> None:
    fleet = Served(tmp_path, "haproxy", stack, production=8)
    fleet.balance(waves=[1, "25%"], floor=5)
    with fleet.load() as load:
        load.wait_for(50)
        assert fleet.deploy("2.0").end == (0, "deployed")
        assert sizes(fleet) == [1, 2, 2, 2, 1]
    told(load, "haproxy, a roll in waves of 1 and 25% of 8")
    assert fleet.versions() == fleet.all_at("2.0")


def test_a_wave_is_split_where_the_floor_would_be_broken_since_another_is_out_of_service(
    tmp_path: Path, stack: ExitStack
) -> None:
    fleet = Served(tmp_path, "haproxy", stack, production=5)
    fleet.balance(waves=[1, 3], floor=2, bake="2s")
    assert isinstance(fleet.server, HAProxyServer)
    with fleet.load() as load:
        load.wait_for(50)
        gate = fleet.begin("deploy", "Svc", "2.0")
        fleet.began(gate, ("s-1", "2.0"))
        fleet.server.told("set server adcaster/s-5 state maint")
        fleet.wait(lambda: len(fleet.switches(1)) > 2, gate)
        fleet.server.told("set server adcaster/s-5 state ready")
        done = gate.told()
    assert done.end == (0, "deployed"), done
    assert fleet.switches()[2] == [("s-2", "2.0"), ("s-3", "2.0")]
    assert sum(sizes(fleet)) == 5
    told(load, "haproxy, a wave of 3 that the floor splits")


def test_a_failure_inside_a_wave_within_the_budget_takes_that_one_back_alone(tmp_path: Path, stack: ExitStack) -> None:
    fleet = Served(tmp_path, "haproxy", stack, production=5)
    fleet.balance(waves=[1, 2], floor=2, failure_budget=1)
    fleet.release("2.0", at={"s-3": {"ill_after": 0}})
    with fleet.load() as load:
        load.wait_for(50)
        done = fleet.deploy("2.0")
        load.wait_for(50)
    told(load, "haproxy, a failure inside a wave within the budget")
    assert done.end == (7, "mixed"), done
    assert done.states == dict.fromkeys(fleet.names, "updated") | {"s-3": "debt: left at its old version"}
    assert fleet.switches()[2:] == [
        [("s-2", "2.0"), ("s-3", "2.0")], [("s-3", "1.0")], [("s-4", "2.0"), ("s-5", "2.0")],
    ]  # fmt: skip
    assert fleet.versions() == fleet.all_at("2.0") | {"s-3": "1.0"}
    assert out(fleet) == set()


def test_a_failure_inside_a_wave_beyond_the_budget_takes_all_back(tmp_path: Path, stack: ExitStack) -> None:
    fleet = Served(tmp_path, "haproxy", stack, production=5)
    fleet.balance(waves=[1, 2], floor=2, failure_budget=1)
    fleet.release("2.0", at={name: {"ill_after": 0} for name in ("s-2", "s-3")})
    with fleet.load() as load:
        load.wait_for(50)
        assert fleet.deploy("2.0").end == (6, "rolled_back")
        load.wait_for(50)
    told(load, "haproxy, two failures inside a wave beyond the budget")
    assert fleet.versions() == fleet.all_at("1.0")
    assert out(fleet) == set()
    assert not [name for switch in fleet.switches(1) for name, _ in switch if name in {"s-4", "s-5"}]


class Refusing(Served):
    """Behind a HAProxy that a program of the user's own tells, which refuses an instance that is pinned."""

    def balancer(self) -> dict[str, Any]:
        (self.folder / "lb.py").write_text(LB)
        words = [sys.executable, "-I", "-S", "lb.py", self.server.unix]  # type: ignore[union-attr]
        no = '[ ! -e "pinned-$DEPLOYGATE_INSTANCE" ] || { echo "it is pinned" >&2; exit 1; }; exec "$@"'
        by = {
            "drain": ["sh", "-c", no, "drain", *words, "out"],
            "restore": [*words, "in"],
            "status": [*words, "status"],
        }
        return {"balancer": {"command": by, "drain": "2s"}}


def test_what_a_balancer_refuses_in_the_middle_of_a_wave_is_not_killed_and_all_are_taken_back(
    tmp_path: Path, stack: ExitStack
) -> None:
    fleet = Refusing(tmp_path, "haproxy", stack, production=4)
    fleet.balance(waves=[1, 2], floor=2)
    before = fleet.pid("s-3")
    (tmp_path / "pinned-s-3").touch()
    with fleet.load() as load:
        load.wait_for(50)
        done = fleet.deploy("2.0")
        load.wait_for(50)
    told(load, "a balancer that refuses in the middle of a wave")
    assert done.end == (6, "rolled_back"), done
    assert done.why == "s-3: can't be taken out of the balancer: the balancer's drain exited with 1: it is pinned"
    assert fleet.versions() == fleet.all_at("1.0")
    assert fleet.pid("s-3") == before
    assert out(fleet) == set()
    assert [name for switch in fleet.switches(1) for name, _ in switch] == ["p-1", "s-1"]
