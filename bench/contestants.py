"""The contestants: what each runs to roll the same fleet by the same rule."""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import gate
import peers
from fleet import Fleet

ROLLS = Path(__file__).parent / "rolls"
PYTHON = os.path.realpath(sys.executable)  # no virtual environment, no shim: the service's and the limit's
LIMIT, GATE, FABRIC, ANSIBLE = "limit", "deploygate", "fabric", "ansible"


@dataclass(frozen=True, slots=True)
class Contestant:
    """One way to roll a fleet. `slow` ones run once, and not on the largest fleets unless asked to."""

    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    peer: bool = False
    slow: bool = False

    def command(self, fleet: Fleet, version: str) -> list[str]:
        """Return the command that rolls `fleet` to `version`."""
        root = str(fleet.root)
        return [word.replace("{root}", root) for word in self.argv] or gate.deploy(fleet, version)


ANSIBLE_ENV = {
    "ANSIBLE_PIPELINING": "1",
    "ANSIBLE_NOCOWS": "1",
    "ANSIBLE_RETRY_FILES_ENABLED": "0",
    "LC_ALL": "C.UTF-8",
}

LOCAL: dict[str, Contestant] = {
    LIMIT: Contestant((PYTHON, "-I", "-S", str(ROLLS / "limit.py"))),
    GATE: Contestant(()),
    "bash+curl": Contestant(("bash", str(ROLLS / "bash_curl.sh"))),
    "requests": Contestant((sys.executable, str(ROLLS / "requests_loop.py"))),
    FABRIC: Contestant((str(peers.program("python")), str(ROLLS / "fabric_local.py")), peer=True),
    "pyinfra": Contestant(
        (str(peers.program("pyinfra")), "--yes", "@local", str(ROLLS / "pyinfra_local.py")),
        peer=True,
    ),
    ANSIBLE: Contestant(
        (str(peers.program("ansible-playbook")), "-i", "{root}/hosts.ini", str(ROLLS / "ansible.yml")),
        ANSIBLE_ENV,
        peer=True,
        slow=True,
    ),
}

SSH: dict[str, Contestant] = {
    LIMIT: LOCAL[LIMIT],  # without ssh: nothing over it can be faster
    GATE: LOCAL[GATE],
    "bash+ssh+curl": Contestant(("bash", str(ROLLS / "bash_ssh.sh"))),
    FABRIC: Contestant((str(peers.program("python")), str(ROLLS / "fabric_ssh.py")), peer=True),
    "pyinfra": Contestant(
        (
            str(peers.program("pyinfra")),
            "--yes",
            "--serial",
            str(ROLLS / "pyinfra_hosts.py"),
            str(ROLLS / "pyinfra_ssh.py"),
        ),
        peer=True,
    ),
    ANSIBLE: Contestant(
        (str(peers.program("ansible-playbook")), "-i", "{root}/hosts.ini", str(ROLLS / "ansible_ssh.yml")),
        ANSIBLE_ENV,
        peer=True,
        slow=True,
    ),
}
