"""Clocks an hour off, of hosts and of gates: they decide neither what a process is nor how long a lease lasts."""

import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import psutil
import pytest

from .parts import found
from .served import Served
from .ssh_fleet import SshFleet, needs_hosts

pytestmark = [needs_hosts, pytest.mark.needs("faketime")]
HOUR = 3600
OFF = ["-1h", "+1h"]


def another_clock(off: str) -> dict[str, str]:
    """Return the environment in which programs see another time."""
    words = [found("faketime"), "-f", off, "env"]
    said = subprocess.run(words, capture_output=True, text=True, check=True, timeout=30).stdout
    lines = dict(line.split("=", 1) for line in said.splitlines())
    return {name: lines[name] for name in ("LD_PRELOAD", "FAKETIME")}


@pytest.fixture(params=OFF)
def fleet(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[SshFleet]:
    """Two hosts whose clock is an hour off for all that they run."""
    hosts = tmp_path / "hosts"
    given = another_clock(request.param) | {"PATH": "/usr/bin:/bin", "HOME": str(hosts)}
    made = SshFleet(tmp_path, options=[f"SetEnv {' '.join(f'{name}={value}' for name, value in given.items())}"])
    for host in made.sshd.hosts:
        theirs = int(made.shells.run(host, made.service.deploy.ssh, "date +%s", {}, 30.0).out)  # type: ignore[union-attr]
        assert abs(abs(theirs - time.time()) - HOUR) < HOUR / 10, "the clock of the hosts is not off"
    yield made
    made.down()


def test_on_hosts_whose_clock_is_an_hour_off_a_release_lives_as_on_any_other(fleet: SshFleet) -> None:
    fleet.up()
    assert [fleet.answers(number) for number in range(2)] == ["1.0", "1.0"]
    first = fleet.process()
    boot, pid, start = str(first.identity).split(":")
    assert boot == Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    assert psutil.pid_exists(int(pid))
    assert start == Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    assert "FAKETIME" in psutil.Process(int(pid)).environ()
    assert (first.alive, fleet.process()) == (True, first)
    assert (fleet.stage("2.0"), fleet.prove("2.0"), fleet.switch("2.0", "1.0")) == ((), (), ())
    assert fleet.answers() == "2.0"
    assert fleet.process().identity != first.identity
    assert fleet.switch("1.0", "2.0") == ()
    assert fleet.answers() == "1.0"


def test_on_hosts_whose_clock_is_an_hour_off_a_lease_lasts_as_long_as_it_says(fleet: SshFleet) -> None:
    assert fleet.claim(fleet.lease("run-1", lasts=HOUR / 2)) == ()
    assert {holder.run for holder in fleet.claim(fleet.lease("run-2"))} == {"run-1"}
    lasts = int(fleet.lease_file().read_text().split()[5])
    for number in range(2):
        fleet.aged(number, by=lasts - HOUR / 4)
    assert {holder.run for holder in fleet.claim(fleet.lease("run-2"))} == {"run-1"}
    for number in range(2):
        fleet.aged(number, by=HOUR / 4)
    assert fleet.claim(fleet.lease("run-2")) == ()
    assert fleet.driver.lost(fleet.service, fleet.names, fleet.lease("run-2").run) == ""


def test_the_oldest_release_goes_by_the_time_of_the_gates_and_what_is_in_use_stays_whatever_they_say(
    fleet: SshFleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    for version in ("0.8", "0.9"):
        fleet.release(version)
        assert fleet.stage(version) == ()
    fleet.up("1.0")
    late = time.time() - HOUR  # another gate, an hour behind, to which all others are from the future
    monkeypatch.setattr(time, "time", lambda: late)
    assert fleet.stage("2.0") == ()
    assert fleet.switch("2.0", "1.0") == ()
    gone = []
    for keep in (3, 2, 1):
        fleet.deployed(keep=keep)
        gone.append(fleet.driver.prune(fleet.service, fleet.names, ()))
    assert gone == [("0.8",), ("0.9",), ()]
    assert fleet.answers() == "2.0"
    assert fleet.switch("1.0", "2.0") == ()
    assert fleet.answers() == "1.0"


def test_a_gate_whose_clock_was_set_back_an_hour_knows_where_its_last_deploy_came_from(
    tmp_path: Path, stack: ExitStack
) -> None:
    fleet = Served(tmp_path, "", stack, ssh="own", production=2)
    fleet.environment = another_clock("+1h")
    told = fleet.deploy("2.0")
    assert told.end == (0, "deployed"), told.err
    fleet.environment = {}
    fleet.release("3.0")
    assert fleet.deploy("3.0").end == (0, "deployed")
    told = fleet.rollback()
    assert told.end == (0, "rolled_back"), told
    assert fleet.versions() == fleet.all_at("2.0")
