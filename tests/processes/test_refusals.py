"""What is refused before anything is touched, and what goes wrong outside of the gate."""

import json
import os
import shutil
import signal
import socket

import psutil
import pytest

from .fleet import Fleet, Told


def assert_untouched(fleet: Fleet, before: dict[str, list[int]]) -> None:
    """The same processes run as before."""
    assert fleet.listeners() == before
    fleet.assert_whole("1.0")


@pytest.mark.parametrize(
    ("start", "says"),
    [
        (["./run", "{port}"], "2.0 can't be started: ./run is not in the release"),
        (["./service.py", "{port}"], "2.0 can't be started: ./service.py is not executable"),
        (["no-such-program-at-all"], "2.0 can't be started: no-such-program-at-all is not on the PATH"),
    ],
    ids=["missing", "not executable", "not on the PATH"],
)
def test_a_release_that_cannot_be_started_is_refused(fleet: Fleet, start: list[str], says: str) -> None:
    before = fleet.listeners()
    (fleet.folder / "dist" / "Svc-2.0" / "service.py").chmod(0o644)
    fleet.inventory(killstart={"start": start})
    told = fleet.deploy("2.0")
    assert (told.end, told.why) == ((4, "refused"), f"p-1: Svc {says} (and 7 more)")
    assert_untouched(fleet, before)


def test_a_version_without_an_artifact_is_refused(fleet: Fleet) -> None:
    before = fleet.listeners()
    told = fleet.deploy("9.9")
    assert told.end == (4, "refused")
    assert "9.9 is not installed" in told.why
    assert_untouched(fleet, before)


def test_a_deploy_whose_way_back_was_deleted_is_refused(fleet: Fleet) -> None:
    before = fleet.listeners()
    (fleet.root / "1.0").rename(fleet.folder / "kept")
    told = fleet.deploy("2.0")
    assert told.end == (4, "refused")
    assert "1.0 is not installed" in told.why
    (fleet.folder / "kept").rename(fleet.root / "1.0")
    assert_untouched(fleet, before)


def test_a_deploy_whose_way_back_was_tampered_with_is_refused(fleet: Fleet) -> None:
    before = fleet.listeners()
    with (fleet.root / "1.0" / "service.py").open("a") as file:
        file.write("# mended in place\n")
    told = fleet.deploy("2.0")
    assert told.end == (4, "refused")
    assert "1.0 is not what was staged: service.py has changed" in told.why
    assert_untouched(fleet, before)


def test_a_version_that_is_installed_never_changes(fleet: Fleet) -> None:
    assert fleet.deploy("2.0").end == (0, "deployed")
    assert fleet.rollback().end == (0, "rolled_back")
    before = fleet.listeners()
    fleet.release("2.0", slow=0.01)
    told = fleet.deploy("2.0")
    assert told.end == (4, "refused")
    assert "another release of 2.0 is installed already" in told.why
    assert_untouched(fleet, before)


def test_an_instance_that_is_down_before_the_start_refuses_the_deploy(fleet: Fleet) -> None:
    fleet.lose("s-2")
    before = fleet.listeners()
    told = fleet.deploy("2.0")
    assert (told.end, told.rules) == ((4, "refused"), {"baseline"})
    assert fleet.listeners() == before
    assert fleet.deploy("2.0", "--baseline", "broken").end == (0, "deployed")
    fleet.assert_whole("2.0")


def test_an_instance_that_hangs_before_the_start_is_rolled_if_that_is_asked_for(fleet: Fleet) -> None:
    os.kill(fleet.pid("s-2"), signal.SIGSTOP)
    told = fleet.deploy("2.0")
    assert (told.end, told.rules) == ((4, "refused"), {"baseline"})
    assert fleet.deploy("2.0", "--baseline", "broken").end == (0, "deployed")
    fleet.assert_whole("2.0")


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "stopped"])
def test_an_updated_instance_that_is_lost_on_the_way_fails_the_deploy(fleet: Fleet, number: signal.Signals) -> None:
    fleet.release("2.0", at={"s-2": {"slow": 1.0}})
    gate = fleet.begin("deploy", "Svc", "2.0")
    fleet.began(gate, ("s-2", "2.0"))
    os.kill(fleet.pid("s-1"), number)
    told = gate.told()
    assert told.end == (6, "rolled_back")
    says = "was ended by SIGKILL" if number == signal.SIGKILL else "no answer within 1 s"
    assert told.why.startswith("s-1: ")
    assert says in told.why
    fleet.assert_whole("1.0")


def test_an_untouched_instance_that_is_lost_on_the_way_stops_the_roll(fleet: Fleet) -> None:
    """The floor: with one instance down already, none that serves may be taken out."""
    fleet.release("2.0", at={"p-1": {"slow": 0.5}})
    gate = fleet.begin("deploy", "Svc", "2.0")
    fleet.began(gate, ("p-1", "2.0"))
    fleet.lose("s-3")
    told = gate.told()
    assert told.end == (6, "rolled_back")
    assert told.why == "s-1: only 2 serve in production, and the floor is 2"
    assert fleet.switches(1) == [[("p-1", "2.0")]]
    assert fleet.versions() == {**fleet.all_at("1.0"), "s-3": None}


def foreign(fleet: Fleet, name: str) -> socket.socket:
    """Take an instance's port away from it, as some other program would."""
    fleet.lose(name)
    door = socket.socket()
    door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    door.bind((fleet.host, fleet.ports[name]))
    door.listen()
    return door


