"""Secrets reach a host's process, and nothing and nobody else."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import psutil
import pytest

from deploygate.ways import Argv, Script

from .ssh_fleet import SshFleet, needs_hosts

pytestmark = needs_hosts
SECRET = "t0p 'secret' $(touch owned)\n\"second\" line \\"


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[SshFleet]:
    made = SshFleet(tmp_path, 1, environ={"PASSWORD": SECRET}, secrets=("PASSWORD",))
    yield made
    made.down()


class Watch:
    """Reads the words of every process as often as it can."""

    def __init__(self) -> None:
        self.seen: list[str] = []
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
            for path in Path("/proc").glob("[0-9]*/cmdline"):
                try:
                    words = path.read_bytes()
                except OSError:
                    continue
                if b"t0p " in words:
                    self.seen.append(words.decode(errors="replace"))


def test_a_secret_is_in_the_environment_of_the_process_and_among_no_words(fleet: SshFleet) -> None:
    with Watch() as watch:
        fleet.up()
        assert fleet.answers() == "1.0"
    assert (watch.seen, watch.looks > 3) == ([], True)
    pid = int(str(fleet.process().identity).split(":")[1])
    assert psutil.Process(pid).environ()["PASSWORD"] == SECRET
    found = [path for path in fleet.disk().rglob("*") if path.is_file() and "t0p" in path.read_text(errors="replace")]
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
    assert told.startswith("PASSWORD='t0p ")
