"""Runs that meet, and runs that are cut off: at every step, the next one finishes or undoes the job."""

import json
import signal
import subprocess
import sys

import pytest

from .fleet import Fleet, Gate

SLOW = {"s-2": {"slow": 2.0}}


def lock(fleet: Fleet) -> dict[str, str]:
    held: dict[str, str] = json.loads((fleet.state / "locks" / "Svc.json").read_text())
    return held


def test_of_two_deploys_at_once_the_second_is_locked_and_touches_nothing(fleet: Fleet) -> None:
    fleet.release("2.0", at=SLOW)
    fleet.release("3.0")
    first = fleet.begin("deploy", "Svc", "2.0")
    fleet.began(first, ("s-2", "2.0"))
    second = fleet.deploy("3.0")
    assert second.end == (5, "locked"), second
    assert second.why.startswith(f"deploy run {lock(fleet)['run']} (since ")
    assert not (fleet.root / "3.0").exists()
    assert first.told().end == (0, "deployed")
    fleet.assert_whole("2.0")


def test_a_rollback_by_hand_takes_the_lock_from_a_deploy_that_runs(fleet: Fleet) -> None:
    fleet.release("2.0", at=SLOW)
    deploy = fleet.begin("deploy", "Svc", "2.0")
    fleet.began(deploy, ("s-2", "2.0"))
    run = lock(fleet)["run"]
    back = fleet.rollback()
    assert back.end == (0, "rolled_back"), back
    assert back.data["done"][0] == f"took the lock over from deploy run {run}"
    told = deploy.told()
    assert told.end == (10, "interrupted"), told
    by = (f"rollback run {back.data['run']}", "another run, which is over already,")  # as it was when it was met
    assert told.why.startswith(tuple(f"{one} took over the lock" for one in by))
    fleet.assert_whole("1.0")
    assert fleet.raised() == []
    fleet.release("3.0")
    assert fleet.deploy("3.0").end == (0, "deployed")


# A gate that is about to take the lock says so, and waits for a word: that is how far two gates get in their own time.
HELD = """
import os, time
from deploygate.adapters.locks import FileLocks

taken = FileLocks.take

def take(self, service, rank):
    open(os.environ["HELD"] + "/here", "w").close()
    while not os.path.exists(os.environ["HELD"] + "/go"):
        time.sleep(0.002)
    return taken(self, service, rank)

FileLocks.take = take
"""


def test_what_a_deploy_does_until_its_lock_is_taken_is_taken_back_too(fleet: Fleet) -> None:
    fleet.release("2.0", at={"s-1": {"slow": 2.0}, "s-2": {"slow": 2.0}})
    held = fleet.folder / "held"
    held.mkdir()
    (held / "sitecustomize.py").write_text(HELD)
    deploy = fleet.begin("deploy", "Svc", "2.0")
    fleet.wait(lambda: ("s-1", "2.0") in changed(fleet), deploy)
    fleet.environment = {"PYTHONPATH": str(held), "HELD": str(held)}
    back = fleet.begin("rollback", "Svc")
    fleet.wait((held / "here").exists, back)
    assert ("s-2", "2.0") not in changed(fleet)  # so the rollback has planned without it
    fleet.began(deploy, ("s-2", "2.0"))
    (held / "go").touch()
    told = back.told()
    assert told.end == (0, "rolled_back"), told
    assert {name for batch in fleet.switches() for name, _ in batch} == {"p-1", "s-1", "s-2"}
    assert deploy.told().end == (10, "interrupted")
    fleet.assert_whole("1.0")


def changed(fleet: Fleet) -> list[tuple[str, str | None]]:
    """Return what the second run has changed so far."""
    return [one for batch in made(fleet) for one in batch]


def test_a_version_is_not_held_to_be_bad_because_somebody_took_it_back(fleet: Fleet) -> None:
    fleet.release("2.0", at=SLOW)
    deploy = fleet.begin("deploy", "Svc", "2.0")
    fleet.began(deploy, ("s-2", "2.0"))
    assert fleet.rollback().end == (0, "rolled_back")
    assert deploy.told().end == (10, "interrupted")
    assert fleet.deploy("2.0").end == (0, "deployed")
    fleet.assert_whole("2.0")


def test_the_lock_of_a_run_that_was_killed_is_stale_at_once(fleet: Fleet) -> None:
    fleet.release("2.0", at=SLOW)
    gate = fleet.begin("deploy", "Svc", "2.0")
    fleet.began(gate, ("s-2", "2.0"))
    run = lock(fleet)["run"]
    gate.kill()
    assert lock(fleet)["run"] == run
    told = fleet.deploy("2.0")
    assert told.end == (0, "deployed"), told
    assert told.data["done"] == [f"took the lock over from deploy run {run}, which is over"]
    fleet.assert_whole("2.0")


