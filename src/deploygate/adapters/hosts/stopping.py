"""How a running release is stopped: by its own command where it has one, and for sure in any case."""

import os
import signal
import subprocess
import time
from contextlib import suppress
from typing import BinaryIO

from deploygate.adapters.commands import argv, environment, values
from deploygate.adapters.hosts import processes
from deploygate.adapters.hosts.layout import Layout
from deploygate.inventory import Instance, Service
from deploygate.names import Version
from deploygate.ways import killstart


def stop(service: Service, instance: Instance, running: Version | None, layout: Layout, pid: int) -> None:
    """Stop a process within the service's grace: a stop command, or SIGTERM, and SIGKILL when that is over.

    Raises:
        OSError: It could not be stopped.
    """
    way = killstart(service.deploy)
    grace, command = way.grace, way.stop
    if command is None or running is None:
        processes.end(pid, grace)
        return
    filled = values(service, instance, running, layout.root)
    told = environment(filled) | {"DEPLOYGATE_PID": str(pid)}
    began = time.monotonic()
    with layout.log(instance.name, running).open("ab") as log:
        try:
            child = subprocess.Popen(
                argv(command, filled),
                env=told,
                cwd=layout.release(running),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        except OSError as error:  # a command that can't be run is no reason to let the process live
            log.write(f"deploygate: the stop command can't be run: {error}\n".encode())
            asked = False
        else:
            asked = _followed(child, grace, log)
    processes.end(pid, max(0.0, grace - (time.monotonic() - began)), ask=not asked)


def _followed(child: "subprocess.Popen[bytes]", grace: float, log: BinaryIO) -> bool:
    """Wait for a stop command, kill it with all that it started when the grace is over, and say whether it did well."""
    try:
        code = child.wait(grace)
    except subprocess.TimeoutExpired:
        log.write(f"deploygate: the stop command did not end within {grace:g} s\n".encode())
        with suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        code = child.wait()
    return code == 0
