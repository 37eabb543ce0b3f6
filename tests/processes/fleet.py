"""A fleet of real processes in a folder of its own, driven by the command line and asked behind the gate's back."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

import psutil

FUSE = 60.0  # seconds after which a test fails rather than hangs
SERVICE = Path(__file__).parent / "service.py"
PYTHON = os.path.realpath(sys.executable)

WATCH = {
    "path": "/health", "interval": "50ms", "timeout": "1s", "passes": 2, "fails": 2,
    "min_healthy": "100ms", "deadline": "3s",
}  # fmt: skip


@dataclass(frozen=True)
class Told:
    """What a verb came to."""

    code: int
    out: str
    err: str

    @property
    def data(self) -> dict[str, Any]:
        """The account; a verb that told none fails the test with all that it said."""
        try:
            data: dict[str, Any] = json.loads(self.out)
        except ValueError:
            raise AssertionError(f"no JSON, exit code {self.code}\n{self.out}\n{self.err}") from None
        return data

    @property
    def end(self) -> tuple[int, str]:
        """The exit code and the ending."""
        return self.code, self.data["ending"]

    @property
    def rules(self) -> set[str]:
        """The rules that refused."""
        return {reason["rule"] for reason in self.data["reasons"]}

    @property
    def states(self) -> dict[str, str]:
        """What the account says of each instance."""
        return {row["instance"]: row["state"] for row in self.data["instances"]}

    @property
    def why(self) -> str:
        """Why it did not end as was asked."""
        return str(self.data["why"])


class Gate:
    """A verb that runs, in the background."""

    def __init__(self, folder: Path, words: Sequence[str], environment: dict[str, str]) -> None:
        self.out, self.err = folder / "out", folder / "err"
        with self.out.open("wb") as out, self.err.open("wb") as err:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "deploygate", *words],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                env=environment,
                cwd=folder,
            )

    def told(self) -> Told:
        try:
            code = self.process.wait(FUSE)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"it did not end within {FUSE} s\n{self.err.read_text()}") from None
        return Told(code, self.out.read_text(), self.err.read_text())

    def send(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(FUSE)


class Fleet:
    """One service, `Svc`, with an instance in the parallel chain (p-1) and some in production (s-1, s-2, ...)."""

    def __init__(self, folder: Path, production: int = 3, hosts: Sequence[str] = ()) -> None:
        self.folder = folder.resolve()
        self.host = f"127.{random.randint(1, 250)}.{random.randint(1, 250)}.{random.randint(1, 250)}"
        first = random.randint(10_000, 29_000)
        self.names = ("p-1", *(f"s-{number}" for number in range(1, production + 1)))
        self.hosts = dict(zip(self.names, hosts or [self.host] * len(self.names), strict=True))
        self.ports = {name: first + number for number, name in enumerate(self.names)}
        self.root = self.folder / "srv"
        self.state = self.folder / ".deploygate"
        self.python = (PYTHON, "-I", "-S", "service.py")
        self.environment: dict[str, str] = {}  # what the gates are given besides
        self._gates: list[Gate] = []
        (self.folder / "ill").mkdir()
        self.inventory()
        self.release("1.0")
        self.release("2.0")

    # What is written down

    def inventory(
        self,
        *,
        health: dict[str, Any] | None = None,
        rollout: dict[str, Any] | None = None,
        killstart: dict[str, Any] | None = None,
        **more: Any,
    ) -> None:
        """Write services.yml; YAML is at home with JSON."""
        start = [*self.python, "{host}", "{port}"]
        places = {
            name: {"name": name, "address": f"http://{self.hosts[name]}:{self.ports[name]}"} for name in self.names
        }
        service = {
            "purpose": "Answers.",
            "owners": {"ops": "nathan", "dev": "cory", "pm": "obaid"},
            "version": "1.0",
            "artifact": "dist/Svc-{version}",
            "health": WATCH | (health or {}),
            "version_probe": {"path": "/version", "json": "/version"},
            "rollout": {"bake": "150ms"} | (rollout or {}),
            "deploy": {"killstart": {"root": "srv", "start": start, "grace": "500ms"} | (killstart or {})},
            "instances": {
                "parallel-chain": [places["p-1"]],
                "production": [places[name] for name in self.names[1:]],
            },
        } | more
        whole = {"schema": 1, "environments": ["parallel-chain", "production"], "services": {"Svc": service}}
        (self.folder / "services.yml").write_text(json.dumps(whole, indent=1))

    def release(self, version: str, into: Path | None = None, **behaviour: Any) -> Path:
        """Build a release; `at` has the behaviour of single instances."""
        folder = into or self.folder / "dist" / f"Svc-{version}"
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(SERVICE, folder)
        (folder / "release.json").write_text(json.dumps({"version": version, **behaviour}))
        return folder

    # What is done

    def up(self) -> "Fleet":
        """Start version 1.0 everywhere, in haste, through the gate."""
        kept = (self.folder / "services.yml").read_text()
        whole = json.loads(kept)
        service = whole["services"]["Svc"]
        service["health"] |= {"passes": 1, "min_healthy": "0ms"}
        service["rollout"] = {"bake": "0ms"}
        (self.folder / "services.yml").write_text(json.dumps(whole))
        told = self.deploy("1.0", "--baseline", "broken", "--waive", "way-back=nothing ran yet")
        (self.folder / "services.yml").write_text(kept)
        assert told.end == (0, "deployed"), told
        assert self.versions() == self.all_at("1.0")
        return self

    def begin(self, *words: str, form: str = "json") -> Gate:
        """Start a verb and leave it running."""
        where = self.folder / "gates" / str(len(self._gates))
        where.mkdir(parents=True)
        known = ["-i", str(self.folder / "services.yml"), "--format", form]
        if words[0] != "observe":
            known += ["--progress", "plain"]
        clean = {key: value for key, value in os.environ.items() if not key.startswith(("GITHUB_", "DEPLOYGATE_"))}
        gate = Gate(where, [*words, *known], clean | self.environment | {"FLEET": str(self.folder)})
        self._gates.append(gate)
        return gate

    def run(self, *words: str, form: str = "json") -> Told:
        """Run a verb to its end."""
        return self.begin(*words, form=form).told()

    def deploy(self, version: str, *options: str) -> Told:
        return self.run("deploy", "Svc", version, *options)

    def rollback(self, *options: str) -> Told:
        return self.run("rollback", "Svc", *options)

    def down(self) -> None:
        """End every process that carries this fleet's mark, each by its id, until there is none."""
        for gate in self._gates:
            gate.kill()
        end = time.monotonic() + FUSE
        while living := list(self.marked()):
            assert time.monotonic() < end, living
            for process in living:
                with suppress(psutil.NoSuchProcess):
                    process.kill()
            time.sleep(0.01)

    # What is really there, asked without the gate

    def all_at(self, version: str) -> dict[str, str]:
        return dict.fromkeys(self.names, version)

    def answer(self, name: str, path: str = "/version") -> dict[str, Any] | None:
        """Ask an instance; None where nothing sensible comes."""
        connection = HTTPConnection(self.hosts[name], self.ports[name], timeout=2)
        try:
            connection.request("GET", path)
            said: dict[str, Any] = json.loads(connection.getresponse().read())
        except (OSError, HTTPException, ValueError):
            return None
        else:
            return said
        finally:
            connection.close()

    def versions(self) -> dict[str, str | None]:
        """Return what every instance says it runs; each answer must come from the instance that was asked."""
        said = {name: self.answer(name) for name in self.names}
        assert all(one is None or one["instance"] == name for name, one in said.items()), said
        return {name: one["version"] if one else None for name, one in said.items()}

    def listeners(self) -> dict[str, list[int]]:
        """Return the processes that listen on each instance's port, from the kernel's tables."""
        found: dict[str, list[int]] = {name: [] for name in self.names}
        by_port = {port: name for name, port in self.ports.items()}
        for one in psutil.net_connections("tcp"):
            if one.status == psutil.CONN_LISTEN and one.laddr and one.laddr.ip in self.hosts.values() and one.pid:
                found[by_port[one.laddr.port]].append(one.pid)
        return found

    def pid(self, name: str) -> int:
        (pid,) = self.listeners()[name]
        return pid

    def lose(self, name: str) -> None:
        """Kill an instance from outside."""
        os.kill(self.pid(name), signal.SIGKILL)
        self.wait(lambda: not self.listeners()[name])

    def recorded(self) -> dict[str, list[int]]:
        """Return the process that the gate holds to be each instance's."""
        folder = self.root / ".deploygate" / "instances"
        return {name: [int((folder / name / "pid").read_text())] for name in self.names}

    def launched(self) -> dict[str, list[int]]:
        """Return every living process that was ever started for each instance."""
        found: dict[str, list[int]] = {name: [] for name in self.names}
        for process in self.marked():
            with suppress(psutil.Error):
                place = process.environ().get("DEPLOYGATE_PIDFILE")
                if place:
                    found[Path(place).parent.name].append(process.pid)
        return found

    def assert_whole(self, version: str) -> None:
        """Every instance runs this version, in the one process that the gate knows, and nothing else is left."""
        assert self.versions() == self.all_at(version)
        listeners = self.listeners()
        assert listeners == self.recorded()
        assert listeners == self.launched()

    def marked(self) -> Iterator[psutil.Process]:
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                if process.environ().get("FLEET") == str(self.folder) and process.status() != psutil.STATUS_ZOMBIE:
                    yield process

    # What was written down by the gate

    def journals(self) -> list[Path]:
        """Return the journals, oldest first by the time of their first line."""
        files = (self.state / "runs" / "Svc").glob("*.jsonl")
        return sorted(
            (path for path in files if path.stat().st_size),
            key=lambda path: str(json.loads(path.read_bytes().partition(b"\n")[0])["at"]),
        )

    def lines(self, number: int = -1) -> list[dict[str, Any]]:
        """Return the whole lines of one journal."""
        return [json.loads(line) for line in self.journals()[number].read_bytes().split(b"\n")[:-1]]

    def switches(self, number: int = -1) -> list[list[tuple[str, str | None]]]:
        """Return what one run changed, in order, as (instance, started)."""
        return [
            [(change["instance"], change["start"]) for change in line["action"]["changes"]]
            for line in self.lines(number)
            if line["kind"] == "doing" and line["action"]["type"] == "Switch"
        ]

    def began(self, gate: Gate, *starts: tuple[str, str], runs: int = 1) -> None:
        """Wait until the run that a gate makes has done these switches (the journal beyond the `runs` earlier)."""

        def done() -> bool:
            if len(self.journals()) <= runs:
                return False
            lines = self.lines(runs)
            over = sum(1 for line in lines if line["kind"] == "done" and line["event"]["type"] == "Switched")
            made = self.switches(runs)[:over]
            return all([start] in made for start in starts)

        self.wait(done, gate)

    def wait(self, true: Callable[[], bool], gate: Gate | None = None) -> None:
        """Wait for something, but not for ever, nor for a gate that is over."""
        end = time.monotonic() + FUSE
        while not true():
            assert time.monotonic() < end
            if gate is not None and gate.process.poll() is not None:
                assert true(), gate.told()
                return
            time.sleep(0.002)

    def raised(self) -> list[Path]:
        """Return what the raised rollbacks wrote."""
        return sorted((self.state / "forge" / "raised").glob("*.json"))
