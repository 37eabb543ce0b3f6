"""A fleet is deployed, and taken back, by the user's own program and by an installed plug-in, on the command line."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from processes.fleet import Fleet

from contract.real_service import RUN, executable
from contract.test_example_plugin import SOURCE
from contract.test_programs import shown

VERSION_PROBE = {"path": "/version", "json": "/version", "identity": {"json": "/boot"}}
PLUGIN = {
    "deploy": {"plugin": {"name": "pidfile", "settings": {"root": "srv"}, "grace": "500ms"}},
    "balancer": {"plugin": {"name": "listed", "settings": {"file": "out.txt"}}, "drain": "1s"},
}
DIES: dict[str, Any] = {"dies": "no such database"}
BEHAVIOURS: dict[str, dict[str, Any]] = {"1.0": {}, "2.0": {}, "3.0": DIES, "4.0": {"at": {"s-2": DIES}}}
ONE = ["./deploy"]
PROGRAMS = dict.fromkeys(("stage", "prove", "start", "stop", "status", "prune"), ONE)
COMMAND = {"deploy": {"command": PROGRAMS | {"grace": "500ms"}}}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the example plug-in installed."""
    folder = tmp_path_factory.mktemp("site")
    about = folder / "deploygate_pidfile-1.0.0.dist-info"
    about.mkdir()
    (folder / "deploygate_pidfile.py").write_bytes((SOURCE / "deploygate_pidfile.py").read_bytes())
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: deploygate-pidfile\nVersion: 1.0.0\n")
    (about / "entry_points.txt").write_text(
        "[deploygate.drivers]\npidfile = deploygate_pidfile:driver\n"
        "[deploygate.balancers]\nlisted = deploygate_pidfile:balancer\n"
    )
    return folder


@pytest.fixture(params=["command", "command-with-status-only", "plug-in"])
def fleet(
    request: pytest.FixtureRequest, tmp_path: Path, site: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Fleet]:
    """A fleet of three instances, of which nothing runs, with two good versions and one that dies."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(site), os.environ.get("PYTHONPATH", "")]))
    fleet = Fleet(tmp_path, production=2)
    releases = tmp_path / ("srv" if request.param == "plug-in" else "dist")
    for version, behaviour in BEHAVIOURS.items():
        name = version if request.param == "plug-in" else f"Svc-{version}"
        fleet.release(version, releases / name, **behaviour)
        executable(releases / name / "run", RUN)
    executable(tmp_path / "deploy", shown())
    known: dict[str, Any] = {"plug-in": PLUGIN}.get(request.param, COMMAND)
    if request.param != "command-with-status-only":
        known = known | {"version_probe": VERSION_PROBE}
    fleet.inventory(**known)
    yield fleet
    fleet.down()


def test_a_deploy_and_the_way_back(fleet: Fleet) -> None:
    told = fleet.deploy("1.0", "--baseline", "broken", "--waive", "way-back=nothing ran yet")
    assert told.end == (0, "deployed"), told
    assert fleet.versions() == fleet.all_at("1.0")
    before = fleet.listeners()

    assert fleet.deploy("2.0").end == (0, "deployed")
    assert fleet.versions() == fleet.all_at("2.0")
    assert not {pid for pids in before.values() for pid in pids} & {
        pid for pids in fleet.listeners().values() for pid in pids
    }

    assert fleet.rollback().end == (0, "rolled_back")
    assert fleet.versions() == fleet.all_at("1.0")

    told = fleet.deploy("3.0")
    assert told.data["ending"] == "rolled_back", told
    assert fleet.versions() == fleet.all_at("1.0")

    told = fleet.deploy("4.0")
    assert told.data["ending"] == "rolled_back", told
    (raised,) = fleet.raised()  # it stops processes that are still children of the deploy
    assert json.loads(raised.read_text())["ending"] == "rolled_back"
    assert fleet.versions() == fleet.all_at("1.0")


def test_a_version_that_there_is_not_is_refused(fleet: Fleet) -> None:
    told = fleet.deploy("9.0", "--baseline", "broken", "--waive", "way-back=nothing ran yet")
    assert told.data["ending"] == "refused", told
    assert fleet.versions() == dict.fromkeys(fleet.names)


def test_a_plug_in_that_is_not_installed_ends_the_run_before_anything_is_touched(tmp_path: Path) -> None:
    fleet = Fleet(tmp_path, production=2)
    fleet.inventory(deploy={"plugin": {"name": "nomad", "grace": "500ms"}})
    told = fleet.deploy("2.0")
    assert told.end == (3, "inventory_error"), told
    assert 'no driver called "nomad" is installed' in told.data["says"]
