"""Deploys that go well: every way of starting, stopping and packing."""

import json
import shutil
import stat
from pathlib import Path

import pytest

from .fleet import PYTHON, Fleet


def test_a_good_version_goes_to_the_parallel_chain_and_then_to_production_one_by_one(fleet: Fleet) -> None:
    before = fleet.recorded()
    told = fleet.deploy("2.0")
    assert told.end == (0, "deployed")
    assert told.states == dict.fromkeys(fleet.names, "updated")
    fleet.assert_whole("2.0")
    assert fleet.switches() == [[("p-1", "2.0")], [("s-1", "2.0")], [("s-2", "2.0")], [("s-3", "2.0")]]
    assert not [name for name, pids in fleet.recorded().items() if pids == before[name]]
    assert not (fleet.state / "locks" / "Svc.json").exists()
    assert fleet.raised() == []


def test_what_is_there_already_is_not_restarted(fleet: Fleet) -> None:
    before = fleet.listeners()
    assert fleet.deploy("1.0").end == (0, "already_there")
    assert fleet.listeners() == before
    assert len(fleet.journals()) == 1


def test_a_rehearsal_touches_nothing(fleet: Fleet) -> None:
    before = fleet.listeners()
    told = fleet.deploy("2.0", "--dry-run")
    assert told.code == 0
    assert told.data["actions"][3:7] == [f"{name}: kill 1.0, start 2.0" for name in fleet.names]
    assert fleet.listeners() == before
    assert not (fleet.root / "2.0").exists()


@pytest.mark.parametrize("form", ["zip", "gztar"])
def test_a_release_may_be_an_archive(fleet: Fleet, form: str) -> None:
    made = shutil.make_archive(str(fleet.folder / "dist" / "Svc"), form, fleet.release("2.0", fleet.folder / "made"))
    ending = made.removeprefix(str(fleet.folder / "dist" / "Svc"))
    Path(made).rename(fleet.folder / "dist" / f"Svc-2.0{ending}")
    fleet.inventory(artifact="dist/Svc-{version}" + ending)
    assert fleet.deploy("2.0").end == (0, "deployed")
    fleet.assert_whole("2.0")


def test_a_program_in_an_archive_stays_executable(fleet: Fleet) -> None:
    made = fleet.release("2.0", fleet.folder / "made")
    (made / "run").write_text(f'#!/bin/sh\nexec {PYTHON} -I -S service.py "$@"\n')
    (made / "run").chmod(0o755)
    shutil.make_archive(str(fleet.folder / "dist" / "Svc-2.0"), "zip", made)
    fleet.inventory(artifact="dist/Svc-{version}.zip", killstart={"start": ["./run", "{host}", "{port}"]})
    (fleet.root / "1.0" / "run").write_bytes((made / "run").read_bytes())
    (fleet.root / "1.0" / "run").chmod(0o755)
    assert fleet.deploy("2.0").end == (0, "deployed")
    assert (fleet.root / "2.0" / "run").stat().st_mode & stat.S_IXUSR
    fleet.assert_whole("2.0")


def test_a_start_script_gets_its_values_from_the_environment(built: Fleet) -> None:
    script = (
        'env | grep ^DEPLOYGATE_ | sort >"$DEPLOYGATE_ROOT/$DEPLOYGATE_INSTANCE.env"; '
        f'exec {PYTHON} -I -S service.py "$DEPLOYGATE_HOST" "$DEPLOYGATE_PORT"'
    )
    built.inventory(killstart={"start": script})
    built.up()
    built.assert_whole("1.0")
    given = dict(line.split("=", 1) for line in (built.root / "s-2.env").read_text().splitlines())
    assert given == {
        "DEPLOYGATE_ADDRESS": f"http://{built.host}:{built.ports['s-2']}",
        "DEPLOYGATE_ENVIRONMENT": "production",
        "DEPLOYGATE_HOST": built.host,
        "DEPLOYGATE_INSTANCE": "s-2",
        "DEPLOYGATE_MACHINE": built.host,
        "DEPLOYGATE_PIDFILE": str(built.root / ".deploygate" / "instances" / "s-2" / "pid"),
        "DEPLOYGATE_PORT": str(built.ports["s-2"]),
        "DEPLOYGATE_RELEASE": str(built.root / "1.0"),
        "DEPLOYGATE_ROOT": str(built.root),
        "DEPLOYGATE_SERVICE": "Svc",
        "DEPLOYGATE_VERSION": "1.0",
    }


