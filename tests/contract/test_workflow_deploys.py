"""A fleet is deployed and taken back on the command line by a workflow, one run of it for each instance."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from processes.fleet import Fleet

from contract.real_service import RUN, executable
from contract.test_programs import DEPLOY, shown
from deploygate.adapters.hosts.programs import ProgramsDriver
from deploygate.cli.loading import load_inventory
from deploygate.events import Change, Start
from deploygate.fake_github import Dispatch, FakeGitHub
from deploygate.names import InstanceName, RunId, ServiceName, Version
from deploygate.ways import GIVEN, Programs

FILE = "deploy-instance.yml"
TEXT = f"on: {{workflow_dispatch: {{inputs: {{{', '.join(f'{name}: {{}}' for name in GIVEN)}}}}}}}"
VERSION_PROBE = {"path": "/version", "json": "/version", "identity": {"json": "/boot"}}
BEHAVIOURS: dict[str, dict[str, Any]] = {"1.0": {}, "2.0": {}, "3.0": {"dies": "no such database"}}
WORKFLOW = {"workflow": {"file": FILE, "timeout": "50s", "begin": "20s"}}


@pytest.fixture
def fleet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Fleet]:
    """A fleet of three instances at 1.0, and a workflow that changes one of them."""
    monkeypatch.setenv("FLEET", str(tmp_path))
    fleet = Fleet(tmp_path, production=2)
    for version, behaviour in BEHAVIOURS.items():
        fleet.release(version, tmp_path / "dist" / f"Svc-{version}", **behaviour)
        executable(tmp_path / "dist" / f"Svc-{version}" / "run", RUN)
    executable(tmp_path / "deploy", shown())
    fleet.inventory(version_probe=VERSION_PROBE, deploy=WORKFLOW)
    yield fleet
    fleet.down()


@pytest.fixture
def github(fleet: Fleet) -> Iterator[FakeGitHub]:
    loaded = load_inventory(fleet.folder / "services.yml").inventory
    assert loaded is not None
    programs = Programs(DEPLOY, DEPLOY, DEPLOY, stage=DEPLOY, timeout=30.0, grace=0.5)
    service = replace(loaded.services[ServiceName("Svc")], deploy=programs)
    runner = ProgramsDriver(fleet.folder, RunId("workflow"))

    def deploy(instance: str, version: str) -> bool:
        start = Start(InstanceName(instance), Version(version))
        change = Change(start.instance, None, start.version)
        return not (runner.stage(service, [start]) or runner.switch(service, [change], RunId("workflow")))

    def deploy_instance(dispatched: Dispatch) -> None:
        dispatched.run.start()
        done = deploy(dispatched.inputs["instance"], dispatched.inputs["version"])
        dispatched.run.complete("success" if done else "failure")

    assert all(deploy(name, "1.0") for name in fleet.names)
    fleet.wait(lambda: fleet.versions() == fleet.all_at("1.0"))
    with FakeGitHub() as github:
        repository = github.repository("acme/shop")
        repository.commit({f".github/workflows/{FILE}": TEXT}, "Deploy an instance")
        repository.workflow(FILE, inputs=GIVEN, on_dispatch=deploy_instance)
        fleet.environment = {
            "GITHUB_TOKEN": github.token({"actions": "write", "contents": "read"}),
            "GITHUB_REPOSITORY": "acme/shop",
            "GITHUB_API_URL": github.url,
        }
        yield github


def test_a_deploy_a_version_that_dies_and_the_way_back(fleet: Fleet, github: FakeGitHub) -> None:
    runs = github.repository("acme/shop").runs
    assert fleet.deploy("2.0").end == (0, "deployed")
    assert fleet.versions() == fleet.all_at("2.0")
    assert [run.inputs["instance"] for run in runs.values()] == list(fleet.names)

    told = fleet.deploy("3.0")
    assert told.data["ending"] == "rolled_back", told
    assert fleet.versions() == fleet.all_at("2.0")
    changes = [(run.inputs["instance"], run.inputs["version"]) for run in list(runs.values())[3:]]
    assert changes == [("p-1", "3.0"), ("p-1", "2.0")]


def test_without_a_token_a_deploy_is_refused_and_an_observation_is_not(fleet: Fleet, github: FakeGitHub) -> None:
    del fleet.environment["GITHUB_TOKEN"]
    told = fleet.deploy("2.0")
    assert told.data["ending"] == "refused", told
    assert "GITHUB_TOKEN or GITHUB_REPOSITORY is not set" in told.why
    assert fleet.versions() == fleet.all_at("1.0")
    assert fleet.run("observe", "Svc").code == 0
    assert github.requests == []
