"""A service, `Demo`, on hosts that others made: its releases, its inventory, and the gate's command line for it."""

import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from processes.fleet import WATCH, Gate, Told

from .asked import Said, ask

SERVICE = Path(__file__).parent / "service.pl"


@dataclass(frozen=True, slots=True)
class Place:
    """Where one instance runs: the host as ssh knows it, and the address where it is asked."""

    host: str
    address: str
    port: int


class Demo:
    """One instance in the parallel chain, `p-1`, and the rest, `s-1` and so on, in production."""

    def __init__(self, folder: Path, places: list[Place], killstart: dict[str, Any], options: list[str]) -> None:
        self.folder = folder.resolve()
        self.places = {f"s-{number}" if number else "p-1": place for number, place in enumerate(places)}
        self._killstart = killstart
        self._options = options
        self._runs = 0
        self.release("1.0")
        self.release("2.0")
        self._inventory()

    def release(self, version: str, *marks: str) -> None:
        """Build a release; one with the mark `ill`, `dies` or `stubborn` is so."""
        folder = self.folder / "dist" / f"Demo-{version}"
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(SERVICE, folder)
        (folder / "version").write_text(f"{version}\n")
        for mark in marks:
            (folder / mark).touch()

    def up(self) -> "Demo":
        """Start version 1.0 everywhere, through the gate."""
        self.deploy("1.0", "--baseline", "broken", "--waive", "way-back=nothing ran yet", ends=(0, "deployed"))
        assert self.versions() == self.all_at("1.0")
        return self

    def deploy(self, version: str, *words: str, ends: tuple[int, str]) -> Told:
        """Deploy, and hold it to its exit code and ending."""
        return self._run("deploy", "Demo", version, *words, ends=ends)

    def rollback(self, *, ends: tuple[int, str]) -> Told:
        """Roll back, and hold it to its exit code and ending."""
        return self._run("rollback", "Demo", ends=ends)

    def said(self) -> dict[str, Said | None]:
        """Return what each instance says of itself."""
        return {name: ask(place.address, place.port) for name, place in self.places.items()}

    def versions(self) -> dict[str, str | None]:
        return {name: said["version"] if said else None for name, said in self.said().items()}

    def all_at(self, version: str) -> dict[str, str]:
        return dict.fromkeys(self.places, version)

    def _run(self, *words: str, ends: tuple[int, str]) -> Told:
        self._runs += 1
        where = self.folder / "gates" / str(self._runs)
        where.mkdir(parents=True)
        known = ["-i", str(self.folder / "services.yml"), "--format", "json", "--progress", "plain", *self._options]
        clean = {key: value for key, value in os.environ.items() if not key.startswith(("GITHUB_", "DEPLOYGATE_"))}
        told = Gate(where, [*words, *known], clean).told()
        assert told.end == ends, f"{told.out}\n{told.err}"
        return told

    def _inventory(self) -> None:
        """Write services.yml; YAML is at home with JSON."""
        instances = [
            {"name": name, "address": f"http://{place.address}:{place.port}", "host": place.host}
            for name, place in self.places.items()
        ]
        service = {
            "purpose": "Answers.",
            "owners": {"ops": "nathan", "dev": "cory", "pm": "obaid"},
            "version": "1.0",
            "artifact": "dist/Demo-{version}",
            "health": WATCH | {"deadline": "8s"},
            "version_probe": {"path": "/version", "json": "/version", "identity": {"json": "/started"}},
            "rollout": {"bake": "150ms"},
            "deploy": {"killstart": {"grace": "2s"} | self._killstart},
            "instances": {"parallel-chain": instances[:1], "production": instances[1:]},
        }
        whole = {"schema": 1, "environments": ["parallel-chain", "production"], "services": {"Demo": service}}
        (self.folder / "services.yml").write_text(json.dumps(whole, indent=1))
