"""The four instances of the shop's service, on hosts that others made, asked behind the gate's back."""

import json
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

import psutil
import yaml
from processes.fleet import FUSE, PYTHON, SERVICE, WATCH, Gate

SERVICE_NAME = "Svc"
NAMES = ("p-1", "s-1", "s-2", "s-3")  # the first is the parallel chain's


@dataclass(frozen=True, slots=True)
class Hosts:
    """Where the instances run, how their hosts are reached, and what the gate is given to be let in."""

    addresses: Sequence[tuple[str, int]]
    root: str
    ssh: Mapping[str, Any] | None = None
    given: Mapping[str, str] = field(default_factory=dict)  # by the names of the Action's inputs


class ShopFleet:
    """A service, `Svc`, that runs version 1.0 at first."""

    def __init__(self, folder: Path, hosts: Hosts, names: Sequence[str] = NAMES) -> None:
        self.folder, self.hosts = folder.resolve(), hosts
        self.places = dict(zip(names, hosts.addresses, strict=True))
        (self.folder / "ill").mkdir(parents=True)

    # What is written into the repository

    def inventory(self, version: str, *, health: Mapping[str, str] | None = None, **more: Any) -> str:
        """Return services.yml as it wants a version; `health` is what is otherwise in its probe."""
        program = ["env", f"FLEET={self.folder}", PYTHON, "-I", "-S", "service.py", "{host}", "{port}"]
        killstart = {"root": self.hosts.root, "start": program, "grace": "500ms"}
        instances = [{"name": name, "address": f"http://{host}:{port}"} for name, (host, port) in self.places.items()]
        service = {
            "purpose": "Answers.",
            "owners": {"ops": "nathan", "dev": "cory", "pm": "obaid"},
            "version": version,
            "artifact": "dist/Svc-{version}",
            "health": {**WATCH, **(health or {})},
            "version_probe": {"path": "/version", "json": "/version"},
            "rollout": {"bake": "150ms"},
            "deploy": {"killstart": killstart | ({"ssh": dict(self.hosts.ssh)} if self.hosts.ssh else {})},
            "instances": {"parallel-chain": instances[:1], "production": instances[1:]},
        } | more
        whole = {"schema": 1, "environments": ["parallel-chain", "production"], "services": {SERVICE_NAME: service}}
        return yaml.safe_dump(whole, sort_keys=False, width=1000)

    def release(self, version: str, **behaviour: Any) -> dict[str, str]:
        """Return the files of a release; `at` has the behaviour of single instances."""
        about = json.dumps({"version": version, **behaviour})
        return {
            f"dist/Svc-{version}/service.py": SERVICE.read_text(),
            f"dist/Svc-{version}/release.json": f"{about}\n",
        }

    # What is done

    def up(self) -> "ShopFleet":
        """Start version 1.0 everywhere, through the gate's own command line."""
        here = self.folder / "first"
        files = self.release("1.0") | {"services.yml": self.inventory("1.0", rollout={"bake": "0ms"})}
        for path, text in files.items():
            (here / path).parent.mkdir(parents=True, exist_ok=True)
            (here / path).write_text(text)
        words = ["deploy", SERVICE_NAME, "1.0", "--baseline", "broken", "--waive", "way-back=nothing ran yet"]
        clean = {key: value for key, value in os.environ.items() if not key.startswith(("GITHUB_", "DEPLOYGATE_"))}
        given = {f"DEPLOYGATE_{key.upper()}": value for key, value in self.hosts.given.items()}
        told = Gate(here, [*words, "--format", "json"], clean | given).told()
        assert told.end == (0, "deployed"), f"{told.out}\n{told.err}"
        assert self.versions() == self.all_at("1.0")
        return self

    def down(self) -> None:
        """End every process that carries this fleet's mark, each by its id, until there is none."""
        end = time.monotonic() + FUSE
        while living := list(self._marked()):
            assert time.monotonic() < end, living
            for process in living:
                with suppress(psutil.NoSuchProcess):
                    process.kill()
            time.sleep(0.01)

    # What is really there

    def all_at(self, version: str) -> dict[str, str | None]:
        return dict.fromkeys(self.places, version)

    def versions(self) -> dict[str, str | None]:
        """Return what every instance says it runs; each answer must come from the instance that was asked."""
        said = {name: self._ask(*place) for name, place in self.places.items()}
        assert all(one is None or one["instance"] == name for name, one in said.items()), said
        return {name: one["version"] if one else None for name, one in said.items()}

    @staticmethod
    def _ask(host: str, port: int) -> dict[str, Any] | None:
        connection = HTTPConnection(host, port, timeout=2)
        try:
            connection.request("GET", "/version")
            said: dict[str, Any] = json.loads(connection.getresponse().read())
        except (OSError, HTTPException, ValueError):
            return None
        else:
            return said
        finally:
            connection.close()

    def _marked(self) -> Iterator[psutil.Process]:
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                if process.environ().get("FLEET") == str(self.folder) and process.status() != psutil.STATUS_ZOMBIE:
                    yield process
