"""How a running release is stopped: by its own command where it has one, and for sure in any case."""

import subprocess
import time
from contextlib import suppress

from deploygate.adapters.hosts import processes
from deploygate.adapters.hosts.commands import argv, environment, values
from deploygate.adapters.hosts.layout import Layout
from deploygate.inventory import Instance, Service
from deploygate.names import Version


def stop(service: Service, instance: Instance, running: Version | None, layout: Layout, pid: int) -> None:
    """Stop a process within the service's grace: a stop command, or SIGTERM, and SIGKILL when that is over.

    Raises:
        OSError: It could not be stopped.
    """
    grace = service.deploy.grace
    command = service.deploy.stop
    if command is None or running is None:
        processes.end(pid, grace)
        return
    filled = values(service, instance, running, layout.root)
    began = time.monotonic()
    with suppress(subprocess.TimeoutExpired), layout.log(instance.name, running).open("ab") as log:
        subprocess.run(
            argv(command, filled),
            env=environment(filled) | {"DEPLOYGATE_PID": str(pid)},
            cwd=layout.release(running),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            timeout=grace,
            check=False,
            start_new_session=True,
        )
    processes.end(pid, max(0.0, grace - (time.monotonic() - began)), ask=False)
