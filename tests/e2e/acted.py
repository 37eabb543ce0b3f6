"""Runs jobs by an independent runner of Actions: act, which builds the Action's image and runs it as containers."""

import json
import re
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from scenarios.checkout import cloned
from scenarios.commands import Command
from scenarios.runner import FUSE, PATIENCE, Given, Job, Ran
from scenarios.shop import FULL_NAME
from scenarios.workflows import PROJECT

from .engine import UnobtainableError, docker, engine
from .images import python_image
from .parts import CACHE, as_root, found

USED = "OWNER/deploygate@v0"  # what the workflows use; act takes this checkout in its place
BASE = "python:3.13-slim"
TOO_NEW = re.compile(r"^ +(deployment: false|queue: max)\b.*\n", re.MULTILINE)  # act has no meaning for either
OTHERS = re.compile(r"uses: (actions/(?!checkout@)[\w-]+@\w+)")  # actions that can't be fetched, and steps don't reach
ABSENT = "runs: {using: composite, steps: [{run: 'echo this action is not here; exit 1', shell: sh}]}\n"
_LEVELS = {"error", "warning", "notice"}


@contextmanager
def action_source(folder: Path) -> Iterator[Path]:
    """Have a copy of this checkout, to build the Action's image from, and an engine with the base of that image.

    Raises:
        UnobtainableError: This machine can't have it.
    """
    with engine(), python_image(BASE):
        listed = ["git", "-C", str(PROJECT), "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
        names = subprocess.run(listed, capture_output=True, text=True, check=True, timeout=FUSE).stdout.split("\0")
        for name in names:
            if (PROJECT / name).is_file():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                (folder / name).write_bytes((PROJECT / name).read_bytes())
        for workflow in (folder / ".github/workflows").iterdir():
            workflow.write_text(TOO_NEW.sub("", workflow.read_text()))
        (folder / "absent").mkdir()
        (folder / "absent" / "action.yml").write_text(ABSENT)
        yield folder


class Act:
    """Runs jobs in containers; what a job has written is gone with them."""

    def __init__(self, folder: Path, given: Given, source: Path) -> None:
        self._folder, self._given = folder, given
        places = {USED: source} | dict.fromkeys(_others(source), source / "absent")
        self._known = [f"--local-repository={given.hub.web}/{used}={place}" for used, place in places.items()]
        self._begun: list[ActedJob] = []

    def begin(self, job: Job) -> "ActedJob":
        where = self._folder / f"job-{job.run.number}-{len(self._begun)}"
        cloned(self._given.hub.repository(FULL_NAME), job.sha, where / "shop")
        token = self._given.hub.token(job.permissions, repositories=[FULL_NAME])
        (where / "event.json").write_text(json.dumps(job.payload))
        _write_values(where / "secrets", {**self._given.secrets, "GITHUB_TOKEN": token})
        _write_values(where / "variables", self._given.variables)
        known = {
            "GITHUB_API_URL": self._given.hub.url,
            "GITHUB_SERVER_URL": self._given.hub.web,
            "GITHUB_REPOSITORY": FULL_NAME,
            "GITHUB_RUN_ID": str(job.run.number),
            "GITHUB_RUN_ATTEMPT": str(job.attempt),
            "GITHUB_REF": job.ref,
        }
        _write_values(where / "environment", known)
        words = [
            *(found("act"), job.event, "--json", "--rm", "--pull=false", "--no-cache-server", "--network", "host"),
            *("--platform", f"ubuntu-latest={BASE}", *self._known),
            *("--workflows", f".github/workflows/{job.workflow}", "--eventpath", str(where / "event.json")),
            *("--secret-file", str(where / "secrets"), "--var-file", str(where / "variables")),
            *("--env-file", str(where / "environment"), "--actor", job.run.actor.login),
            *("--action-cache-path", str(CACHE / "act-actions")),
        ]
        running = ActedJob(where, words)
        self._begun.append(running)
        return running

    def close(self) -> None:
        for one in self._begun:
            one.close()


class ActedJob:
    """A job that act runs; its main step is a container that is stopped as GitHub's own runner does it."""

    def __init__(self, where: Path, words: list[str]) -> None:
        self._said = where / "said"
        own = {"HOME": str(where), "XDG_CACHE_HOME": str(CACHE / "act"), "ACT_DISABLE_VERSION_CHECK": "1"}
        plain = ["env", *(f"{key}={value}" for key, value in own.items()), *words]
        with self._said.open("wb") as said:
            self._act = subprocess.Popen(
                [*(as_root() or ()), *plain],
                cwd=where / "shop",
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.STDOUT,
            )

    def cancel(self, patience: tuple[float, float] = PATIENCE) -> None:
        container = self._container()
        if not any(_ends(container, name, seconds) for name, seconds in zip(("INT", "TERM"), patience, strict=True)):
            _ends(container, "KILL", FUSE)

    def terminate(self) -> None:
        assert _ends(self._container(), "TERM", FUSE)

    def kill(self) -> None:
        assert _ends(self._container(), "KILL", FUSE)

    def goes(self) -> bool:
        return self._act.poll() is None  # act does not tell its steps apart from here; its end will do

    def ran(self) -> Ran:
        try:
            self._act.wait(FUSE)
        except subprocess.TimeoutExpired:
            self.close()
            raise AssertionError(f"it did not end within {FUSE:g} s\n{self._said.read_text()}") from None
        return _ran(self._said.read_text())

    def close(self) -> None:
        """End act, which removes its containers."""
        if self._act.poll() is None:
            words = [*(as_root() or ()), "kill", "-INT", str(self._act.pid)]
            subprocess.run(words, capture_output=True, timeout=FUSE, check=False)
            self._act.wait(FUSE)

    def _container(self) -> str:
        """Return the container of the one step that runs."""
        rows = docker("ps", "--no-trunc", "--format", "{{.ID}} {{.Image}}").splitlines()
        (one,) = (row.split()[0] for row in rows if "dockeraction" in row)
        return one


def _ends(container: str, name: str, within: float) -> bool:
    """Send a signal to the one process that a container is, and tell whether it is over within some seconds."""
    with suppress(UnobtainableError):  # it may be over by now
        docker("kill", "--signal", name, container)
    end = time.monotonic() + within
    while docker("ps", "--quiet", "--no-trunc", "--filter", f"id={container}"):
        if time.monotonic() > end:
            return False
        time.sleep(0.1)
    return True


def _others(source: Path) -> set[str]:
    """Return the actions by others that the project's workflows use."""
    return {used for file in (source / ".github/workflows").iterdir() for used in OTHERS.findall(file.read_text())}


def _write_values(path: Path, values: Mapping[str, str]) -> None:
    path.touch(mode=0o600)
    path.write_text("".join(f"{key}={json.dumps(value)}\n" for key, value in values.items()))


def _ran(said: str) -> Ran:
    """Read what act says of a job, a line of JSON for each thing that happened."""
    told: list[dict[str, Any]] = []
    for line in said.splitlines():
        with suppress(ValueError):
            told.append(json.loads(line))
    ends = [one["jobResult"] for one in told if one.get("jobResult", "skipped") != "skipped"]
    posts = [one for one in told if one.get("stage") == "Post" and "stepResult" in one]
    assert [one["stepResult"] for one in posts] == ["success"], said
    return Ran(
        bool(ends) and set(ends) == {"success"},
        {one["name"]: one["arg"] for one in told if one.get("command") == "set-output"},
        tuple(Command(one["command"], one["kvPairs"], one["arg"]) for one in told if one.get("command") in _LEVELS),
        "".join(one["content"] for one in told if one.get("command") == "summary" and one["stage"] == "Main"),
        "".join(one["content"] for one in told if one.get("command") == "summary" and one["stage"] == "Post"),
        "".join(f"{one['msg'].rstrip()}\n" for one in told if one.get("raw_output") or "command" in one) or said,
    )
