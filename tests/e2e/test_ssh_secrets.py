"""Secrets reach a host's process, and nothing and nobody else."""

import json
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import psutil
import pytest

from deploygate.ways import Argv, Script

from .ssh_fleet import RUN, SshFleet, needs_hosts
from .sshd import tools
from .test_ssh_gate import Gated

pytestmark = needs_hosts
MARK = f"t0p-{os.getpid()} "  # so that tests beside these are not seen
SECRET = f"{MARK}'secret' $(touch owned)\n\"second\" line \\"


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[SshFleet]:
    made = SshFleet(tmp_path, 1, environ={"PASSWORD": SECRET}, secrets=("PASSWORD",))
    yield made
    made.down()


class Watch:
    """Reads the words of every process, and its environment, as often as it can."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.there: set[str] = set()  # the words of what had it in its environment, but for the service: on hosts,
        self.here: set[str] = set()  # and on the gate's machine
        self.looks = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._look)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._stop.is_set():
            self.looks += 1
            for path in Path("/proc").glob("[0-9]*"):
                try:
                    words = (path / "cmdline").read_bytes()
                    environ = (path / "environ").read_bytes()
                except OSError:
                    continue
                if MARK.encode() in words:
                    self.seen.append(words.decode(errors="replace"))
                if MARK.encode() in environ and b"DEPLOYGATE_PIDFILE=" not in environ:
                    (self.there if b"SSH_CONNECTION=" in environ else self.here).add(words.decode(errors="replace"))


def test_a_secret_is_in_the_environment_of_the_process_and_among_no_words(fleet: SshFleet) -> None:
    with Watch() as watch:
        fleet.up()
        assert fleet.answers() == "1.0"
    assert (watch.seen, watch.looks > 3) == ([], True)
    pid = int(str(fleet.process().identity).split(":")[1])
    assert psutil.Process(pid).environ()["PASSWORD"] == SECRET
    found = [path for path in fleet.disk().rglob("*") if path.is_file() and MARK in path.read_text(errors="replace")]
    assert found == [fleet.disk() / ".deploygate/secrets/1.0"]
    assert found[0].stat().st_mode & 0o777 == 0o600
    assert found[0].parent.stat().st_mode & 0o777 == 0o700


def test_the_way_back_needs_no_secret_of_the_gate(fleet: SshFleet) -> None:
    fleet.up("1.0")
    assert fleet.stage("2.0") == ()
    assert fleet.switch("2.0", "1.0") == ()
    fleet.driver._environ = {}  # noqa: SLF001 - a rollback of another gate
    assert fleet.switch("1.0", "2.0") == ()
    assert fleet.answers() == "1.0"
    pid = int(str(fleet.process().identity).split(":")[1])
    assert psutil.Process(pid).environ()["PASSWORD"] == SECRET


def test_a_secret_that_the_gate_does_not_have_is_said_before_anything_is_copied(fleet: SshFleet) -> None:
    fleet.driver._environ = {}  # noqa: SLF001 - it is the environment's business
    (trouble,) = fleet.stage()
    assert trouble.says == (
        "Svc 1.0 can't be staged: the gate's environment has no PASSWORD, which the process is to get"
    )


def test_a_secret_that_a_service_prints_is_not_told(fleet: SshFleet) -> None:
    fleet.deployed(start=Script('echo "password: $PASSWORD" >&2; exit 1'))
    assert fleet.claim() == ()
    assert fleet.stage() == ()
    assert fleet.switch("1.0") == ()
    fleet.until(lambda: not fleet.process().alive)
    says = fleet.process().says
    assert says == "1.0 is not running; its log ends: password: *** | ***"


def test_a_supervisor_is_told_where_the_secrets_are(fleet: SshFleet) -> None:
    start = Script('cat "$DEPLOYGATE_SECRETS" >"$DEPLOYGATE_ROOT/told"; echo 1')
    fleet.deployed(start=start, stop=Argv(("true",)), pid=Argv(("true",)))
    fleet.up()
    told = (fleet.disk() / "told").read_text()
    assert told.startswith(f"PASSWORD='{MARK}")


@pytest.mark.parametrize("without", [[], ["rsync"]], ids=["rsync", "tar"])
def test_nothing_on_the_way_has_a_secret_in_its_environment_nor_any_file_but_one(
    tmp_path: Path, without: list[str]
) -> None:
    path = tools(tmp_path / "bin", *without)
    fleet = SshFleet(tmp_path, 1, path=str(path), environ={"PASSWORD": SECRET}, secrets=("PASSWORD",))
    try:
        for number in range(20):
            (fleet.folder / f"dist/Svc-1.0/big-{number}").write_bytes(b"%d" % number * 200_000)
        with Watch() as watch:
            fleet.up()
            assert fleet.stage("2.0") == ()
            assert fleet.switch("2.0", "1.0") == ()
            assert fleet.answers() == "2.0"
            fleet.driver.leave(fleet.service, fleet.names, RUN)
        assert (watch.seen, watch.there, watch.here, watch.looks > 3) == ([], set(), set(), True)
        assert holding(tmp_path) == [fleet.disk() / f".deploygate/secrets/{version}" for version in ("1.0", "2.0")]
    finally:
        fleet.down()


def holding(folder: Path) -> list[Path]:
    """Return the files that have the secret in them."""
    files = [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]
    return sorted(path for path in files if MARK.encode() in path.read_bytes())


def test_a_whole_gate_writes_no_secret_anywhere_but_there_and_no_program_of_a_host_but_the_service_has_it(
    tmp_path: Path,
) -> None:
    gated = Gated(tmp_path)
    try:
        inventory = tmp_path / "services.yml"
        whole = json.loads(inventory.read_text())
        whole["services"]["Svc"]["deploy"]["killstart"]["secrets"] = ["PASSWORD"]
        inventory.write_text(json.dumps(whole))
        gated.given["PASSWORD"] = SECRET
        with Watch() as watch:
            gated.up()
            gated.fleet.release("2.0", at={"i3": {"dies": "no such table"}})
            assert gated.run("deploy", "Svc", "2.0").end == (6, "rolled_back")
        assert (watch.seen, watch.there, watch.looks > 3) == ([], set(), True)
        assert {words.split("\0")[0] for words in watch.here} & {"ssh", "rsync", "/bin/sh"} == set()
        secrets = [
            gated.fleet.disk(n) / f".deploygate/secrets/{version}" for n in range(3) for version in ("1.0", "2.0")
        ]
        assert holding(tmp_path) == sorted(secrets)
    finally:
        gated.fleet.down()