def test_a_lock_from_another_machine_is_only_taken_over_by_name(small: Fleet) -> None:
    small.state.joinpath("locks").mkdir(exist_ok=True)
    there = {"run": "r-1", "rank": "deploy", "host": "elsewhere", "process": "1-1.00", "since": "then"}
    (small.state / "locks" / "Svc.json").write_text(json.dumps(there))
    assert small.deploy("2.0").end == (5, "locked")
    assert small.deploy("2.0", "--take-over", "r-2").end == (5, "locked")
    assert small.deploy("2.0", "--take-over", "r-1").end == (0, "deployed")
    small.assert_whole("2.0")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_run_that_is_asked_to_stop_starts_nothing_more_and_can_be_finished(
    fleet: Fleet, number: signal.Signals
) -> None:
    fleet.release("2.0", at={"s-1": {"slow": 1.0}})
    gate = fleet.begin("deploy", "Svc", "2.0")
    fleet.began(gate, ("s-1", "2.0"))
    gate.send(number)
    told = gate.told()
    assert told.end == (10, "interrupted"), told
    assert told.why == number.name
    assert fleet.switches(1) == [[("p-1", "2.0")], [("s-1", "2.0")]]
    fleet.wait(lambda: fleet.versions() == {"p-1": "2.0", "s-1": "2.0", "s-2": "1.0", "s-3": "1.0"})
    proven = fleet.pid("p-1")
    assert fleet.deploy("2.0").end == (0, "deployed")
    assert fleet.pid("p-1") == proven
    fleet.assert_whole("2.0")


def test_a_run_that_is_asked_to_stop_before_the_first_change_says_that_nothing_was_touched(fleet: Fleet) -> None:
    before = fleet.listeners()
    with (fleet.folder / "dist" / "Svc-2.0" / "big").open("wb") as file:
        file.truncate(300_000_000)  # something to stage for a while
    gate = fleet.begin("deploy", "Svc", "2.0")
    fleet.wait(lambda: len(fleet.journals()) > 1 and len(fleet.lines(1)) > 3, gate)
    gate.send(signal.SIGTERM)
    told = gate.told()
    assert told.end == (10, "interrupted"), told
    assert told.data["now"] == "Nothing was touched. Run `deploygate deploy Svc 2.0` again."
    assert fleet.listeners() == before
    fleet.assert_whole("1.0")


def test_another_version_is_refused_until_a_run_that_was_cut_off_is_finished_or_undone(fleet: Fleet) -> None:
    fleet.release("2.0", at=SLOW)
    fleet.release("3.0")
    gate = fleet.begin("deploy", "Svc", "2.0")
    fleet.began(gate, ("s-2", "2.0"))
    gate.kill()
    fleet.wait(lambda: fleet.versions()["s-2"] == "2.0")
    told = fleet.deploy("3.0")
    assert (told.end, told.rules) == ((4, "refused"), {"unfinished"})
    assert fleet.rollback().end == (0, "rolled_back")
    assert fleet.deploy("3.0").end == (0, "deployed")
    fleet.assert_whole("3.0")


def test_a_raised_rollback_finishes_when_the_run_that_raised_it_is_killed(built: Fleet) -> None:
    built.release("1.0", slow=0.5)
    built.up()
    built.release("2.0", at={"s-2": {"says": "1.9"}})
    gate = built.begin("deploy", "Svc", "2.0")
    built.wait(lambda: len(built.journals()) == 3, gate)
    assert gate.process.poll() is None
    gate.kill()
    (raised,) = built.raised()
    built.wait(lambda: raised.read_bytes().endswith(b"}\n"))
    assert json.loads(raised.read_text())["ending"] == "rolled_back"
    built.assert_whole("1.0")
    built.release("2.1")
    assert built.deploy("2.1").end == (0, "deployed")
    built.assert_whole("2.1")


def test_a_run_that_is_asked_to_stop_while_its_rollback_runs_leaves_that_to_finish(built: Fleet) -> None:
    built.release("1.0", slow=0.5)
    built.up()
    built.release("2.0", at={"s-2": {"says": "1.9"}})
    gate = built.begin("deploy", "Svc", "2.0")
    built.wait(lambda: len(built.journals()) == 3, gate)
    gate.send(signal.SIGTERM)
    told = gate.told()
    assert told.end == (10, "interrupted"), told
    (raised,) = built.raised()
    built.wait(lambda: raised.read_bytes().endswith(b"}\n"))
    assert json.loads(raised.read_text())["ending"] == "rolled_back"
    built.assert_whole("1.0")


