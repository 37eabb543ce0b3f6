"""The program of the hosts is plain shell: it runs under each of the usual ones, and with busybox's tools alone."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from deploygate.names import InstanceName

from .ssh_fleet import SshFleet, needs_hosts

pytestmark = needs_hosts
SHELLS = {"dash": ["dash"], "bash": ["bash", "--posix"], "busybox": ["busybox", "sh"]}


@pytest.fixture(params=list(SHELLS))
def fleet(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[SshFleet]:
    words = list(SHELLS[request.param])
    program = shutil.which(words[0])
    if program is None:
        pytest.skip(f"{words[0]} is not installed")
    path = os.defpath
    if words[0] == "busybox":
        (tmp_path / "applets").mkdir()
        subprocess.run([program, "--install", "-s", str(tmp_path / "applets")], check=True)
        path = str(tmp_path / "applets")
        flock = tmp_path / "applets" / "flock"
        if not flock.exists():  # some distributions build busybox without it
            flock.symlink_to(str(shutil.which("flock")))
    made = SshFleet(tmp_path, 1)
    made.deployed(ssh=None, root="srv/Svc")
    made.shells._pool._opener._reach = lambda _key, _limit, **_: [program, *words[1:]]  # noqa: SLF001 - a host whose /bin/sh is this one
    made.shells._pool._opener._environment = {"PATH": path}  # noqa: SLF001
    made.mount, made.root = tmp_path, str(tmp_path / "srv/Svc")
    yield made
    made.down()


def test_a_release_s_whole_life_under_this_shell(fleet: SshFleet) -> None:
    root = Path(fleet.root)
    fleet.release("1.0", stubborn=True)
    fleet.up()
    assert fleet.answers() == "1.0"
    first = fleet.process()
    assert (first.alive, first.release) == (True, "1.0")
    (trouble,) = fleet.switch("1.0", run="run-2")
    assert "is held by deploy run run-1" in trouble.says
    assert [held.run for held in fleet.claim(fleet.lease("run-2"))] == ["run-1"]
    assert fleet.stage("2.0") == ()
    assert fleet.stage("2.0") == ()
    assert fleet.prove("2.0") == ()
    assert fleet.switch("2.0", "1.0") == ()
    assert fleet.answers() == "2.0"
    (root / "1.0" / "release.json").write_text("{}")
    (trouble,) = fleet.prove("1.0")
    assert "is not what was staged" in trouble.says
    (root / "1.0" / "run").unlink()
    (trouble,) = fleet.switch("1.0", "2.0")
    assert "1.0 is not complete" in trouble.says
    assert fleet.answers() == "2.0"
    fleet.release("1.1", dies="no such table")
    assert fleet.stage("1.1") == ()
    assert fleet.switch("1.1", "2.0") == ()
    fleet.until(lambda: not fleet.process().alive)
    assert "no such table" in fleet.process().says
    fleet.deployed(keep=0)
    assert fleet.driver.prune(fleet.service, fleet.names, ()) == ("1.0",)
    assert sorted(one.name for one in root.iterdir()) == [".deploygate", "1.1", "2.0"]


def test_what_is_left_behind_or_held_by_others_is_seen_under_this_shell(fleet: SshFleet) -> None:
    fleet.release("1.0", forks="away")
    fleet.up()
    assert fleet.answers() == "1.0"
    assert fleet.stage("2.0") == ()
    assert fleet.switch("2.0", "1.0") == ()
    assert fleet.answers() == "2.0"
    shutil.rmtree(Path(fleet.root) / ".deploygate/instances")
    assert fleet.switch("2.0") == ()  # it is still known by its environment
    assert fleet.answers() == "2.0"
    other = replace(fleet.service.instances[0], name=InstanceName("other"))
    fleet.service = replace(fleet.service, instances=(other,))
    (trouble,) = fleet.switch("2.0", only="other")
    assert "is held by pid " in trouble.says
