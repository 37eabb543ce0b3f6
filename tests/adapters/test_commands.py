"""What is filled into a command arrives to the letter, and no shell ever reads it."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path, PurePosixPath

import pytest
from made import service

from deploygate.adapters.commands import argv, environment, exported, not_executable, values
from deploygate.adapters.hosts.processes import launch
from deploygate.adapters.identity import identity
from deploygate.names import InstanceName, ServiceName, Version
from deploygate.ways import Argv, Command, Script

FUSE = 20.0
HOSTILE = [
    "a b",
    "a'b",
    'a"b',
    "$(touch owned)",
    "`touch owned`",
    "a\nb",
    "--help",
    "-c",
    ";true",
    "{port}",
    "ä€",
    "*",
    "\\",
]
ECHO = "import json, os, sys; print(json.dumps([sys.argv[1:], os.environ['DEPLOYGATE_VERSION']]))"
SVC = service()
ROOT = Path("/srv/Svc")


def filled(version: str = "2.0", root: Path = ROOT) -> dict[str, str]:
    return values(SVC, SVC.instances[1], Version(version), root)


def test_a_command_may_use_these_values() -> None:
    assert filled() == {
        "service": "Svc",
        "instance": "i1",
        "environment": "production",
        "version": "2.0",
        "unit-version": "2.0",
        "release": "/srv/Svc/2.0",
        "root": "/srv/Svc",
        "address": "http://127.0.0.1:7002",
        "host": "127.0.0.1",
        "port": "7002",
        "machine": "127.0.0.1",
    }


def test_the_machine_is_the_instances_host_where_it_has_one() -> None:
    found = values(SVC, replace(SVC.instances[0], on="web-1"), Version("2.0"), ROOT)
    assert (found["environment"], found["machine"], found["host"]) == ("parallel-chain", "web-1", "127.0.0.1")


def test_what_is_not_known_is_empty() -> None:
    found = values(SVC, SVC.instances[1], None, None)
    assert {name for name, value in found.items() if not value} == {"version", "unit-version", "release", "root"}
    assert values(SVC, SVC.instances[1], Version("2.0"), None)["release"] == ""
    assert values(SVC, SVC.instances[1], None, ROOT)["release"] == ""


def test_a_folder_on_another_machine_is_a_path_of_that_machine() -> None:
    found = values(SVC, SVC.instances[1], Version("2.0"), PurePosixPath("/srv/Svc"))
    assert (found["root"], found["release"]) == ("/srv/Svc", "/srv/Svc/2.0")


@pytest.mark.parametrize(
    ("version", "as_unit"),
    [
        ("2.0", "2.0"),
        ("2024.06.1-rc1", "2024.06.1-rc1"),  # systemd-escape would write \x2d, for a slash becomes a dash
        ("1.0+build_7", "1.0\\x2bbuild_7"),
        ("1.0~beta", "1.0\\x7ebeta"),
        ("1:2.0", "1:2.0"),
        ("a b/c@d\\", "a\\x20b\\x2fc\\x40d\\x5c"),
        ("ä€", "\\xc3\\xa4\\xe2\\x82\\xac"),
    ],
)
def test_a_version_in_a_units_name_is_escaped_as_systemd_does(version: str, as_unit: str) -> None:
    assert filled(version)["unit-version"] == as_unit
    assert argv(Argv(("systemctl", "start", "--", "a@{unit-version}.service")), filled(version)) == [
        "systemctl", "start", "--", f"a@{as_unit}.service",
    ]  # fmt: skip


def test_values_are_exported_by_name_and_the_version_of_a_unit_is_not() -> None:
    assert exported(filled()) == {
        "DEPLOYGATE_SERVICE": "Svc",
        "DEPLOYGATE_INSTANCE": "i1",
        "DEPLOYGATE_ENVIRONMENT": "production",
        "DEPLOYGATE_VERSION": "2.0",
        "DEPLOYGATE_RELEASE": "/srv/Svc/2.0",
        "DEPLOYGATE_ROOT": "/srv/Svc",
        "DEPLOYGATE_ADDRESS": "http://127.0.0.1:7002",
        "DEPLOYGATE_HOST": "127.0.0.1",
        "DEPLOYGATE_PORT": "7002",
        "DEPLOYGATE_MACHINE": "127.0.0.1",
    }


def test_each_placeholder_is_filled_in_and_nothing_else() -> None:
    words = (
        "{release}/bin/{service}",
        "--listen={host}:{port}",
        "{instance}{version}",
        "{unknown}",
        "{}",
        "{{port}}",
        "{environment}@{machine}",
    )
    assert argv(Argv(words), filled()) == [
        "/srv/Svc/2.0/bin/Svc", "--listen=127.0.0.1:7002", "i12.0", "{unknown}", "{}", "{7002}",
        "production@127.0.0.1",
    ]  # fmt: skip


@pytest.mark.parametrize("hostile", HOSTILE)
def test_what_is_filled_in_stays_one_word_and_is_not_filled_in_again(hostile: str) -> None:
    assert argv(Argv(("run", "{version}", "x{version}y")), filled(hostile)) == ["run", hostile, f"x{hostile}y"]


def test_a_script_is_never_filled_in() -> None:
    assert argv(Script('run "{port}" $DEPLOYGATE_PORT'), filled("$(x)")) == [
        "/bin/sh", "-c", 'run "{port}" $DEPLOYGATE_PORT',
    ]  # fmt: skip


@pytest.mark.parametrize("hostile", HOSTILE)
@pytest.mark.parametrize("shape", ["words", "script"])
def test_hostile_values_arrive_literally(tmp_path: Path, hostile: str, shape: str) -> None:
    given = filled(hostile, tmp_path)
    command: Command = Argv((sys.executable, "-c", ECHO, "{version}", "-", "{version}"))
    if shape == "script":
        command = Script(f'exec "{sys.executable}" -c "{ECHO}" "$DEPLOYGATE_VERSION" - "$DEPLOYGATE_VERSION"')
    told = subprocess.run(
        argv(command, given), env=environment(given), cwd=tmp_path, capture_output=True, check=True, timeout=FUSE
    )
    assert json.loads(told.stdout) == [[hostile, "-", hostile], hostile]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("hostile", HOSTILE)
def test_hostile_values_arrive_literally_in_a_process_that_is_started(tmp_path: Path, hostile: str) -> None:
    given = filled(hostile, tmp_path) | {"release": str(tmp_path)}
    words = argv(Argv((sys.executable, "-c", ECHO, "{version}", "-", "{version}")), given)
    pid = launch(words, environment(given), tmp_path / "pid", tmp_path / "log")
    followed(pid)
    assert json.loads((tmp_path / "log").read_text()) == [[hostile, "-", hostile], hostile]
    assert (tmp_path / "pid").read_text() == f"{pid}\n"
    assert sorted(one.name for one in tmp_path.iterdir()) == ["log", "pid"]


def followed(pid: int) -> None:
    """Wait for a child to end, with a fuse."""
    import os  # noqa: PLC0415
    import time  # noqa: PLC0415

    end = time.monotonic() + FUSE
    while identity(pid) is not None:
        assert time.monotonic() < end
        time.sleep(0.01)
    assert os.waitpid(pid, 0) == (pid, 0)


def test_what_is_private_to_the_gate_does_not_reach_a_service(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GITHUB_TOKEN", "ACTIONS_RUNTIME_TOKEN", "INPUT_TOKEN", "RUNNER_TEMP", "STATE_x"):
        monkeypatch.setenv(name, "secret")
    monkeypatch.setenv("OF_THE_SERVICE", "kept")
    given = environment(filled())
    assert "secret" not in given.values()
    assert (given["OF_THE_SERVICE"], given["DEPLOYGATE_PORT"]) == ("kept", "7002")


def test_hostile_names_are_values_like_any_other() -> None:
    odd = replace(SVC, name=ServiceName("a b; $(x)"))
    one = replace(SVC.instances[0], name=InstanceName("--i 'j"))
    given = values(odd, one, Version("1"), ROOT)
    assert argv(Argv(("{service}", "{instance}")), given) == ["a b; $(x)", "--i 'j"]
    assert environment(given)["DEPLOYGATE_INSTANCE"] == "--i 'j"


def test_a_program_that_cannot_be_run_is_named(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("#!/bin/sh\n")
    assert not_executable(["./run"], tmp_path) == "./run is not executable"
    (tmp_path / "run").chmod(0o755)
    assert not_executable(["./run"], tmp_path) == ""
    assert not_executable(["bin/run"], tmp_path) == "bin/run is not in the release"
    assert not_executable(["no-such-program-anywhere"], tmp_path) == "no-such-program-anywhere is not on the PATH"
    assert not_executable(["sh"], tmp_path) == ""
    assert not_executable([str(tmp_path)], tmp_path) == f"{tmp_path} is not in the release"
