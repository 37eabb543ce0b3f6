"""The command driver runs the user's programs as its contract says, and each that misbehaves is one clear verdict."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from made import NEW, OLD, name, service

from deploygate.adapters.hosts.programs import ProgramsDriver
from deploygate.events import Change, Start, Trouble
from deploygate.inventory import Service
from deploygate.names import RunId
from deploygate.ports import Process
from deploygate.probe import HealthProbe
from deploygate.ways import Argv, Command, Programs, Script

FUSE = 20.0
RUN = RunId("run-1")
ALIVE = '{"schema": 1, "alive": true, "release": "1.0", "identity": "4711-1"}'
DEAD = '{"schema": 1, "alive": false}'
I1, I2 = name("i1"), name("i2")


@pytest.fixture
def program(tmp_path: Path) -> Callable[..., Argv]:
    """Write a program and return the command that runs it."""

    def write(text: str, called: str = "program", mode: int = 0o755) -> Argv:
        path = tmp_path / called
        path.write_bytes(text.encode())
        path.chmod(mode)
        return Argv((f"./{called}",))

    return write


@pytest.fixture(autouse=True)
def nothing_is_left(tmp_path: Path) -> Iterator[None]:
    """End what programs of a test have left behind: whatever runs in its folder."""
    yield
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if Path(process.cwd()).is_relative_to(tmp_path):
                process.kill()


def way(**more: Command | float | tuple[str, ...]) -> Service:
    """Return a service whose programs do nothing, but for what is given."""
    known = {"start": Script("true"), "stop": Script("true"), "status": Script(f"echo '{DEAD}'")}
    return service(deploy=Programs(**(known | {"timeout": 20.0, "grace": 5.0} | more)))  # type: ignore[arg-type]


def says(command: Command, folder: Path, **more: float | tuple[str, ...]) -> tuple[str, ...]:
    """Return what is said of a start program."""
    troubles = ProgramsDriver(folder, RUN).switch(way(start=command, **more), [Change(I1, None, NEW)], RUN)
    return tuple(trouble.says for trouble in troubles)


def status(command: Command, folder: Path, **more: float | tuple[str, ...]) -> Process:
    """Return what is known by a status program."""
    one = way(status=command, **more)
    return ProgramsDriver(folder, RUN).process(one, one.instances[1], answered=False)


def tell(*variables: str) -> Script:
    """Return a script that writes down some of its environment, a line each time."""
    words = " ".join(f'"$DEPLOYGATE_{one}"' for one in variables)
    return Script(f"printf '%s ' {words} >>told; echo >>told")


def told(folder: Path) -> list[str]:
    return [line.rstrip() for line in (folder / "told").read_text().splitlines()]


# What programs are told


def test_programs_are_told_all_that_the_page_lists(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", "ghs")
    monkeypatch.setenv("ACTIONS_RUNTIME_TOKEN", "art")
    monkeypatch.setenv("INPUT_VERSION", "2.0")
    monkeypatch.setenv("REGISTRY_TOKEN", "rt")
    before = {key: value for key, value in os.environ.items() if key.startswith("DEPLOYGATE_")}
    ProgramsDriver(tmp_path, RUN).stage(way(stage=Script("env >environment")), [Start(I1, NEW)])
    lines = [line.partition("=") for line in (tmp_path / "environment").read_text().splitlines()]
    got = {key: value for key, _, value in lines}
    assert {key: value for key, value in got.items() if key.startswith("DEPLOYGATE_")} == before | {
        "DEPLOYGATE_ACTION": "stage",
        "DEPLOYGATE_SERVICE": "Svc",
        "DEPLOYGATE_INSTANCE": "i1",
        "DEPLOYGATE_ENVIRONMENT": "production",
        "DEPLOYGATE_VERSION": "2.0",
        "DEPLOYGATE_ADDRESS": "http://127.0.0.1:7002",
        "DEPLOYGATE_HOST": "127.0.0.1",
        "DEPLOYGATE_PORT": "7002",
        "DEPLOYGATE_MACHINE": "127.0.0.1",
        "DEPLOYGATE_RUN": "run-1",
        "DEPLOYGATE_PREVIOUS": "",
        "DEPLOYGATE_GRACE": "5",
        "DEPLOYGATE_TIMEOUT": "20",
    }
    assert got["REGISTRY_TOKEN"] == "rt"
    assert not {key for key in got if key.startswith(("GITHUB_", "ACTIONS_", "INPUT_"))}


def test_a_secret_arrives_even_where_its_name_is_left_out_otherwise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", "ghs")
    stage = Script('echo "$GITHUB_TOKEN" >told')
    assert ProgramsDriver(tmp_path, RUN).stage(way(stage=stage, secrets=("GITHUB_TOKEN",)), [Start(I1, NEW)]) == ()
    assert told(tmp_path) == ["ghs"]


@pytest.mark.parametrize("with_programs", [True, False])
def test_a_missing_secret_is_said_before_anything_is_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, with_programs: bool
) -> None:
    monkeypatch.delenv("REGISTRY_TOKEN", raising=False)
    programs = {"stage": tell("ACTION"), "prove": tell("ACTION")} if with_programs else {}
    one, driver = way(secrets=("REGISTRY_TOKEN",), **programs), ProgramsDriver(tmp_path, RUN)
    expected = (Trouble(I1, "the gate's environment lacks REGISTRY_TOKEN, which `secrets` names"),)
    assert driver.stage(one, [Start(I1, NEW)]) == expected
    assert driver.prove(one, [Start(I1, NEW)], unchanged=True) == expected
    assert not (tmp_path / "told").exists()


def test_words_are_filled_in_and_read_by_no_shell(tmp_path: Path, program: Callable[..., Argv]) -> None:
    program('#!/bin/sh\nprintf "%s\\n" "$@" >told')
    words = Argv(("./program", "{instance}", "{version}", "$(touch owned)", "{environment}@{machine}"))
    assert says(words, tmp_path) == ()
    assert told(tmp_path) == ["i1", "2.0", "$(touch owned)", "production@127.0.0.1"]
    assert not (tmp_path / "owned").exists()


# What is done


def test_a_switch_stops_and_then_starts_and_says_what_was_there(tmp_path: Path) -> None:
    variables = ("ACTION", "INSTANCE", "VERSION", "PREVIOUS", "RUN", "TIMEOUT")
    one = way(start=tell(*variables), stop=tell(*variables), status=Script(f"echo '{ALIVE}'"))
    change = Change(I1, name("0.9"), NEW)  # type: ignore[arg-type]
    assert ProgramsDriver(tmp_path, RUN).switch(one, [change], RunId("run-2")) == ()
    assert told(tmp_path) == ["stop i1 1.0 1.0 run-2 10", "start i1 2.0 1.0 run-2 20"]


def test_what_does_not_live_is_not_stopped(tmp_path: Path) -> None:
    one = way(start=tell("ACTION"), stop=tell("ACTION"))
    assert ProgramsDriver(tmp_path, RUN).switch(one, [Change(I1, OLD, NEW)], RUN) == ()
    assert told(tmp_path) == ["start"]


@pytest.mark.parametrize("keep", [True, False])
def test_what_can_not_be_told_is_stopped(tmp_path: Path, *, keep: bool) -> None:
    one = way(start=tell("ACTION"), stop=tell("ACTION"), status=Script("exit 75"))
    assert ProgramsDriver(tmp_path, RUN).switch(one, [Change(I1, NEW, NEW, keep=keep)], RUN) == ()
    assert told(tmp_path) == ["stop", "start"]


def test_where_a_stop_fails_nothing_is_started_and_the_others_are(tmp_path: Path) -> None:
    stop = Script('test "$DEPLOYGATE_INSTANCE" != i1 || { echo "it hangs" >&2; exit 3; }')
    one = way(start=tell("INSTANCE"), stop=stop, status=Script(f"echo '{ALIVE}'"))
    troubles = ProgramsDriver(tmp_path, RUN).switch(one, [Change(I1, OLD, NEW), Change(I2, OLD, NEW)], RUN)
    assert troubles == (Trouble(I1, "the stop program exited with 3: it hangs"),)
    assert told(tmp_path) == ["i2"]


def test_instances_are_worked_on_at_the_same_time(tmp_path: Path) -> None:
    here = 'touch "here-$DEPLOYGATE_INSTANCE"; '
    both = "for _ in $(seq 400); do test -e here-i1 && test -e here-i2 && exit 0; sleep 0.02; done; exit 1"
    one = way(stage=Script(here + both))
    assert ProgramsDriver(tmp_path, RUN).stage(one, [Start(I1, NEW), Start(I2, NEW)]) == ()


def test_75_is_tried_again(tmp_path: Path) -> None:
    assert says(Script("test -e tried && exit 0; touch tried; exit 75"), tmp_path) == ()


def test_75_is_not_tried_for_ever(tmp_path: Path) -> None:
    start = Script("echo >>tries; echo 'the cluster is busy' >&2; exit 75")
    assert says(start, tmp_path, timeout=1.5) == ("the start program exited with 75: the cluster is busy",)
    assert len((tmp_path / "tries").read_text()) == 2


def test_a_status_that_the_service_has_made_unnecessary_is_not_asked_for(tmp_path: Path) -> None:
    one = way(status=Script(f"touch asked; echo '{ALIVE}'"))
    driver = ProgramsDriver(tmp_path, RUN)
    assert driver.process(one, one.instances[1], answered=True) == Process()
    assert not (tmp_path / "asked").exists()
    assert driver.process(one, one.instances[1], answered=False).alive
    assert (tmp_path / "asked").exists()


# What is proven


def test_a_prove_program_has_the_last_word(tmp_path: Path) -> None:
    prove = Script(
        'echo "$DEPLOYGATE_UNCHANGED" >>told; test "$DEPLOYGATE_VERSION" = 1.0 || { echo "no image"; exit 1; }'
    )
    driver, one = ProgramsDriver(tmp_path, RUN), way(prove=prove)
    found = driver.prove(one, [Start(I1, OLD), Start(I1, NEW)], unchanged=True)
    assert found == (Trouble(I1, "the prove program exited with 1: no image"),)
    assert driver.prove(one, [Start(I1, OLD)], unchanged=False) == ()
    assert told(tmp_path) == ["1", "1", "0"]


@pytest.mark.parametrize("action", ["start", "stop", "status"])
@pytest.mark.parametrize("unchanged", [True, False])
def test_a_program_that_can_not_be_run_is_found_out_beforehand(
    tmp_path: Path, program: Callable[..., Argv], action: str, *, unchanged: bool
) -> None:
    driver, starts = ProgramsDriver(tmp_path, RUN), [Start(I1, NEW)]
    for command, why in (
        (Argv(("./absent",)), "./absent is not there"),
        (Argv(("absent-from-any-path",)), "absent-from-any-path is not on the PATH"),
        (program("#!/bin/sh\n", mode=0o644), "./program is not executable"),
    ):
        expected = (Trouble(I1, f"the {action} program can't be run: {why}"),)
        assert driver.prove(way(**{action: command}), starts, unchanged=unchanged) == expected


def test_a_status_that_says_nothing_is_found_out_beforehand_and_does_not_bar_the_way_back(tmp_path: Path) -> None:
    driver, one = ProgramsDriver(tmp_path, RUN), way(status=Script("echo 'no cluster' >&2; exit 1"))
    expected = (Trouble(I1, "the status program exited with 1: no cluster"),)
    assert driver.prove(one, [Start(I1, NEW)], unchanged=True) == expected
    assert driver.prove(one, [Start(I1, NEW)], unchanged=False) == ()


# What is pruned


def test_what_runs_is_protected_and_what_is_gone_is_said_once(tmp_path: Path) -> None:
    prune = Script('echo "$DEPLOYGATE_PROTECT/$DEPLOYGATE_KEEP" >>told; echo 0.8; echo 0.9; echo "rm: ../x"')
    one = way(prune=prune, status=Script(f"echo '{ALIVE}'"))
    assert ProgramsDriver(tmp_path, RUN).prune(one, [I1, I2], [NEW]) == ("0.8", "0.9")
    assert told(tmp_path) == ["2.0 1.0/5"] * 2


def test_nothing_is_pruned_while_it_can_not_be_told_what_runs(tmp_path: Path) -> None:
    unknown = Script(f"test \"$DEPLOYGATE_INSTANCE\" != i3 || exit 1; echo '{ALIVE}'")
    one = way(prune=tell("ACTION"), status=unknown)
    assert ProgramsDriver(tmp_path, RUN).prune(one, [I1], [NEW]) == ()
    assert not (tmp_path / "told").exists()


# Programs that misbehave


def test_a_program_that_hangs_is_killed_with_its_children_at_the_limit(tmp_path: Path) -> None:
    hangs = Script("trap '' TERM INT HUP; sleep 1000 & echo $! >child; echo 'waits for ever' >&2; wait")
    assert says(hangs, tmp_path, timeout=0.5) == (
        "the start program did not end within 500 ms and was killed: waits for ever",
    )
    child, end = int((tmp_path / "child").read_text()), time.monotonic() + FUSE
    while psutil.pid_exists(child) and psutil.Process(child).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < end
        time.sleep(0.01)


def test_what_a_start_leaves_running_is_not_waited_for(tmp_path: Path) -> None:
    assert says(Script("sleep 1000 & echo $! >child"), tmp_path) == ()
    assert psutil.pid_exists(int((tmp_path / "child").read_text()))


def test_megabytes_are_read_and_dropped(tmp_path: Path) -> None:
    much = Script("yes | head -c 5000000; yes | head -c 5000000 >&2; echo 'disk full' >&2; exit 1")
    assert says(much, tmp_path) == ("the start program exited with 1: disk full",)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("#!/bin/sh\r\ntrue\r\n", "the interpreter that ./program names in its first line is not there"),
        ("#!/no/such/interpreter\n", "the interpreter that ./program names in its first line is not there"),
        ("true\n", "./program has no first line that names its interpreter"),
    ],
)
def test_a_program_without_an_interpreter_is_told_so(
    tmp_path: Path, program: Callable[..., Argv], text: str, why: str
) -> None:
    (said,) = says(program(text), tmp_path)
    assert said.startswith(f"the start program can't be run: {why}")


def test_a_program_that_is_gone_or_was_never_one_is_told_so(tmp_path: Path, program: Callable[..., Argv]) -> None:
    assert says(Argv(("./absent",)), tmp_path) == (
        "the start program can't be run: [Errno 2] No such file or directory: './absent'",
    )
    assert says(program("#!/bin/sh\n", mode=0o644), tmp_path) == (
        "the start program can't be run: [Errno 13] Permission denied: './program'",
    )


def test_a_program_that_is_killed_says_by_what(tmp_path: Path) -> None:
    assert says(Script("kill -9 $$"), tmp_path) == ("the start program was ended by SIGKILL",)


@pytest.mark.parametrize(
    ("printed", "shown"),
    [
        (r"::error::x", ": :error::x"),
        (r"##[group]x", "## [group]x"),
        (r"\033[31mred\007", r"\x1b[31mred\x07"),
        (r"a\rb", "b"),
        (r"\377\376", "��"),
        ("x" * 1000, "x" * 159 + "…"),
    ],
)
def test_nothing_that_a_terminal_or_a_runner_obeys_comes_through(tmp_path: Path, printed: str, shown: str) -> None:
    assert says(Script(f"printf '{printed}\\n' >&2; exit 1"), tmp_path) == (
        f"the start program exited with 1: {shown}",
    )


# What a status says


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ("true", "does not say what runs: it printed nothing"),
        ("echo", "does not say what runs: it printed nothing"),
        ("echo alive", "does not say what runs: what it printed is no status: JSON is malformed"),
        ("echo '{\"schema\": 1}'", "does not say what runs: what it printed is no status: Object missing required"),
        (f"echo '{ALIVE}'; echo '{ALIVE}'", "does not say what runs: what it printed is no status: JSON is malformed"),
        (f"echo '{ALIVE}'; head -c 20000 /dev/zero | tr '\\0' ' '", "does not say what runs: it printed more than 16"),
        ("head -c 15000 /dev/zero | tr '\\0' '['", "does not say what runs: what it printed is no status"),
        (f"echo '{ALIVE}'; exit 1", "exited with 1"),
        (f"echo '{ALIVE}'; exit 75", "exited with 75"),
        (f"echo '{ALIVE}'; kill -9 $$", "was ended by SIGKILL"),
        (f"echo '{ALIVE}'; sleep 1000", "did not end within 500 ms and was killed"),
    ],
)
def test_whatever_is_not_a_status_can_not_be_told(tmp_path: Path, script: str, why: str) -> None:
    found = status(Script(script), tmp_path, timeout=0.5 if "sleep" in script else FUSE)
    assert (found.alive, found.release, found.identity) == (None, None, None)
    assert found.says.startswith(f"the status program {why}")


def test_a_status_takes_no_longer_than_a_look(tmp_path: Path) -> None:
    one = replace(way(status=Script("sleep 1000"), timeout=1000.0), health=HealthProbe(timeout=0.3))
    found = ProgramsDriver(tmp_path, RUN).process(one, one.instances[1], answered=False)
    assert found == Process(says="the status program did not end within 300 ms and was killed")


def test_a_secret_that_a_program_prints_is_not_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REGISTRY_TOKEN", "open sesame")
    shout = Script('echo "no such token: $REGISTRY_TOKEN" >&2; exit 3')
    assert says(shout, tmp_path, secrets=("REGISTRY_TOKEN",)) == (
        "the start program exited with 3: no such token: ***",
    )
    told_by_status = Script('echo "{\\"schema\\": 1, \\"alive\\": false, \\"says\\": \\"$REGISTRY_TOKEN\\"}"')
    for command, why in ((shout, "the status program exited with 3: no such token: ***"), (told_by_status, "***")):
        assert status(command, tmp_path, secrets=("REGISTRY_TOKEN",)).says == why