def test_a_port_that_another_process_holds_is_told_with_that_process(fleet: Fleet) -> None:
    with foreign(fleet, "s-1"):
        told = fleet.deploy("2.0", "--baseline", "broken")
        assert f"port {fleet.ports['s-1']} is held by pid {os.getpid()} (" in told.why
        assert fleet.listeners()["s-1"] == [os.getpid()]
    assert told.end == (8, "rollback_failed")
    assert told.states["s-1"] == "stuck"
    assert fleet.versions() == {**fleet.all_at("1.0"), "s-1": None}
    assert fleet.rollback().end == (0, "rolled_back")
    fleet.assert_whole("1.0")


def complain(told: Told) -> tuple[int, str]:
    return told.code, told.data["says"]


def test_a_journal_with_a_torn_last_line_is_read_up_to_there(fleet: Fleet) -> None:
    with fleet.journals()[-1].open("ab") as file:
        file.write(b'{"kind":"do')
    assert fleet.deploy("2.0").end == (0, "deployed")
    fleet.assert_whole("2.0")


def test_a_journal_that_is_corrupt_in_the_middle_is_told_with_its_file_and_line(fleet: Fleet) -> None:
    path = fleet.journals()[-1]
    lines = path.read_bytes().split(b"\n")
    lines[2] = lines[2][:20] + b"\0\0\0" + lines[2][23:]
    path.write_bytes(b"\n".join(lines))
    before = fleet.listeners()
    for words in (("deploy", "Svc", "2.0"), ("rollback", "Svc"), ("observe", "Svc")):
        told = fleet.run(*words)
        assert told.code == 4
        assert told.data["says"].startswith(f"{path}, line 3, can't be read: ")
        assert "Traceback" not in told.err
    assert_untouched(fleet, before)


def test_a_state_folder_that_cannot_be_written_is_refused_and_nothing_is_touched(fleet: Fleet) -> None:
    before = fleet.listeners()
    (fleet.folder / "flat").touch()
    told = fleet.run("deploy", "Svc", "2.0", "--state", str(fleet.folder / "flat" / "state"))
    assert "Traceback" not in told.err, told.err
    assert told.code not in {0, 1}
    assert_untouched(fleet, before)


def test_a_folder_of_reports_that_cannot_be_written_does_not_stop_a_deploy_and_is_said(fleet: Fleet) -> None:
    shutil.rmtree(fleet.state / "forge")
    (fleet.state / "forge").touch()
    told = fleet.deploy("2.0")
    assert told.end == (0, "deployed")
    assert told.err.count("note: could not be shown: ") == 6  # two turns in two environments, comment and summary
    fleet.assert_whole("2.0")


def test_a_rollback_that_cannot_be_raised_is_done_in_the_same_run(fleet: Fleet) -> None:
    shutil.rmtree(fleet.state / "forge")
    (fleet.state / "forge").touch()
    fleet.release("2.0", at={"s-2": {"says": "1.9"}})
    told = fleet.deploy("2.0")
    assert told.end == (6, "rolled_back")
    assert len(fleet.journals()) == 2
    fleet.assert_whole("1.0")


def test_a_disk_that_is_full_on_the_way_turns_the_roll_back(fleet: Fleet) -> None:
    fleet.release("2.0", at={"s-2": {"slow": 0.7}})
    gate = fleet.begin("deploy", "Svc", "2.0")
    fleet.began(gate, ("s-2", "2.0"))
    size = fleet.journals()[1].stat().st_size
    psutil.Process(gate.process.pid).rlimit(psutil.RLIMIT_FSIZE, (size, size))
    told = gate.told()
    assert told.end == (6, "rolled_back"), told
    assert told.why == "the gate could not go on: the journal can't be written: File too large"
    assert "Traceback" not in told.err
    fleet.assert_whole("1.0")
    assert fleet.rollback().end == (0, "already_there")
    assert fleet.deploy("2.0").end == (0, "deployed")
    fleet.assert_whole("2.0")


HOSTILE = "\x1b[2J::error file=x::boom\n##[error]boom @octocat <img src=x> [a](http://evil.example) `|`"


@pytest.mark.parametrize("form", ["text", "markdown", "json"])
def test_what_a_service_says_is_harmless_wherever_it_is_shown(small: Fleet, form: str) -> None:
    small.release("2.0", dies=f"::warning::{HOSTILE}", says=HOSTILE, at={"p-1": {}})
    small.release("2.1", says=HOSTILE)
    small.release("2.2", moans=HOSTILE, ill_after=0)
    shown = []
    for version in ("2.0", "2.1", "2.2"):
        told = small.run("deploy", "Svc", version, form=form)
        assert told.code == 6
        shown += [told.out, told.err]
    forge = small.state / "forge"
    markdown = [(forge / "comment-Svc.md").read_text(), (forge / "summary.md").read_text()]
    status = json.loads((forge / "status" / "deploygate-production-Svc.json").read_text())["description"]
    for text in (*shown, *markdown, status):
        assert "\x1b" not in text
        assert "##[" not in text
        assert not [line for line in text.splitlines() if line.lstrip().startswith("::")]
    for text in (*markdown, *([shown[0], shown[2], shown[4]] if form == "markdown" else [])):
        assert "<img" not in text
        assert "@octocat" not in text
        assert "](http" not in text
        assert "http://" not in text
    small.assert_whole("1.0")
