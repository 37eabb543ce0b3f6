"""A runner of jobs without containers: the Action's two entry points as processes, given what GitHub's own gives."""

import json
import os
import signal
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .checkout import checked_out
from .commands import commands, file_commands
from .runner import FUSE, PATIENCE, Given, Job, Ran
from .shop import FULL_NAME
from .workflows import PROJECT, action, defaults, given_inputs

FILES = ("GITHUB_OUTPUT", "GITHUB_STATE", "GITHUB_STEP_SUMMARY", "GITHUB_ENV", "GITHUB_PATH")


class Processes:
    """Runs jobs in folders of their own; nothing of one is left for the next."""

    def __init__(self, folder: Path, given: Given) -> None:
        self._folder, self._given = folder, given
        self._begun: list[JobProcess] = []
        self.more: dict[str, str] = {}  # that stands in the environment of the jobs besides, or in place of what does

    def begin(self, job: Job) -> "JobProcess":
        where = self._folder / f"job-{job.run.number}-{len(self._begun)}"
        repo = self._given.hub.repository(FULL_NAME)
        checked_out(repo, job.sha, where / "workspace")
        contexts: dict[str, Mapping[str, Any]] = {
            "github": {},
            "inputs": job.inputs,
            "secrets": self._given.secrets,
            "vars": self._given.variables,
        }
        contexts["github"] = {"token": self._given.hub.token(job.permissions, repositories=[FULL_NAME])}
        inputs = defaults(contexts) | given_inputs(job.workflow, contexts)
        running = JobProcess(where, self._environment(job, where) | _as_variables(inputs) | self.more)
        self._begun.append(running)
        return running

    def close(self) -> None:
        for one in self._begun:
            one.kill()

    def _environment(self, job: Job, where: Path) -> dict[str, str]:
        """Return what a runner says of a job in its environment."""
        event = where / "event.json"
        event.write_text(json.dumps(job.payload))
        temp, home = where / "temp", where / "home"
        temp.mkdir()
        home.mkdir()
        return {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
            "HOME": str(home),
            "CI": "true",
            "GITHUB_ACTIONS": "true",
            "GITHUB_ACTION": "gate",
            "GITHUB_ACTOR": job.run.actor.login,
            "GITHUB_API_URL": self._given.hub.url,
            "GITHUB_EVENT_NAME": job.event,
            "GITHUB_EVENT_PATH": str(event),
            "GITHUB_JOB": "gate",
            "GITHUB_REF": job.ref,
            "GITHUB_REF_NAME": job.ref.removeprefix("refs/heads/").removeprefix("refs/pull/"),
            "GITHUB_REPOSITORY": FULL_NAME,
            "GITHUB_REPOSITORY_OWNER": FULL_NAME.partition("/")[0],
            "GITHUB_RUN_ATTEMPT": str(job.attempt),
            "GITHUB_RUN_ID": str(job.run.number),
            "GITHUB_RUN_NUMBER": str(job.run.ordinal),
            "GITHUB_SERVER_URL": self._given.hub.web,
            "GITHUB_SHA": job.sha,
            "GITHUB_WORKFLOW": job.run.workflow.name,
            "GITHUB_WORKSPACE": str(where / "workspace"),
            "RUNNER_OS": "Linux",
            "RUNNER_TEMP": str(temp),
        }


class JobProcess:
    """The main step of a job, which runs, and the post step after it."""

    def __init__(self, where: Path, environment: Mapping[str, str]) -> None:
        self._where, self._environment = where, environment
        self._main = self._started("main", [sys.executable, "-m", "deploygate", *action()["runs"]["args"]], {})

    def cancel(self, patience: tuple[float, float] = PATIENCE) -> None:
        for number, seconds in zip((signal.SIGINT, signal.SIGTERM), patience, strict=True):
            self._main.send_signal(number)
            try:
                self._main.wait(seconds)
            except subprocess.TimeoutExpired:
                continue
            return
        self.kill()

    def terminate(self) -> None:
        self._main.terminate()
        self._main.wait(FUSE)

    def kill(self) -> None:
        self._main.kill()
        self._main.wait(FUSE)

    def goes(self) -> bool:
        return self._main.poll() is None

    def ran(self) -> Ran:
        try:
            code = self._main.wait(FUSE)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"it did not end within {FUSE:g} s\n{self._said('main')}") from None
        outputs = file_commands(self._file("main", "GITHUB_OUTPUT"))
        post = self.post()
        assert post.wait(FUSE) == 0, self._said("post")
        told = tuple(commands(self._said("main") + self._said("post")))
        return Ran(
            code == 0, outputs, told, self._file("main", "GITHUB_STEP_SUMMARY"),
            self._file("post", "GITHUB_STEP_SUMMARY"), self._said("main") + self._said("post"),
        )  # fmt: skip

    def post(self, name: str = "post", **more: str) -> "subprocess.Popen[bytes]":
        """Start the post step; `more` is otherwise in its environment."""
        kept = file_commands(self._file("main", "GITHUB_STATE"))
        return self._started(name, _post(), {f"STATE_{key}": value for key, value in kept.items()} | more)

    def _started(self, name: str, words: list[str], more: Mapping[str, str]) -> "subprocess.Popen[bytes]":
        files = {variable: self._where / name / variable for variable in FILES}
        (self._where / name).mkdir()
        for file in files.values():
            file.touch()
        environment = {**self._environment, **more, **{key: str(file) for key, file in files.items()}}
        with (self._where / name / "said").open("wb") as said:
            return subprocess.Popen(
                words,
                cwd=self._where / "workspace",
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.STDOUT,
            )

    def _file(self, name: str, variable: str) -> str:
        return (self._where / name / variable).read_text()

    def _said(self, name: str) -> str:
        return (self._where / name / "said").read_text()


def _as_variables(inputs: Mapping[str, str]) -> dict[str, str]:
    return {f"INPUT_{name.replace(' ', '_').upper()}": value for name, value in inputs.items()}


def _post() -> list[str]:
    """Return how the post step's program is started from this checkout, by the name that action.yml has for it."""
    name = Path(action()["runs"]["post-entrypoint"]).name
    module, _, function = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]["scripts"][name].partition(
        ":"
    )
    program = f"import sys; sys.argv[0] = {name!r}; from {module} import {function}; sys.exit({function}())"
    return [sys.executable, "-c", program, *action()["runs"]["args"]]