def test_a_process_that_ignores_the_request_to_stop_is_killed_after_its_grace(built: Fleet) -> None:
    built.release("1.0", stubborn=True)
    built.up()
    assert built.deploy("2.0").end == (0, "deployed")
    built.assert_whole("2.0")


def test_a_stop_command_gets_the_process_and_the_version_that_runs(fleet: Fleet) -> None:
    stop = 'echo "$DEPLOYGATE_INSTANCE $DEPLOYGATE_VERSION $DEPLOYGATE_PID" >>"$FLEET/stopped"; kill "$DEPLOYGATE_PID"'
    fleet.inventory(killstart={"stop": stop})
    before = fleet.listeners()
    assert fleet.deploy("2.0").end == (0, "deployed")
    fleet.assert_whole("2.0")
    said = (fleet.folder / "stopped").read_text().splitlines()
    assert said == [f"{name} 1.0 {before[name][0]}" for name in fleet.names]


@pytest.mark.parametrize(
    "stop",
    [["/bin/sh", "-c", "sleep 600"], ["/bin/sh", "-c", "exit 1"], ["./is-not-there"]],
    ids=["hangs", "fails", "is missing"],
)
def test_a_stop_command_that_does_not_stop_anything_is_helped_after_the_grace(small: Fleet, stop: list[str]) -> None:
    small.inventory(killstart={"stop": stop})
    assert small.deploy("2.0").end == (0, "deployed")
    small.assert_whole("2.0")
    assert {process.pid for process in small.marked()} == {pid for pids in small.listeners().values() for pid in pids}


def test_of_seven_releases_five_stay_and_the_running_and_the_previous_are_among_them(small: Fleet) -> None:
    small.inventory(health={"passes": 1, "min_healthy": "0ms"}, rollout={"bake": "0ms"})
    for number in range(2, 8):
        small.release(f"{number}.0")
        assert small.deploy(f"{number}.0").end == (0, "deployed")
    assert sorted(path.name for path in small.root.glob("[0-9]*")) == ["3.0", "4.0", "5.0", "6.0", "7.0"]
    assert small.rollback().end == (0, "rolled_back")
    small.assert_whole("6.0")


def test_what_a_service_writes_into_its_release_does_not_stand_in_the_way_of_a_rollback(fleet: Fleet) -> None:
    fleet.release("1.0", leaves=["service.log", "cache"])
    fleet.release("2.0", leaves=["service.log"])
    for name in ("service.log", "cache"):
        (fleet.root / "1.0" / name).write_text("left behind\n")
    assert fleet.deploy("2.0").end == (0, "deployed")
    assert (fleet.root / "2.0" / "service.log").exists()
    assert fleet.rollback().end == (0, "rolled_back")
    fleet.assert_whole("1.0")
    assert fleet.deploy("2.0").end == (0, "deployed")
    fleet.assert_whole("2.0")


def test_an_observation_says_what_runs_and_what_is_not_as_wanted(fleet: Fleet) -> None:
    assert fleet.run("observe", "Svc").code == 0
    assert fleet.deploy("2.0").end == (0, "deployed")
    told = fleet.run("observe", "Svc")
    assert told.code == 9
    seen = {row["instance"]: (row["health"], row["version"], row["drift"]) for row in told.data["instances"]}
    assert seen == dict.fromkeys(fleet.names, ("healthy", "2.0", "wanted 1.0"))


def test_a_journal_tells_of_each_change_before_and_after_it(fleet: Fleet) -> None:
    fleet.deploy("2.0")
    told = [
        (line["kind"], (line.get("action") or line.get("event") or {"type": line.get("ending")})["type"])
        for line in fleet.lines()
    ]
    changes = [one for one in told if one[1] not in {"Look", "Seen"}]
    switch = [("doing", "Switch"), ("done", "Switched")]
    assert changes == [
        ("begin", None),
        ("doing", "TakeLock"),
        ("done", "LockTaken"),
        ("doing", "Stage"),
        ("done", "Staged"),
        ("doing", "Prove"),
        ("done", "Proved"),
        *switch * 4,
        ("doing", "Prune"),
        ("done", "Pruned"),
        ("doing", "ReleaseLock"),
        ("done", "LockReleased"),
        ("end", "deployed"),
    ]
    assert (
        json.loads((fleet.state / "forge" / "status" / "deploygate-production-Svc.json").read_text())["state"]
        == "success"
    )
