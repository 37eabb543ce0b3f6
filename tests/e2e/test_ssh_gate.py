"""The whole gate against real hosts: the command line, the journal, the rollback that it raises, the lease."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from processes.fleet import FUSE, WATCH, Gate, Told

from .ssh_fleet import SshFleet, needs_hosts

pytestmark = needs_hosts


class Gated:
    """An inventory of three instances on hosts, and the command line."""

    def __init__(self, folder: Path) -> None:
        self.fleet = SshFleet(folder, 3)
        self.folder = folder
        places = [{"name": str(one.name), "address": one.address} for one in self.fleet.service.instances]
        service: dict[str, Any] = {
            "purpose": "Answers.",
            "owners": {"ops": "nathan", "dev": "cory", "pm": "obaid"},
            "version": "1.0",
            "artifact": "dist/Svc-{version}",
            "health": WATCH | {"passes": 1, "min_healthy": "50ms"},
            "version_probe": {"path": "/version", "json": "/version"},
            "rollout": {"bake": "50ms"},
            "deploy": {
                "killstart": {
                    "root": self.fleet.root,
                    "start": ["./run", "{host}", "{port}"],
                    "grace": "500ms",
                    "ssh": {"port": self.fleet.sshd.port},
                }
            },
            "instances": {"parallel-chain": places[:1], "production": places[1:]},
        }
        whole = {"schema": 1, "environments": ["parallel-chain", "production"], "services": {"Svc": service}}
        (folder / "services.yml").write_text(json.dumps(whole))
        inputs = self.fleet.sshd.inputs
        self.key = (folder / "hosts/key").read_text().rstrip()
        self.given = {
            "DEPLOYGATE_SSH_KEY": self.key,
            "DEPLOYGATE_SSH_KNOWN_HOSTS": str(inputs.known_hosts),
            "DEPLOYGATE_SSH_CONFIG": str(inputs.config),
        }

    def run(self, *words: str, **given: str) -> Told:
        return self.begun(*words, **given).told()

    def elsewhere(self, *words: str) -> Told:
        """Run a verb as a machine of the same name would, which knows nothing of this one."""
        call = ["unshare", "--pid", "--fork", "--mount-proc", sys.executable, "-m", "deploygate", *words]
        call += ["-i", str(self.folder / "services.yml"), "--state", str(self.folder / "elsewhere"), "--format", "json"]
        done = subprocess.run(
            call, capture_output=True, text=True, check=False, timeout=FUSE, env=os.environ | self.given
        )
        return Told(done.returncode, done.stdout, done.stderr)

    def begun(self, *words: str, **given: str) -> Gate:
        where = self.folder / "gates" / str(len(list(self.folder.glob("gates/*"))))
        where.mkdir(parents=True)
        clean = {key: value for key, value in os.environ.items() if not key.startswith(("GITHUB_", "DEPLOYGATE_"))}
        inventory = ["-i", str(self.folder / "services.yml"), "--format", "json"]
        return Gate(where, [*words, *inventory], clean | self.given | given)

    def up(self) -> None:
        told = self.run("deploy", "Svc", "1.0", "--baseline", "broken", "--waive", "way-back=nothing ran yet")
        assert told.end == (0, "deployed"), told

    def versions(self) -> list[str]:
        return [self.fleet.answers(number) for number in range(3)]


@pytest.fixture
def gated(tmp_path: Path) -> Iterator[Gated]:
    made = Gated(tmp_path)
    yield made
    made.fleet.down()


def test_a_good_version_is_deployed_and_a_bad_one_is_rolled_back_by_a_raised_rollback(gated: Gated) -> None:
    gated.up()
    assert gated.versions() == ["1.0"] * 3
    told = gated.run("deploy", "Svc", "2.0")
    assert told.end == (0, "deployed"), told
    assert gated.versions() == ["2.0"] * 3
    gated.fleet.release("3.0", at={"i3": {"dies": "no such table"}})
    told = gated.run("deploy", "Svc", "3.0")
    assert told.end == (6, "rolled_back"), told
    assert gated.versions() == ["2.0"] * 3
    assert "no such table" in told.out
    for number in range(3):
        assert not gated.fleet.lease_file(number).exists()
    assert "PRIVATE KEY" not in told.out + told.err
    found = [path for path in (gated.folder / ".deploygate").rglob("*") if path.is_file()]
    assert found
    assert not [path for path in found if "PRIVATE KEY" in path.read_text()]


def test_hosts_that_another_run_holds_are_left_alone(gated: Gated) -> None:
    gated.up()
    fleet = gated.fleet
    assert fleet.claim(fleet.lease("elsewhere")) == ()
    told = gated.run("deploy", "Svc", "2.0")
    assert told.end == (5, "locked"), told
    assert gated.versions() == ["1.0"] * 3
    told = gated.run("deploy", "Svc", "2.0", "--take-over", "elsewhere")
    assert told.end == (0, "deployed"), told


def test_a_host_that_is_gone_before_the_start_refuses_the_run(gated: Gated) -> None:
    gated.up()
    gated.fleet.sshd.dies(2)
    told = gated.run("deploy", "Svc", "2.0")
    assert told.end == (4, "refused"), told
    assert "can't be reached: Connection refused" in told.out
    assert gated.versions() == ["1.0"] * 3


def test_an_option_of_ssh_that_is_neither_a_file_nor_a_text_is_a_usage_error_that_does_not_show_it(
    gated: Gated,
) -> None:
    told = gated.run("observe", DEPLOYGATE_SSH_KEY="s3cret")
    assert (told.code, told.data["says"]) == (2, "--ssh-key is neither a file that is there nor the text of one")
    assert "s3cret" not in told.out + told.err


def test_the_text_of_a_key_is_refused_on_a_command_line_and_not_shown(gated: Gated) -> None:
    told = gated.run("observe", "--ssh-key", gated.key)
    says = "--ssh-key has the text of a key, which every user of this machine can read on a command line"
    assert (told.code, told.data["says"]) == (2, says)
    assert "PRIVATE KEY" not in told.out + told.err
    assert gated.run("observe", "--ssh-key", str(gated.folder / "hosts/key")).code == 9  # nothing runs there yet


def test_a_deploy_whose_hosts_were_taken_over_ends_there_and_raises_no_rollback(gated: Gated) -> None:
    gated.up()
    fleet = gated.fleet
    inventory = gated.folder / "services.yml"
    inventory.write_text(inventory.read_text().replace('"bake": "50ms"', '"bake": "3s"'))
    gate = gated.begun("deploy", "Svc", "2.0")
    fleet.until(lambda: fleet.answers(1) == "2.0")
    words = fleet.lease_file().read_text().split()
    assert fleet.claim(fleet.lease("elsewhere"), words[0]) == ()
    told = gate.told()
    assert told.end == (10, "interrupted"), told
    assert told.data["why"] == "deploy run elsewhere took over the lock"
    assert gated.versions() == ["2.0", "2.0", "1.0"]
    for number in range(3):
        assert fleet.lease_file(number).read_text().startswith("elsewhere deploy ")


def test_the_hosts_of_a_gate_that_was_killed_go_to_another_machine_by_name_or_to_a_rollback(gated: Gated) -> None:
    gated.up()
    fleet = gated.fleet
    inventory = gated.folder / "services.yml"
    inventory.write_text(inventory.read_text().replace('"bake": "50ms"', '"bake": "3s"'))
    gate = gated.begun("deploy", "Svc", "2.0")
    fleet.until(lambda: fleet.answers(1) == "2.0")
    gate.kill()
    run, _, machine = fleet.lease_file().read_text().split()[:3]
    told = gated.elsewhere("deploy", "Svc", "2.0")
    assert told.end == (5, "locked"), told
    assert told.why.startswith(f"deploy run {run} on {machine} (since ")
    assert f"if you know that it is over: --take-over {run}" in told.why
    assert gated.versions() == ["2.0", "2.0", "1.0"]
    told = gated.elsewhere("deploy", "Svc", "2.0", "--take-over", run)
    assert told.end == (0, "deployed"), told
    assert gated.versions() == ["2.0"] * 3
