"""A real service to drive: releases of tests/processes/service.py, at free addresses of this machine."""

import json
import os
import random
import shutil
import signal
from http.client import HTTPConnection
from pathlib import Path

from made import service
from processes.fleet import PYTHON, SERVICE

from deploygate.inventory import Instance, Service
from deploygate.names import PRODUCTION, InstanceName
from deploygate.probe import HealthProbe
from deploygate.ways import Driver

RUN = f'#!/bin/sh\nexec {PYTHON} -I -S service.py "$@"\n'


def release(folder: Path, version: str) -> None:
    """Build a release that is started by `run HOST PORT`."""
    folder.mkdir(parents=True)
    shutil.copy(SERVICE, folder)
    (folder / "release.json").write_text(json.dumps({"version": version}))
    executable(folder / "run", RUN)


def executable(path: Path, text: str) -> Path:
    """Write a program."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


def deployed_by(way: Driver, count: int = 3) -> Service:
    """Return a service with some instances, whose artifacts are in `dist`."""
    host = f"127.{random.randint(1, 250)}.{random.randint(1, 250)}.{random.randint(1, 250)}"
    first = random.randint(10_000, 29_000)
    instances = tuple(
        Instance(InstanceName(f"s-{number}"), PRODUCTION, f"http://{host}:{first + number}")
        for number in range(1, count + 1)
    )
    health = HealthProbe(timeout=5.0)
    return service(instances=instances, deploy=way, artifact="dist/Svc-{version}", health=health)


def answered(one: Instance) -> str | None:
    """Return the version that an instance names when it is asked, None where nobody answers."""
    connection = HTTPConnection(one.host, one.port, timeout=2)
    try:
        connection.request("GET", "/version")
        said = json.loads(connection.getresponse().read())
    except OSError:
        return None
    finally:
        connection.close()
    assert said["instance"] == one.name, said
    return str(said["version"])


def kill(identity: str | None) -> None:
    """Kill a process by its identity, which begins with its number."""
    assert identity
    os.killpg(int(identity.partition("-")[0]), signal.SIGKILL)
