"""The lease on each host fences runs from one another: a switch by a run that does not hold it is refused there."""

import shutil
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from deploygate.adapters.hosts.remote import RemoteKillStart
from deploygate.adapters.shells import Shells
from deploygate.endings import Goal
from deploygate.events import Change
from deploygate.names import RunId, Version

from .ssh_fleet import RUN, SshFleet, holders, needs_hosts
from .sshd import tools

pytestmark = needs_hosts


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[SshFleet]:
    path = tools(tmp_path / "bin", "date")  # a host's time is its uptime
    made = SshFleet(tmp_path, path=str(path))
    yield made
    made.down()


def overtaken(fleet: SshFleet, run: str, by: str) -> None:
    """Have another run take a lease over at the moment when its run asks for a shared lock."""
    flock = fleet.folder / "bin/flock"
    flock.unlink()
    takes = f"sed -i 's/^{run} /{by} /' {fleet.root}/.deploygate/lease-*"
    flock.write_text(f'#!/bin/sh\n[ "$*" != "-n -s 9" ] || {takes}\nexec {shutil.which("flock")} "$@"\n')
    flock.chmod(0o755)


def lasts(fleet: SshFleet, number: int = 0) -> int:
    return int(fleet.lease_file(number).read_text().split()[5])


def test_a_lease_names_the_run_and_is_no_other_run_s_until_it_is_left(fleet: SshFleet) -> None:
    assert fleet.claim() == ()
    assert fleet.claim() == ()
    assert fleet.lease_file().read_text().startswith(f"{RUN} deploy gate 1-2 2024-01-01T12:00:00+00:00 ")
    assert [replace(held, lasts=60.0) for held in fleet.claim(fleet.lease("run-2"))] == [fleet.lease()] * 2
    fleet.driver.leave(fleet.service, fleet.names, RunId("run-2"))
    assert fleet.lease_file().exists()
    fleet.driver.leave(fleet.service, fleet.names, RUN)
    assert not fleet.lease_file().exists()
    assert fleet.claim(fleet.lease("run-2")) == ()


def test_a_run_that_does_not_hold_the_lease_changes_nothing(fleet: SshFleet) -> None:
    fleet.up()
    before = fleet.process().identity
    (trouble, _) = fleet.switch(None, "1.0", "run-2")
    assert trouble.says == (
        f"the lease of {fleet.sshd.hosts[0]} is held by deploy run {RUN} since 2024-01-01T12:00:00+00:00; "
        "nothing was changed there"
    )
    assert fleet.process().identity == before
    fleet.driver.leave(fleet.service, fleet.names, RUN)
    (trouble, _) = fleet.switch(None, "1.0")
    assert "is not held by run run-1 any more; nothing was changed there" in trouble.says
    assert fleet.process().identity == before


def test_a_rollback_takes_the_lease_of_a_deploy_which_is_refused_from_then_on(fleet: SshFleet) -> None:
    fleet.up()
    shells = Shells(fleet.sshd.inputs)
    raised = RemoteKillStart(shells, fleet.folder, {})
    try:
        lease = fleet.lease("back-1", Goal.ROLLBACK)
        assert holders(raised.claim(fleet.service, fleet.names, lease, ())) == ()
        (trouble, _) = fleet.switch("1.0", "1.0")
        assert "is held by rollback run back-1" in trouble.says
        (held, _) = fleet.claim()
        assert replace(held, lasts=lease.lasts) == lease
        change = Change(fleet.names[0], Version("1.0"), None)
        assert raised.switch(fleet.service, [change], RunId("back-1")) == ()
        assert fleet.process().alive is False
    finally:
        shells.close()


def test_a_run_that_has_lost_its_hosts_removes_no_release(fleet: SshFleet) -> None:
    fleet.up("1.0")
    assert fleet.stage("2.0") == ()
    fleet.deployed(keep=0)
    shells = Shells(fleet.sshd.inputs)
    try:
        other = RemoteKillStart(shells, fleet.folder, {})
        assert holders(other.claim(fleet.service, fleet.names, fleet.lease("run-2"), [RUN])) == ()
        assert fleet.driver.prune(fleet.service, fleet.names, ()) == ()
        assert other.prune(fleet.service, fleet.names, ()) == (Version("2.0"),)
    finally:
        shells.close()


def test_a_rollback_takes_the_lease_of_a_restore_too(fleet: SshFleet) -> None:
    assert fleet.claim(fleet.lease("restore-1", Goal.RESTORE)) == ()
    assert {held.rank for held in fleet.claim()} == {Goal.RESTORE}
    assert fleet.claim(fleet.lease("back-1", Goal.ROLLBACK)) == ()


