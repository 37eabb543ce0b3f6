"""A lock names the run that holds it, and is stale exactly when that run is over."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from deploygate.adapters.identity import identity, place
from deploygate.adapters.locks import FileLocks, Holder
from deploygate.endings import Goal
from deploygate.names import RunId, ServiceName
from deploygate.ports import Lease

SVC = ServiceName("Svc")
HERE = socket.gethostname()


def mine() -> str:
    found = identity(os.getpid())
    assert found
    return found


def over() -> str:
    """Return the identity of a process that is no more."""
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    found = identity(child.pid)
    child.communicate(b"\n")
    assert found
    assert identity(child.pid) is None
    return found


def held(folder: Path, process: str, rank: Goal = Goal.DEPLOY, host: str = HERE) -> Path:
    """Write the lock of another run."""
    path = folder / "Svc.json"
    path.write_bytes(msgspec.json.encode(Holder(RunId("other"), rank, host, process, "12:00")))
    return path


def locks(folder: Path, take_over: str | None = None) -> FileLocks:
    return FileLocks(folder, RunId("me"), RunId(take_over) if take_over else None)


def test_a_free_lock_is_taken_guarded_and_let_go(tmp_path: Path) -> None:
    own = locks(tmp_path)
    assert own.take(SVC, Goal.DEPLOY) == ("", "")
    with own.guard(SVC) as lost:
        assert lost == ""
    own.release(SVC)
    assert not (tmp_path / "Svc.json").exists()


def test_a_lock_names_its_run(tmp_path: Path) -> None:
    locks(tmp_path).take(SVC, Goal.ROLLBACK)
    holder = msgspec.json.decode((tmp_path / "Svc.json").read_bytes(), type=Holder)
    assert (holder.run, holder.rank, holder.host, holder.process) == ("me", Goal.ROLLBACK, HERE, mine())
    assert holder.alive()


def test_a_lock_may_be_taken_twice_by_its_own_run(tmp_path: Path) -> None:
    own = locks(tmp_path)
    own.take(SVC, Goal.DEPLOY)
    assert own.take(SVC, Goal.ROLLBACK) == ("", "")


def test_services_do_not_share_a_lock(tmp_path: Path) -> None:
    held(tmp_path, mine())
    assert locks(tmp_path).take(ServiceName("Other"), Goal.DEPLOY) == ("", "")


@pytest.mark.parametrize("rank", Goal)
def test_the_lock_of_a_living_run_holds_an_equal_off(tmp_path: Path, rank: Goal) -> None:
    held(tmp_path, mine(), rank)
    assert locks(tmp_path).take(SVC, rank) == ("", f"{rank} run other (since 12:00)")


def test_a_deploy_does_not_take_over_from_a_rollback(tmp_path: Path) -> None:
    held(tmp_path, mine(), Goal.ROLLBACK)
    assert locks(tmp_path).take(SVC, Goal.DEPLOY) == ("", "rollback run other (since 12:00)")


def test_a_rollback_outranks_a_living_deploy(tmp_path: Path) -> None:
    held(tmp_path, mine())
    assert locks(tmp_path).take(SVC, Goal.ROLLBACK) == ("deploy run other", "")


@pytest.mark.parametrize("rank", Goal)
def test_the_lock_of_a_run_that_is_over_is_stale(tmp_path: Path, rank: Goal) -> None:
    held(tmp_path, over(), rank)
    assert locks(tmp_path).take(SVC, Goal.DEPLOY) == (f"{rank} run other, which is over", "")


def test_a_later_process_of_the_same_number_is_not_the_run(tmp_path: Path) -> None:
    held(tmp_path, f"{os.getpid()}-1.00")
    assert locks(tmp_path).take(SVC, Goal.DEPLOY) == ("deploy run other, which is over", "")


@pytest.mark.parametrize("process", ["", "-", "x-1.00", "-1-1.00", "99999999999-1.00"])
def test_a_process_that_cannot_be_is_over(tmp_path: Path, process: str) -> None:
    held(tmp_path, process)
    assert locks(tmp_path).take(SVC, Goal.DEPLOY) == ("deploy run other, which is over", "")


def test_a_run_on_another_machine_counts_as_alive(tmp_path: Path) -> None:
    held(tmp_path, over(), host="elsewhere")
    assert locks(tmp_path).take(SVC, Goal.DEPLOY) == ("", "deploy run other on elsewhere (since 12:00)")


def test_a_run_on_another_machine_is_taken_over_from_only_by_its_name(tmp_path: Path) -> None:
    held(tmp_path, over(), host="elsewhere")
    assert locks(tmp_path, "another").take(SVC, Goal.DEPLOY) == ("", "deploy run other on elsewhere (since 12:00)")
    assert locks(tmp_path, "other").take(SVC, Goal.DEPLOY) == ("deploy run other", "")


def test_the_guard_gives_the_run_that_took_the_lock_over(tmp_path: Path) -> None:
    own = locks(tmp_path)
    own.take(SVC, Goal.DEPLOY)
    held(tmp_path, mine(), Goal.ROLLBACK)
    with own.guard(SVC) as lost:
        assert lost == "rollback run other"


def test_the_guard_tells_of_a_lock_that_is_gone(tmp_path: Path) -> None:
    own = locks(tmp_path)
    own.take(SVC, Goal.DEPLOY)
    (tmp_path / "Svc.json").unlink()
    with own.guard(SVC) as lost:
        assert lost == "another run, which is over already,"


def test_nobody_lets_go_of_another_runs_lock(tmp_path: Path) -> None:
    path = held(tmp_path, mine())
    locks(tmp_path).release(SVC)
    assert path.exists()


RUBBISH = [b"", b"{", b"\xff\xfe", b"null", b'{"run": "x"}', b'{"run": "\xff"}', b"\x00" * 100]


@pytest.mark.parametrize("rubbish", RUBBISH)
def test_a_lock_with_rubbish_in_it_is_nobodys(tmp_path: Path, rubbish: bytes) -> None:
    (tmp_path / "Svc.json").write_bytes(rubbish)
    own = locks(tmp_path)
    with own.guard(SVC) as lost:
        assert lost == "another run, which is over already,"
    assert own.take(SVC, Goal.DEPLOY) == ("", "")


def test_a_guard_is_let_go_when_what_it_guards_fails(tmp_path: Path) -> None:
    own = locks(tmp_path)
    own.take(SVC, Goal.DEPLOY)
    with pytest.raises(ValueError, match="no"), own.guard(SVC):
        raise ValueError("no")
    with own.guard(SVC) as lost:
        assert lost == ""


def lease(process: str, run: str = "other") -> Lease:
    return Lease(RunId(run), Goal.DEPLOY, HERE, process, "12:00")


def test_a_lease_is_over_with_the_process_of_this_machine_that_took_it(tmp_path: Path) -> None:
    own = locks(tmp_path)
    assert own.over(SVC, lease(f"{over()}@{place()}"))
    assert not own.over(SVC, lease(f"{mine()}@{place()}"))
    assert own.lease(Goal.DEPLOY, 60.0).process == f"{mine()}@{place()}"


@pytest.mark.parametrize("elsewhere", ["@another-boot-4026531836", "@unknown", ""])
def test_a_machine_of_the_same_name_is_not_this_one(tmp_path: Path, elsewhere: str) -> None:
    assert not locks(tmp_path).over(SVC, lease(f"{over()}{elsewhere}"))


def test_a_lease_is_over_when_its_run_was_named_or_has_ended_on_record(tmp_path: Path) -> None:
    there = f"{over()}@another-boot-1"
    assert locks(tmp_path, "other").over(SVC, lease(there))
    assert not locks(tmp_path, "another").over(SVC, lease(there))
    recorded = FileLocks(tmp_path, RunId("mine"), ended=lambda _, run: run == "other")
    assert recorded.over(SVC, lease(there))
