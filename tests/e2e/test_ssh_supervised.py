"""Services that a supervisor runs: it starts, it stops, it says which process is theirs; over ssh, and here."""

import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from deploygate.endings import Goal
from deploygate.probe import HealthProbe
from deploygate.ways import Argv

from .ssh_fleet import SshFleet, needs_hosts

pytestmark = needs_hosts

# A supervisor of one unit a version, which brings back what dies unless it was told to stop.
SUPERVISOR = r"""#!/bin/sh
unit=$DEPLOYGATE_ROOT/unit-$DEPLOYGATE_INSTANCE-$2
case $1 in
run)
    touch "$unit.runs"
    while [ -e "$unit.on" ]; do
        "$DEPLOYGATE_ROOT/$2/run" "$DEPLOYGATE_HOST" "$DEPLOYGATE_PORT" &
        echo "$!" >"$unit.pid"
        wait "$!"
        sleep 0.05
    done
    rm -f "$unit.runs"
    ;;
start)
    [ ! -e "$unit.broken" ] || { echo "Unit $2 is masked." >&2; exit 5; }
    if [ -e "$unit.slow" ]; then sleep "$(cat "$unit.slow")"; fi
    touch "$unit.on"
    setsid "$0" run "$2" </dev/null >/dev/null 2>&1 &
    while [ ! -s "$unit.pid" ]; do sleep 0.01; done
    ;;
stop)
    if [ -e "$unit.busy" ]; then touch "$unit.asked"; sleep 60; fi
    rm -f "$unit.on"
    pid=$(cat "$unit.pid" 2>/dev/null) || exit 0
    kill "$pid" 2>/dev/null
    while [ -e "$unit.runs" ]; do sleep 0.01; done
    rm -f "$unit.pid"
    ;;
kill)
    [ ! -e "$unit.busy" ] || { echo "Not permitted." >&2; exit 1; }
    kill -KILL "$(cat "$unit.pid")"
    ;;
pid)
    if [ -e "$unit.hangs" ]; then setsid sleep 60 >/dev/null 2>&1 & sleep 60; fi
    cat "$unit.pid" 2>/dev/null
    ;;
check) [ ! -e "$unit.broken" ] || { echo "Unit $2 is masked." >&2; exit 1; } ;;
esac
"""