def test_a_lease_ends_by_the_host_s_own_time(fleet: SshFleet) -> None:
    assert fleet.claim() == ()
    fleet.aged(by=lasts(fleet) - 10)
    (held, other) = fleet.claim(fleet.lease("run-2"))
    assert 0 < held.lasts <= 11  # what is left of it
    assert other.lasts > 11
    fleet.aged(by=20)
    assert len(fleet.claim(fleet.lease("run-2"))) == 1  # the other host's is as it was
    assert fleet.lease_file().read_text().startswith("run-2 ")


def test_a_lease_from_before_a_boot_ends_when_the_host_has_been_up_for_longer(fleet: SshFleet) -> None:
    assert fleet.claim(fleet.lease(lasts=1e9)) == ()
    fleet.aged(boot="another")
    assert len(fleet.claim(fleet.lease("run-2"))) == 2
    assert fleet.claim(fleet.lease(lasts=1.0)) == ()
    fleet.aged(by=-1e9, boot="another", lasts=1)
    assert len(fleet.claim(fleet.lease("run-2"))) == 1


def test_the_lease_of_a_run_that_is_over_is_taken(fleet: SshFleet) -> None:
    assert fleet.claim() == ()
    assert fleet.claim(fleet.lease("run-2"), "run-0", RUN) == ()
    assert fleet.switch("1.0")[0].says.startswith(f"the lease of {fleet.sshd.hosts[0]} is held by deploy run run-2")


def test_a_rollback_claims_a_host_that_was_away_when_it_switches_it(fleet: SshFleet) -> None:
    fleet.up()
    fleet.shells.close()
    shells = Shells(fleet.sshd.inputs)
    raised = RemoteKillStart(shells, fleet.folder, {})
    fleet.sshd.down()
    try:
        assert holders(raised.claim(fleet.service, fleet.names, fleet.lease("back-1", Goal.ROLLBACK), ())) == ()
        fleet.sshd.up()
        change = Change(fleet.names[0], Version("1.0"), None)
        assert raised.switch(fleet.service, [change], RunId("back-1")) == ()
        assert fleet.lease_file().read_text().startswith("back-1 rollback ")
        assert fleet.lease_file(1).read_text().startswith(f"{RUN} deploy ")
        raised.leave(fleet.service, fleet.names, RunId("back-1"))
        assert not fleet.lease_file().exists()
    finally:
        shells.close()


def test_a_claim_waits_for_a_change_that_is_in_progress(fleet: SshFleet) -> None:
    fleet.release("1.0", stubborn=True)
    fleet.up()
    assert fleet.answers() == "1.0"
    shells = Shells(fleet.sshd.inputs)
    raised = RemoteKillStart(shells, fleet.folder, {})
    try:
        host, ssh = fleet.sshd.hosts[0], fleet.service.deploy.ssh  # type: ignore[union-attr]
        lock = fleet.root + f"/.deploygate/lock-{socket.gethostname()}"
        shells.run(host, ssh, '(flock -s 9; sleep 1) 9>>"$lock" >/dev/null 2>&1 &', {"lock": lock}, 10.0)
        time.sleep(0.2)
        began = time.monotonic()
        assert holders(raised.claim(fleet.service, fleet.names, fleet.lease("back-1", Goal.ROLLBACK), ())) == ()
        assert time.monotonic() - began > 0.3  # it did wait
    finally:
        shells.close()


DONE: dict[str, Callable[[SshFleet], object]] = {
    "claim": lambda fleet: fleet.claim(),
    "stage": lambda fleet: fleet.stage("2.0"),
    "prove": lambda fleet: fleet.prove("1.0"),
    "switch": lambda fleet: fleet.switch("1.0"),
    "ask": lambda fleet: fleet.driver.lost(fleet.service, fleet.names, RUN),
}


@pytest.mark.parametrize("done", DONE)
def test_what_its_run_does_on_a_host_makes_the_time_of_a_lease_begin_anew(fleet: SshFleet, done: str) -> None:
    fleet.up("1.0")
    for number in range(2):
        fleet.aged(number, by=1e6)
    assert not DONE[done](fleet)
    assert {held.run for held in fleet.claim(fleet.lease("run-2"))} == {RUN}
    for number in range(2):
        fleet.aged(number, by=1e6)
    assert fleet.claim(fleet.lease("run-2")) == ()


@pytest.mark.parametrize("done", [one for one in DONE if one != "claim"])
def test_a_lease_of_which_little_time_is_over_is_not_written_again(fleet: SshFleet, done: str) -> None:
    fleet.up("1.0")
    before = [fleet.lease_file(number).stat().st_ino for number in range(2)]
    DONE[done](fleet)
    assert [fleet.lease_file(number).stat().st_ino for number in range(2)] == before


