"""A release's whole life on real hosts, reached with ssh: copied, proven, started, asked, stopped, removed."""

import shutil
import socket
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from processes.fleet import PYTHON

from deploygate.names import InstanceName
from deploygate.ways import Argv, Script

from .ssh_fleet import SshFleet, needs_hosts, pythonless
from .sshd import tools

pytestmark = needs_hosts


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[SshFleet]:
    path = tools(tmp_path / "bin")
    pythonless(path)
    made = SshFleet(tmp_path, path=str(path))
    yield made
    made.down()


def test_a_release_goes_onto_hosts_that_have_no_python_and_comes_back(fleet: SshFleet) -> None:
    fleet.up("1.0")
    assert [fleet.answers(0), fleet.answers(1)] == ["1.0", "1.0"]
    first = fleet.process()
    assert (first.alive, first.release) == (True, "1.0")
    assert fleet.stage("2.0") == ()
    assert fleet.prove("2.0") == ()
    assert fleet.switch("2.0", "1.0") == ()
    assert [fleet.answers(0), fleet.answers(1)] == ["2.0", "2.0"]
    second = fleet.process()
    assert (second.alive, second.release) == (True, "2.0")
    assert second.identity != first.identity
    assert fleet.prove("1.0", unchanged=False) == ()
    assert fleet.switch("1.0", "2.0") == ()
    assert fleet.answers() == "1.0"
    assert fleet.switch(None, "1.0") == ()
    assert (fleet.process().alive, fleet.process().says) == (False, "it was stopped")


def test_an_identity_is_the_boot_the_number_and_the_start_of_the_process(fleet: SshFleet) -> None:
    fleet.up()
    boot, pid, start = str(fleet.process().identity).split(":")
    stat = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    assert boot == Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    assert start == stat[19]


def test_a_process_that_died_says_so_with_the_end_of_its_log(fleet: SshFleet) -> None:
    fleet.release("1.0", dies="no such database")
    fleet.up()
    fleet.until(lambda: not fleet.process().alive)
    found = fleet.process()
    assert (found.alive, found.release) == (False, "1.0")
    assert found.says.startswith("1.0 is not running; its log ends: ")
    assert "no such database" in found.says


def test_what_ignores_a_signal_is_killed_after_its_grace(fleet: SshFleet) -> None:
    fleet.release("1.0", stubborn=True)
    fleet.up()
    assert fleet.answers() == "1.0"
    assert fleet.switch(None, "1.0") == ()
    assert fleet.process().alive is False


@pytest.mark.parametrize("odd", [{"forks": True}, {"forks": "away"}, {"child": True}, {"orphan": True}])
def test_what_a_process_left_behind_is_stopped_too(fleet: SshFleet, odd: dict[str, object]) -> None:
    fleet.release("1.0", **odd)
    fleet.up()
    assert fleet.answers() == "1.0"
    assert fleet.stage("2.0") == ()
    assert fleet.switch("2.0", "1.0") == ()
    assert fleet.answers() == "2.0"


def test_with_keep_a_living_process_of_the_version_is_left_alone(fleet: SshFleet) -> None:
    fleet.up()
    before = fleet.process().identity
    assert fleet.switch("1.0", keep=True) == ()
    assert fleet.process().identity == before
    assert fleet.switch("1.0") == ()
    assert fleet.process().identity != before


def test_a_port_that_somebody_else_holds_is_refused_with_who_it_is(fleet: SshFleet) -> None:
    fleet.up()
    other = replace(fleet.service.instances[0], name=InstanceName("other"))
    fleet.service = replace(fleet.service, instances=(other, *fleet.service.instances[1:]))
    assert fleet.answers() == "1.0"
    (trouble,) = fleet.switch("1.0", only="other")
    assert "is held by pid " in trouble.says
    assert "which deploygate did not start" in trouble.says


def test_a_stop_command_runs_with_its_values_and_what_it_does_not_stop_is_killed(fleet: SshFleet) -> None:
    stop = Script('echo "stopping $DEPLOYGATE_VERSION $DEPLOYGATE_INSTANCE"; kill "$DEPLOYGATE_PID"')
    fleet.deployed(stop=stop)
    fleet.up()
    assert fleet.answers() == "1.0"
    assert fleet.switch(None, "1.0") == ()
    assert "stopping 1.0 i1\n" in (fleet.disk() / ".deploygate/instances/i1/1.0.log").read_text()
    lazy = Argv(("sleep", "30"))
    fleet.deployed(stop=lazy)
    assert fleet.switch("1.0") == ()
    assert fleet.switch(None, "1.0") == ()
    assert fleet.process().alive is False


def test_a_release_that_was_damaged_or_is_not_executable_is_not_proven(fleet: SshFleet) -> None:
    assert fleet.claim() == ()
    assert fleet.stage() == ()
    (fleet.disk(0) / "1.0" / "release.json").write_text("{}")
    (fleet.disk(1) / "1.0" / "run").chmod(0o644)
    why = "Svc 1.0 can't be started: 1.0 is not what was staged on"
    assert [one.says for one in fleet.prove()] == [
        f"{why} {fleet.sshd.hosts[0]}: ./release.json: FAILED",
        f"{why} {fleet.sshd.hosts[1]}: ./run is not executable",
    ]
    (fleet.disk(0) / "1.0" / "run").unlink()
    (trouble, _) = fleet.prove(unchanged=False)
    assert "1.0 is not complete" in trouble.says
    assert "run" in trouble.says