@pytest.fixture(params=["ssh", "here"])
def fleet(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[SshFleet]:
    made = SshFleet(tmp_path, 1)
    program = tmp_path / "supervise"
    program.write_text(SUPERVISOR)
    program.chmod(0o755)
    words = {verb: Argv((str(program), verb, "{version}")) for verb in ("start", "stop", "pid", "kill", "check")}
    made.deployed(**words)
    if request.param == "here":
        made.deployed(ssh=None, root="mnt/srv/Svc")
        made.disk = lambda number=0: made.mount / "srv/Svc"  # type: ignore[method-assign]  # noqa: ARG005
    yield made
    made.down()


def test_a_supervised_service_is_changed_by_its_supervisor_alone(fleet: SshFleet) -> None:
    fleet.up("1.0")
    assert fleet.answers() == "1.0"
    first = fleet.process()
    assert (first.alive, first.release) == (True, "1.0")
    assert fleet.stage("2.0") == ()
    assert fleet.prove("2.0") == ()
    assert fleet.switch("2.0", "1.0") == ()
    assert fleet.answers() == "2.0"
    assert fleet.process().identity != first.identity
    assert fleet.switch("1.0", "2.0") == ()
    assert fleet.answers() == "1.0"
    assert fleet.switch(None, "1.0") == ()
    assert fleet.process().alive is False


def test_a_process_that_its_supervisor_brought_back_is_another_one(fleet: SshFleet) -> None:
    fleet.up()
    assert fleet.answers() == "1.0"
    first = fleet.process()
    os.kill(int(str(first.identity).split(":")[1]), signal.SIGKILL)
    fleet.until(lambda: fleet.process().identity not in {None, first.identity})
    assert fleet.process().alive
    assert fleet.answers() == "1.0"


def test_what_its_supervisor_can_not_stop_in_time_is_killed_and_does_not_come_back(fleet: SshFleet) -> None:
    fleet.release("1.0", stubborn=True)
    fleet.up()
    assert fleet.answers() == "1.0"
    pid = int(str(fleet.process().identity).split(":")[1])
    assert fleet.switch(None, "1.0") == ()
    assert not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    assert fleet.process().alive is False


def test_a_supervisor_that_does_not_know_the_version_says_so_before_and_at_the_start(fleet: SshFleet) -> None:
    fleet.up()
    assert fleet.stage("2.0") == ()
    (fleet.disk() / "unit-i1-2.0.broken").touch()
    (trouble,) = fleet.prove("2.0")
    assert "the check of 2.0 ended with 1" in trouble.says
    assert "Unit 2.0 is masked." in trouble.says
    (trouble,) = fleet.switch("2.0", "1.0")
    assert "the start command of 2.0 ended with 5" in trouble.says
    assert "Unit 2.0 is masked." in trouble.says
    assert fleet.process().alive is False
    assert fleet.switch("1.0", "2.0") == ()
    assert fleet.answers() == "1.0"


def test_a_supervisor_that_hangs_or_leaves_something_behind_does_not_hold_a_rollback_up(fleet: SshFleet) -> None:
    fleet.up("1.0")
    assert fleet.stage("2.0") == ()
    (fleet.disk() / "unit-i1-2.0.hangs").touch()
    assert fleet.switch("2.0", "1.0") == ()
    assert fleet.answers() == "2.0"
    assert fleet.claim(fleet.lease("back-1", Goal.ROLLBACK)) == ()  # whatever hangs has none of the host's locks
    assert fleet.switch("1.0", "2.0", "back-1") == ()
    assert fleet.answers() == "1.0"


def test_what_was_asked_to_stop_and_lives_on_is_not_trusted_to_stay(fleet: SshFleet) -> None:
    fleet.up("1.0")
    assert fleet.stage("2.0") == ()
    before = fleet.process().identity
    assert fleet.switch("1.0", keep=True) == ()
    assert fleet.process().identity == before
    busy = fleet.disk() / "unit-i1-1.0.busy"
    busy.touch()
    (trouble,) = fleet.switch("2.0", "1.0")
    assert "does not die on" in trouble.says
    assert "Not permitted." in trouble.says
    assert fleet.process().identity == before
    busy.unlink()
    assert fleet.switch("1.0", keep=True) == ()
    kept = fleet.process().identity
    assert kept not in {None, before}
    assert fleet.switch("1.0", keep=True) == ()
    assert fleet.process().identity == kept


def test_a_rollback_waits_for_a_supervisor_that_is_in_the_middle_of_a_start(fleet: SshFleet) -> None:
    fleet.up("1.0")
    assert fleet.stage("2.0") == ()
    (fleet.disk() / "unit-i1-2.0.slow").write_text("18")  # more than its grace and what a change takes otherwise
    with ThreadPoolExecutor(1) as pool:
        change = pool.submit(fleet.switch, "2.0", "1.0")
        fleet.until(lambda: (fleet.disk() / ".deploygate/instances/i1/current").read_text().startswith("2.0"))
        assert fleet.claim(fleet.lease("back-1", Goal.ROLLBACK)) == ()
        assert change.result() == ()
    assert fleet.lease_file().read_text().startswith("back-1 rollback ")
    assert fleet.switch("1.0", "2.0", "back-1") == ()
    assert fleet.answers() == "1.0"


def test_a_start_may_take_as_long_as_the_service_to_be_healthy_and_no_longer(
    fleet: SshFleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("deploygate.inventory._SHORTEST", 1.0)
    fleet.service = replace(fleet.service, health=HealthProbe(deadline=3.0))
    fleet.up("1.0")
    assert fleet.stage("2.0") == ()
    slow = fleet.disk() / "unit-i1-2.0.slow"
    slow.write_text("1")
    assert fleet.switch("2.0", "1.0") == ()
    slow.write_text("60")
    (trouble,) = fleet.switch("2.0", "2.0")
    assert "the start command of 2.0 did not end within 3 s on" in trouble.says
