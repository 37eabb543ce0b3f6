"""deploygate as a contestant: its inventory for a fleet, and its command line."""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from fleet import Fleet

PROGRAM = Path(sys.executable).parent / "deploygate"


Health = dict[str, str | int]

FIRST_ANSWER: Health = {
    "path": "/health",
    "interval": "2s",
    "timeout": "5s",
    "passes": 1,
    "fails": 1,
    "min_healthy": "0s",
    "deadline": "30s",
}


@dataclass(frozen=True, slots=True)
class Written:
    """What an inventory of the bench says that is not always the same."""

    instances: Sequence[Mapping[str, str]]
    version_probe: Mapping[str, object]
    way: Mapping[str, object]
    health: Health
    wanted: str
    balancer: Mapping[str, object] | None = None


def write_inventory(fleet: Fleet, python: str, health: Health, balancer: Mapping[str, object] | None = None) -> None:
    """Write the inventory of a fleet; over ssh the service names its process, so that looks need no ssh."""
    instances = [{"name": one.name, "address": f"http://{one.host}:{one.port}"} for one in fleet.instances]
    start = [python, "-I", "-S", "service.py", "--host", "{host}", "--port", "{port}", "--instance", "{instance}"]
    way: dict[str, object] = {"root": str(fleet.root), "start": start, "grace": "5s"}
    version: dict[str, object] = {"path": "/version", "json": "/version"}
    if fleet.access:
        way["ssh"] = {"port": fleet.access.port}
        version["identity"] = {"header": "X-Process"}
    write_document(fleet.root, Written(instances, version, way, health, "v2", balancer))


def write_document(folder: Path, written: Written) -> None:
    """Write the reviewed file that the gate wants. JSON is YAML."""
    service = {
        "purpose": "Answers for its health and version, so that a roll can be timed.",
        "owners": {"ops": "a", "dev": "b", "pm": "c"},
        "version": written.wanted,
        "health": written.health,
        "version_probe": written.version_probe,
        "rollout": {"bake": "0s"},
        "deploy": {"killstart": written.way},
        "instances": {"production": written.instances},
        "waive": {"no-twin": "a benchmark"},
    }
    if written.balancer:
        service["balancer"] = written.balancer
    document = {
        "schema": 1,
        "environments": ["parallel-chain", "production"],
        "limits": {"job": "1000h"},
        "services": {"Bench": service},
    }
    (folder / "services.yml").write_text(json.dumps(document, indent=1))


def deploy(fleet: Fleet, version: str, *options: str) -> list[str]:
    """Return the command that rolls a fleet to a version."""
    return [str(PROGRAM), "deploy", "Bench", version, *_places(fleet), *options]


def rollback(fleet: Fleet) -> list[str]:
    """Return the command that takes a fleet back to where it came from."""
    return [str(PROGRAM), "rollback", "Bench", *_places(fleet)]


def _places(fleet: Fleet) -> list[str]:
    given = {"--inventory": fleet.root / "services.yml", "--state": fleet.root / "state"}
    if fleet.access:
        access = fleet.access
        given |= {"--ssh-key": access.key, "--ssh-known-hosts": access.known_hosts, "--ssh-config": access.config}
    return [word for name, path in given.items() for word in (name, str(path))]


def start(
    fleet: Fleet,
    version: str,
    python: str,
    health: Health = FIRST_ANSWER,
    balancer: Mapping[str, object] | None = None,
) -> None:
    """Start a fleet through the gate itself, so that the processes are in its own records."""
    write_inventory(fleet, python, health, balancer)
    argv = deploy(fleet, version, "--baseline", "broken", "--progress", "none")
    env = fleet.environment(version, python)
    done = subprocess.run(argv, check=False, capture_output=True, text=True, env=env, start_new_session=True)
    if done.returncode != 0 or not fleet.all_answer(version):
        said = (done.stdout + done.stderr)[:1000]
        raise RuntimeError(f"deploygate did not start the fleet (exit {done.returncode}):\n{said}")
