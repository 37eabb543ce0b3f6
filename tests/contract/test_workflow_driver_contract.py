"""The workflow driver keeps the contract of drivers, with a workflow that runs the program of the command driver."""

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from contract.real_service import answered, deployed_by, executable, kill, release
from contract.test_programs import DEPLOY, shown
from deploygate.adapters.clock import SystemClock
from deploygate.adapters.github.client import Hub
from deploygate.adapters.github.following import Pace
from deploygate.adapters.github.workflow_driver import WorkflowDriver
from deploygate.adapters.hosts.programs import ProgramsDriver
from deploygate.contract import HostsContract
from deploygate.events import Change, Start
from deploygate.fake_github import Dispatch, FakeGitHub
from deploygate.inventory import Instance, Service
from deploygate.names import InstanceName, RunId, Secret, Version
from deploygate.ports import Hosts, Process
from deploygate.ways import GIVEN, Programs, Workflow

FILE = "deploy-one.yml"
TEXT = f"on: {{workflow_dispatch: {{inputs: {{{', '.join(f'{name}: {{}}' for name in GIVEN)}}}}}}}"


class Observed(WorkflowDriver):
    """The driver with eyes: in a fleet the service names its own process, and here those who run it do."""

    behind: ProgramsDriver
    programs: Service

    def process(self, service: Service, instance: Instance, *, answered: bool) -> Process:
        if answered:
            return super().process(service, instance, answered=answered)
        return self.behind.process(self.programs, instance, answered=False)


class TestWorkflowDriver(HostsContract):
    proves = False

    @pytest.fixture
    def service(self) -> Service:
        return deployed_by(Workflow(FILE, timeout=60.0, begin=30.0), count=2)

    @pytest.fixture
    def hosts(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, service: Service) -> Iterator[Hosts]:
        monkeypatch.setenv("FLEET", str(tmp_path))
        executable(tmp_path / "deploy", shown())
        for version in ("1.0", "2.0"):
            release(tmp_path / "dist" / f"Svc-{version}", version)
        runner = ProgramsDriver(tmp_path, RunId("workflow"))
        programs = replace(service, deploy=Programs(DEPLOY, DEPLOY, DEPLOY, stage=DEPLOY, timeout=30.0, grace=2.0))

        def deploy_one(dispatched: Dispatch) -> None:
            dispatched.run.start()
            told = dispatched.inputs
            instance, start = InstanceName(told["instance"]), Version(told["version"]) if told["version"] else None
            change = Change(instance, None, start, keep=told["keep"] == "true")
            wrong = runner.stage(programs, [Start(instance, start)] if start else [])
            wrong = wrong or runner.switch(programs, [change], RunId("workflow"))
            dispatched.run.complete("failure" if wrong else "success")

        with FakeGitHub() as github:
            repository = github.repository("acme/shop")
            repository.commit({f".github/workflows/{FILE}": TEXT}, "Deploy one")
            repository.workflow(FILE, inputs=GIVEN, on_dispatch=deploy_one)
            token = Secret(github.token({"actions": "write", "contents": "read"}))
            made = Observed(
                lambda: Hub(github.url, token, "acme/shop"), RunId("contract-1"), SystemClock(), Pace(0.02, 0.1)
            )
            made.behind, made.programs = runner, programs
            with closing(made):
                yield made

    @pytest.fixture
    def seen(self) -> Callable[[Instance], str | None]:
        return answered

    @pytest.fixture
    def lose(self, hosts: Hosts, service: Service) -> Callable[[Instance], None]:
        return lambda one: kill(hosts.process(service, one, answered=False).identity)