@pytest.mark.parametrize("done", DONE)
def test_a_run_that_has_lost_a_lease_does_not_renew_it(fleet: SshFleet, done: str) -> None:
    fleet.up("1.0")
    other = RemoteKillStart(fleet.shells, fleet.folder, {})
    assert holders(other.claim(fleet.service, fleet.names, fleet.lease("run-2"), [RUN])) == ()
    before = [fleet.lease_file(number).read_text() for number in range(2)]
    DONE[done](fleet)
    assert [fleet.lease_file(number).read_text() for number in range(2)] == before


def test_a_run_that_is_overtaken_as_it_renews_its_lease_does_not_write_over_the_other_s(fleet: SshFleet) -> None:
    fleet.up("1.0")
    fleet.aged(by=1e6)
    before = fleet.lease_file().read_text()
    overtaken(fleet, RUN, "run-2")
    assert fleet.prove() == ()
    assert fleet.lease_file().read_text() == before.replace(f"{RUN} ", "run-2 ")


def test_a_lease_outlasts_the_copying_of_a_large_release_to_the_hosts(fleet: SshFleet) -> None:
    assert fleet.claim(fleet.lease(lasts=60.0)) == ()
    fleet.aged(by=60 + 1800 + 600)
    assert len(fleet.claim(fleet.lease("run-2"))) == 2


def test_a_run_that_claims_a_host_late_and_is_overtaken_as_it_does_changes_nothing(fleet: SshFleet) -> None:
    fleet.up()
    before = fleet.process().identity
    fleet.driver.leave(fleet.service, fleet.names, RUN)
    shells = Shells(fleet.sshd.inputs)
    raised = RemoteKillStart(shells, fleet.folder, {})
    fleet.sshd.down()
    overtaken(fleet, "back-1", "back-2")
    try:
        assert holders(raised.claim(fleet.service, fleet.names, fleet.lease("back-1", Goal.ROLLBACK), ())) == ()
        fleet.sshd.up()
        change = Change(fleet.names[0], Version("1.0"), None)
        (trouble,) = raised.switch(fleet.service, [change], RunId("back-1"))
        assert trouble.by == "rollback run back-2"
        assert fleet.process().identity == before
    finally:
        shells.close()


def test_hosts_that_share_a_disk_have_a_lease_each_that_ends_by_its_own_host_s_time(tmp_path: Path) -> None:
    fleet = SshFleet(tmp_path, sharing=True)
    try:
        fleet.up()
        assert [fleet.answers(0), fleet.answers(1)] == ["1.0", "1.0"]
        boots = [fleet.lease_file(number).read_text().split()[6] for number in range(2)]
        assert len(set(boots)) == 2
        assert [str(fleet.process(number).identity).partition(":")[0] for number in range(2)] == boots
        for number in range(2):
            fleet.aged(number, lasts=20)  # less than the hosts have been up, and more than this takes
        assert {held.run for held in fleet.claim(fleet.lease("run-2"))} == {RUN}
        fleet.aged(1, by=30)
        assert len(fleet.claim(fleet.lease("run-2"))) == 1
        assert [fleet.lease_file(number).read_text().split()[0] for number in range(2)] == [RUN, "run-2"]
        assert fleet.switch("1.0", only="i1") == ()
        (trouble,) = fleet.switch("1.0", only="i2")
        assert trouble.by == "deploy run run-2"
    finally:
        fleet.down()


def test_a_rollback_is_told_from_which_deploy_it_takes_the_hosts(fleet: SshFleet) -> None:
    fleet.up()
    taken = fleet.driver.claim(fleet.service, fleet.names, fleet.lease("back-1", Goal.ROLLBACK), ())
    assert [(one.run, one.rank, one.taken) for one in taken] == [(RUN, Goal.DEPLOY, True)] * 2
    assert fleet.driver.claim(fleet.service, fleet.names, fleet.lease("back-1", Goal.ROLLBACK), ()) == ()


def test_a_host_that_was_claimed_in_a_change_that_failed_is_let_go_of(fleet: SshFleet) -> None:
    fleet.up()
    fleet.driver.leave(fleet.service, fleet.names, RUN)
    shells = Shells(fleet.sshd.inputs)
    raised = RemoteKillStart(shells, fleet.folder, {})
    fleet.sshd.down()
    assert holders(raised.claim(fleet.service, fleet.names, fleet.lease("back-1", Goal.ROLLBACK), ())) == ()
    fleet.sshd.up()
    (trouble,) = raised.switch(fleet.service, [Change(fleet.names[0], Version("1.0"), Version("9.9"))], RunId("back-1"))
    assert "9.9 is not installed" in trouble.says
    assert fleet.lease_file().exists()
    raised.leave(fleet.service, fleet.names, RunId("back-1"))
    assert not fleet.lease_file().exists()
    shells.close()
