"""The demo's fleet: the example of the talk, built, given free ports, started, and stopped again."""

import re
import runpy
import shutil
import socket
import time
from contextlib import ExitStack
from pathlib import Path

from deploygate.adapters.locks import FileLocks
from deploygate.adapters.shipped import shipped
from deploygate.cli.wiring import Gate, Places, open_gate
from deploygate.endings import Goal
from deploygate.errors import GateError
from deploygate.events import Change, Start
from deploygate.inventory import Service
from deploygate.names import Version
from deploygate.probe import Health

_ADDRESS = re.compile(r"127\.0\.0\.1:(\d+)")
_PATIENCE = 20.0  # seconds for the fleet to answer, and for a rollback under way to end


class DemoFleet:
    """A copy of examples/talk in a folder of its own, with its processes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._inventory = folder / "services.yml"
        self._mark = folder / ".deploygate-demo"

    def is_one(self) -> bool:
        """Tell whether the folder was made by a demo, so that it may be removed."""
        return self._mark.is_file()

    def start(self) -> None:
        """Copy, build, find free ports, start every instance at the version that the inventory wants.

        Raises:
            GateError: An instance does not answer.
        """
        self._mark.write_text("made by deploygate demo; `deploygate demo --stop` removes this folder\n")
        shutil.copytree(shipped("examples/talk"), self._folder, dirs_exist_ok=True)
        runpy.run_path(str(self._folder / "build.py"))["build"](self._folder / "dist")
        text = self._inventory.read_text()
        free = _free_ports(sorted(set(_ADDRESS.findall(text))))
        self._inventory.write_text(_ADDRESS.sub(lambda match: f"127.0.0.1:{free[match[1]]}", text))
        gate = open_gate(Places(self._inventory, None))
        try:
            for service in gate.inventory.services.values():
                self._change(gate, service, service.wanted)
            self._answering(gate)
        finally:
            gate.close()

    def stop(self) -> None:
        """Stop every instance, once no run changes any of them any more."""
        if not self._inventory.exists():
            return
        gate = open_gate(Places(self._inventory, None))
        try:
            locks = FileLocks(Places(self._inventory, None).kept / "locks", gate.world.run)
            for service in gate.inventory.services.values():
                end = time.monotonic() + _PATIENCE
                while locks.take(service.name, Goal.ROLLBACK)[1] and time.monotonic() < end:
                    time.sleep(0.1)
                self._change(gate, service, None)
        finally:
            gate.close()

    def _change(self, gate: Gate, service: Service, version: Version | None) -> None:
        hosts, names = gate.world.hosts, [one.name for one in service.instances]
        troubles = hosts.stage(service, [Start(name, version) for name in names]) if version else ()
        troubles += hosts.switch(service, [Change(name, None, version) for name in names], gate.world.run)
        if troubles and version:
            raise GateError(f"{troubles[0].instance}: {troubles[0].says}")

    def _answering(self, gate: Gate) -> None:
        end = time.monotonic() + _PATIENCE
        for service in gate.inventory.services.values():
            while True:
                seen = gate.world.prober.look(service, service.instances)
                if all(sighting.health is Health.HEALTHY for sighting in seen):
                    break
                if time.monotonic() > end:
                    ill = next(sighting for sighting in seen if sighting.health is not Health.HEALTHY)
                    raise GateError(f"{ill.instance} does not answer: {ill.says}")
                time.sleep(0.05)


def _free_ports(wanted: list[str]) -> dict[str, int]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in wanted]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return {port: one.getsockname()[1] for port, one in zip(wanted, sockets, strict=True)}
