"""A gate that is killed behind a balancer, at the worst moments: the next run puts it right, and no request is lost."""

import json
import os
import signal
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from processes.fleet import Gate

from .balancing import NO_HAPROXY, NO_NGINX, NginxServer
from .served import Served, out, told
from .ssh_fleet import disks
from .test_contracts import LB

NEXT = {
    "restore": ({"p-1": "2.0"}, ("restore", "Svc")),
    "deploy": (None, ("deploy", "Svc", "2.0")),
    "rollback": ({}, ("rollback", "Svc")),
}


def put_right(fleet: Served, then: str) -> None:
    """Run the next verb, and hold the fleet to what it should be."""
    moved, words = NEXT[then]
    done = fleet.run(*words)
    assert done.code == 0, done
    settled = fleet.all_at("2.0") if moved is None else fleet.all_at("1.0") | moved
    assert fleet.versions() == settled


class Waits:
    """A program that says that it has begun, and does nothing more until it is killed."""

    def __init__(self, folder: Path) -> None:
        self.begun = folder / "begun"
        self.words = ["sh", "-c", f'echo "$$" >"{self.begun}"; exec sleep 600']

    def there(self) -> bool:
        return self.begun.exists() and bool(self.begun.read_text().strip())

    def kill(self) -> None:
        """End it, as the machine that it runs on would when the gate's is lost."""
        os.kill(int(self.begun.read_text()), signal.SIGKILL)


class ByProgram(Served):
    """Behind a HAProxy that a program of the user's own tells."""

    def balancer(self) -> dict[str, Any]:
        (self.folder / "lb.py").write_text(LB)
        words = [sys.executable, "-I", "-S", "lb.py", self.server.unix]  # type: ignore[union-attr]
        by = {"drain": [*words, "out"], "restore": [*words, "in"], "status": [*words, "status"]}
        return {"balancer": {"command": by, "drain": "2s"}}


def killed(fleet: Served, gate: Gate, waits: Waits) -> None:
    fleet.wait(waits.there, gate)
    gate.kill()
    waits.kill()
    fleet.balance()


@pytest.mark.parametrize("then", NEXT)
@pytest.mark.skipif(bool(NO_HAPROXY), reason=NO_HAPROXY)
def test_between_the_drain_and_the_switch(then: str, tmp_path: Path, stack: ExitStack) -> None:
    fleet = ByProgram(tmp_path, "haproxy", stack)
    waits = Waits(tmp_path)
    changed = json.loads((tmp_path / "services.yml").read_text())
    by = changed["services"]["Svc"]["balancer"]["command"]
    by["drain"] = ["sh", "-c", '"$@" && shift 6 && ' + waits.words[2], "drain", *by["drain"]]
    (tmp_path / "services.yml").write_text(json.dumps(changed))
    with fleet.load() as load:
        load.wait_for(50)
        killed(fleet, fleet.begin("deploy", "Svc", "2.0"), waits)
        assert out(fleet) == {"s-1"}
        assert fleet.versions() == fleet.all_at("1.0") | {"p-1": "2.0"}
        put_right(fleet, then)
        assert out(fleet) == set()
        load.wait_for(50)
    told(load, f"a gate killed between the drain and the switch, then {then}")


@pytest.mark.skipif(bool(NO_NGINX or disks()), reason=NO_NGINX or disks())
@pytest.mark.parametrize(("ssh", "then"), [("", "restore"), ("", "deploy"), ("", "rollback"), ("own", "rollback")])
def test_between_the_renaming_of_the_file_and_the_reload(ssh: str, then: str, tmp_path: Path, stack: ExitStack) -> None:
    fleet = Served(tmp_path, "nginx", stack, ssh=ssh)
    assert isinstance(fleet.server, NginxServer)
    waits = Waits(tmp_path)
    changed = json.loads((tmp_path / "services.yml").read_text())
    changed["services"]["Svc"]["balancer"]["nginx"]["reload"] = waits.words
    (tmp_path / "services.yml").write_text(json.dumps(changed))
    with fleet.load() as load:
        load.wait_for(50)
        killed(fleet, fleet.begin("deploy", "Svc", "2.0"), waits)
        assert fleet.server.file.read_text().count(" down;") == 1
        put_right(fleet, then)
        assert " down;" not in fleet.server.file.read_text()
        load.wait_for(50)
    told(load, f"a gate killed between the renaming and the reload of nginx{' over ssh' * bool(ssh)}, then {then}")