def test_a_version_never_changes(fleet: SshFleet) -> None:
    fleet.up()
    fleet.release("1.0", other=True)
    (trouble, _) = fleet.stage()
    assert "another release of 1.0 is installed already" in trouble.says
    assert fleet.prove() == ()


def test_a_release_that_is_there_already_is_taken_as_it_is_and_the_same_later(fleet: SshFleet) -> None:
    for number in range(2):
        shutil.copytree(fleet.folder / "dist/Svc-1.0", fleet.disk(number) / "1.0", symlinks=True)
    artifact = fleet.service.artifact
    fleet.service = replace(fleet.service, artifact=None)
    assert fleet.stage() == ()
    assert fleet.prove() == ()
    (trouble, _) = fleet.stage("2.0")
    assert "2.0 is not installed" in trouble.says
    assert "the inventory names no artifact" in trouble.says
    fleet.service = replace(fleet.service, artifact=artifact)
    assert fleet.stage() == ()


def test_old_releases_go_and_what_ran_last_and_before_stays(fleet: SshFleet) -> None:
    fleet.deployed(keep=2)
    fleet.up("1.0")
    for version in ("1.1", "1.2", "2.0"):
        fleet.release(version)
        assert fleet.stage(version) == ()
    assert fleet.switch("2.0", "1.0") == ()
    assert fleet.driver.prune(fleet.service, fleet.names, ()) == ("1.1", "1.2")
    assert sorted(one.name for one in fleet.disk().iterdir()) == [".deploygate", "1.0", "2.0"]


def test_a_release_of_which_not_all_could_be_checked_is_not_taken_for_whole(fleet: SshFleet) -> None:
    fleet.up()
    program = fleet.folder / "bin/sha256sum"
    program.unlink()
    real = shutil.which("sha256sum")
    last = max(one.name for one in (fleet.folder / "dist/Svc-1.0").iterdir() if one.is_file())
    (fleet.disk() / "1.0" / last).write_text("damaged")
    program.write_text(f'#!/bin/sh\n{real} "$@" 2>&1 | head -n 1\nkill -KILL "$$"\n')
    program.chmod(0o755)
    assert ["1.0 is not what was staged on" in one.says for one in fleet.prove()] == [True, True]
    program.write_text(f'#!/bin/sh\n{real} "$@" 2>&1 | head -n 1\n')
    assert ["only 1 of 3 files were checked" in one.says for one in fleet.prove()] == [True, True]
    assert ["did not arrive whole" in one.says for one in fleet.stage("2.0")] == [True, True]
    program.write_text(f'#!/bin/sh\nexec {real} "$@"\n')
    assert [f"./{last}: FAILED" in one.says for one in fleet.prove()] == [True]


def rsync_that(fleet: SshFleet, does: str) -> None:
    """Have the hosts' rsync do something else than to receive."""
    program = fleet.folder / "bin/rsync"
    program.unlink()
    program.write_text(f'#!/bin/sh\n[ "$1" != --version ] || exec {shutil.which("rsync")} --version\n{does}\n')
    program.chmod(0o755)


def test_a_host_that_goes_while_it_is_copied_to_is_told_to_be_lost(fleet: SshFleet) -> None:
    rsync_that(fleet, 'kill -KILL "$PPID"')
    assert fleet.claim() == ()
    for host, trouble in zip(fleet.sshd.hosts, fleet.stage(), strict=True):
        assert trouble.says.startswith(f"Svc {host} was lost: ")


def test_what_was_wrong_is_told_although_what_was_copied_can_not_be_removed_any_more(fleet: SshFleet) -> None:
    daemons = f'"$(cat {fleet.sshd.folder}/sshd_"$n".pid)"'
    rsync_that(
        fleet, f'echo "No space left on device" >&2; for n in 0 1; do kill -KILL {daemons}; done; kill -KILL "$PPID"'
    )
    assert fleet.claim() == ()
    assert ["No space left on device" in one.says for one in fleet.stage()] == [True, True]


LINGERS = """\
import os, socket, sys, time
holds = socket.create_server((sys.argv[1], int(sys.argv[2])))
while os.path.exists(f"/proc/{sys.argv[3]}") and open(f"/proc/{sys.argv[3]}/stat").read().split()[2] != "Z":
    time.sleep(0.01)
time.sleep(0.5)
"""


def test_a_port_that_is_held_for_a_moment_after_its_process_is_gone_is_waited_for(fleet: SshFleet) -> None:
    lingers = fleet.folder / "lingers.py"
    lingers.write_text(LINGERS)
    held = f'setsid env -i {PYTHON} -I -S {lingers} "$DEPLOYGATE_HOST" "$DEPLOYGATE_PORT" "$$" & exec sleep 60'
    fleet.deployed(start=Script(held))
    fleet.up("1.0")
    fleet.until(lambda: listens(fleet))
    fleet.deployed(start=Argv(("./run", "{host}", "{port}")))
    assert (fleet.stage("2.0"), fleet.switch("2.0", "1.0")) == ((), ())
    assert fleet.answers() == "2.0"


def listens(fleet: SshFleet) -> bool:
    one = fleet.service.instances[0]
    with suppress(OSError), socket.create_connection((one.host, one.port), 1.0):
        return True
    return False
