"""Whole rolls behind real balancers, and over ssh, under load: no request is lost, on the way forward or back."""

from contextlib import ExitStack
from pathlib import Path

import pytest

from .balancing import NO_HAPROXY, NO_NGINX, HAProxyServer
from .served import Served, out, told
from .ssh_fleet import disks

BALANCERS = [
    pytest.param("haproxy", marks=pytest.mark.skipif(bool(NO_HAPROXY), reason=NO_HAPROXY)),
    pytest.param("nginx", marks=pytest.mark.skipif(bool(NO_NGINX), reason=NO_NGINX)),
]


@pytest.mark.parametrize("kind", BALANCERS)
def test_a_roll_and_a_rollback_by_hand_lose_no_request(kind: str, tmp_path: Path, stack: ExitStack) -> None:
    fleet = Served(tmp_path, kind, stack)
    with fleet.load() as load:
        load.wait_for(50)
        assert fleet.deploy("2.0").end == (0, "deployed")
        assert fleet.rollback().end == (0, "rolled_back")
        load.wait_for(50)
    told(load, f"{kind}, a roll and a rollback")
    assert {said.split('"')[3] for said in load.result().answers} == {"1.0", "2.0"}
    assert fleet.versions() == fleet.all_at("1.0")


@pytest.mark.parametrize("kind", BALANCERS)
def test_a_version_that_falls_ill_is_taken_back_and_loses_no_request(
    kind: str, tmp_path: Path, stack: ExitStack
) -> None:
    fleet = Served(tmp_path, kind, stack)
    fleet.release("2.0", at={"s-3": {"ill_after": 0}})
    with fleet.load() as load:
        load.wait_for(50)
        account = fleet.deploy("2.0")
        load.wait_for(50)
    assert account.end == (6, "rolled_back")
    told(load, f"{kind}, a roll that fails at the last instance and is taken back")
    assert fleet.versions() == fleet.all_at("1.0")


@pytest.mark.skipif(bool(NO_HAPROXY), reason=NO_HAPROXY)
def test_a_roll_in_waves_loses_no_request(tmp_path: Path, stack: ExitStack) -> None:
    fleet = Served(tmp_path, "haproxy", stack)
    fleet.balance(waves=[1, 2], floor=1)
    with fleet.load() as load:
        load.wait_for(50)
        assert fleet.deploy("2.0").end == (0, "deployed")
    told(load, "haproxy, a roll in waves of 1 and 2")
    assert fleet.switches() == [[("p-1", "2.0")], [("s-1", "2.0")], [("s-2", "2.0"), ("s-3", "2.0")]]


@pytest.mark.skipif(bool(NO_HAPROXY or disks()), reason=NO_HAPROXY or disks())
@pytest.mark.parametrize("disk", ["own", "shared"])
def test_over_ssh_a_roll_a_failure_and_a_rollback_lose_no_request(disk: str, tmp_path: Path, stack: ExitStack) -> None:
    fleet = Served(tmp_path, "haproxy", stack, ssh=disk)
    fleet.release("3.0", at={"s-2": {"dies": "no such table"}})
    with fleet.load() as load:
        load.wait_for(50)
        assert fleet.deploy("2.0").end == (0, "deployed")
        failed = fleet.deploy("3.0")
        assert failed.end == (6, "rolled_back")
        assert fleet.versions() == fleet.all_at("2.0")
        assert fleet.rollback("--to", "1.0").end == (0, "rolled_back")
        load.wait_for(50)
    assert "no such table" in failed.why
    told(load, f"haproxy over ssh ({disk} disks), a roll, a failure and a rollback")
    assert fleet.versions() == fleet.all_at("1.0")


@pytest.mark.parametrize("then", ["restore", "deploy", "rollback"])
@pytest.mark.skipif(bool(NO_HAPROXY), reason=NO_HAPROXY)
def test_what_a_killed_gate_left_out_is_put_back(then: str, tmp_path: Path, stack: ExitStack) -> None:
    fleet = Served(tmp_path, "haproxy", stack)
    assert isinstance(fleet.server, HAProxyServer)
    gate = fleet.begin("deploy", "Svc", "2.0")
    fleet.began(gate, ("s-1", "2.0"))
    gate.kill()
    assert out(fleet) == {"s-1"}
    words = {"restore": ("restore", "Svc"), "deploy": ("deploy", "Svc", "2.0"), "rollback": ("rollback", "Svc")}
    assert fleet.run(*words[then]).code == 0
    assert out(fleet) == set()
    expected = {"p-1": "2.0", "s-1": "2.0", "s-2": "1.0", "s-3": "1.0"}
    settled = {"restore": expected, "deploy": fleet.all_at("2.0"), "rollback": fleet.all_at("1.0")}
    assert fleet.versions() == settled[then]


@pytest.mark.skipif(bool(NO_HAPROXY), reason=NO_HAPROXY)
def test_another_machine_that_knows_of_no_run_puts_back_what_a_killed_gate_left_out(
    tmp_path: Path, stack: ExitStack
) -> None:
    fleet = Served(tmp_path, "haproxy", stack)
    gate = fleet.begin("deploy", "Svc", "2.0")
    fleet.began(gate, ("s-1", "2.0"))
    gate.kill()
    assert out(fleet) == {"s-1"}
    elsewhere = ("--state", str(tmp_path / "elsewhere"))
    assert fleet.run("restore", "Svc", *elsewhere).end == (0, "already_there")
    assert out(fleet) == set()
    assert fleet.deploy("2.0", *elsewhere).end == (0, "deployed")
