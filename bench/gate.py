"""deploygate as a contestant: its inventory for a fleet, and its command line."""

import json
import subprocess
import sys
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


def write_inventory(fleet: Fleet, python: str, health: Health) -> None:
    """Write the reviewed file that the gate wants. JSON is YAML."""
    instances = [{"name": one.name, "address": f"http://{one.host}:{one.port}"} for one in fleet.instances]
    start = [python, "-I", "-S", "service.py", "--host", "{host}", "--port", "{port}", "--instance", "{instance}"]
    way: dict[str, object] = {"root": str(fleet.root), "start": start, "grace": "5s"}
    if fleet.access:
        way["ssh"] = {"port": fleet.access.port}
    service = {
        "purpose": "Answers for its health and version, so that a roll can be timed.",
        "owners": {"ops": "a", "dev": "b", "pm": "c"},
        "version": "v2",
        "health": health,
        "version_probe": {"path": "/version", "json": "/version"},
        "rollout": {"bake": "0s"},
        "deploy": {"killstart": way},
        "instances": {"production": instances},
        "waive": {"no-twin": "a benchmark"},
    }
    document = {
        "schema": 1,
        "environments": ["parallel-chain", "production"],
        "limits": {"job": "1000h"},
        "services": {"Bench": service},
    }
    (fleet.root / "services.yml").write_text(json.dumps(document, indent=1))


def deploy(fleet: Fleet, version: str, *options: str) -> list[str]:
    """Return the command that rolls a fleet to a version."""
    inventory, state = str(fleet.root / "services.yml"), str(fleet.root / "state")
    if fleet.access:
        given = {"key": fleet.access.key, "known-hosts": fleet.access.known_hosts, "config": fleet.access.config}
        options += tuple(word for name, path in given.items() for word in (f"--ssh-{name}", str(path)))
    return [str(PROGRAM), "deploy", "Bench", version, "--inventory", inventory, "--state", state, *options]


def start(fleet: Fleet, version: str, python: str, health: Health = FIRST_ANSWER) -> None:
    """Start a fleet through the gate itself, so that the processes are in its own records."""
    write_inventory(fleet, python, health)
    argv = deploy(fleet, version, "--baseline", "broken", "--progress", "none")
    env = fleet.environment(version, python)
    done = subprocess.run(argv, check=False, capture_output=True, text=True, env=env, start_new_session=True)
    if done.returncode != 0 or not fleet.all_answer(version):
        said = (done.stdout + done.stderr)[:1000]
        raise RuntimeError(f"deploygate did not start the fleet (exit {done.returncode}):\n{said}")