def test_a_run_that_was_killed_while_it_stops_an_instance_is_finished_by_the_next(built: Fleet) -> None:
    built.release("1.0", stubborn=True)
    built.inventory(
        killstart={"stop": 'touch "$FLEET/stopping-$DEPLOYGATE_INSTANCE"; sleep 0.3; kill -9 "$DEPLOYGATE_PID"'}
    )
    built.up()
    gate = built.begin("deploy", "Svc", "2.0")
    built.wait((built.folder / "stopping-s-1").exists, gate)
    gate.kill()
    assert built.deploy("2.0").end == (0, "deployed")
    built.assert_whole("2.0")


def test_a_run_that_fails_while_somebody_rolls_back_leaves_that_to_them(built: Fleet) -> None:
    built.release("1.0", slow=0.5)
    built.up()
    built.release("2.0", at={"s-2": {"says": "1.9"}})
    gate = built.begin("deploy", "Svc", "2.0")
    built.wait(lambda: ("s-2", "1.0") in [one for batch in made(built) for one in batch], gate)
    back = built.rollback()
    assert back.end == (0, "rolled_back"), back
    told = gate.told()
    assert told.end == (10, "interrupted"), told
    assert told.why.startswith("s-2: healthy, but 1.9 where 2.0 was expected")
    assert f"rollback run {back.data['run']}" in told.data["done"][1]
    built.assert_whole("1.0")
    assert built.deploy("2.0").rules == {"bad-version"}


def test_a_bad_version_is_remembered_and_undone_when_its_run_was_killed_before_the_rollback(fleet: Fleet) -> None:
    fleet.release("2.0", at={"s-2": {"says": "1.9"}})
    gate = fleet.begin("deploy", "Svc", "2.0")
    fleet.wait(lambda: ("s-2", "1.0") in [one for batch in made(fleet) for one in batch], gate)
    gate.kill()
    told = fleet.rollback()
    fleet.wait(lambda: fleet.rollback().code != 5)
    assert told.code in {0, 5}
    fleet.assert_whole("1.0")
    again = fleet.deploy("2.0")
    assert (again.end, again.rules) == ((4, "refused"), {"bad-version"})


def made(fleet: Fleet) -> list[list[tuple[str, str | None]]]:
    """Return what the second run has changed so far."""
    return fleet.switches(1) if len(fleet.journals()) > 1 else []


# A watcher beside the gate: it kills it as soon as its journal has so many lines of what it does.
KILLER = r"""
import glob, os, signal, sys, time
pid, pattern, known, count = int(sys.argv[1]), sys.argv[2], set(sys.argv[4:]), int(sys.argv[3])
end = time.monotonic() + 60
while time.monotonic() < end:
    lines = [line for path in glob.glob(pattern) if path not in known
             for line in open(path, "rb").read().split(b"\n")[:-1] if b'"Look"' not in line and b'"Seen"' not in line]
    if len(lines) >= count:
        os.kill(pid, signal.SIGKILL)
        break
    time.sleep(0.0005)
"""
STEPS = range(18)  # begin; lock, stage, prove, three switches and prune before and after; 17 is the lock's release


def killed_at(fleet: Fleet, step: int, *words: str) -> Gate:
    """Run a verb and kill it when its journal has that many lines, without what it looked at."""
    known = [str(path) for path in fleet.journals()]
    gate = fleet.begin(*words)
    pattern = str(fleet.state / "runs" / "Svc" / "*.jsonl")
    watcher = [sys.executable, "-S", "-c", KILLER, str(gate.process.pid), pattern, str(step), *known]
    subprocess.run(watcher, check=False, timeout=90)
    gate.process.wait(60)
    return gate


@pytest.mark.parametrize("step", STEPS)
def test_a_deploy_that_was_killed_at_any_step_is_finished_by_the_next(small: Fleet, step: int) -> None:
    assert killed_at(small, step, "deploy", "Svc", "2.0").process.returncode == -signal.SIGKILL
    told = small.deploy("2.0")
    assert told.code == 0, told
    small.assert_whole("2.0")


@pytest.mark.parametrize("step", STEPS)
def test_a_deploy_that_was_killed_at_any_step_is_undone_by_a_rollback(small: Fleet, step: int) -> None:
    assert killed_at(small, step, "deploy", "Svc", "2.0").process.returncode == -signal.SIGKILL
    told = small.rollback("--to", "1.0") if step < 8 else small.rollback()
    assert told.code == 0, told
    small.assert_whole("1.0")


@pytest.mark.parametrize("step", range(2, 10, 2))
def test_a_rollback_that_was_killed_at_any_step_is_finished_by_the_next(small: Fleet, step: int) -> None:
    assert small.deploy("2.0").end == (0, "deployed")
    killed_at(small, step, "rollback", "Svc")
    told = small.rollback()
    assert told.code == 0, told
    small.assert_whole("1.0")
