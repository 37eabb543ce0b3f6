"""Where there is no GitHub, what is shown is files, and a rollback is a process that is followed."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from deploygate.adapters.local_forge import LocalForge
from deploygate.endings import Ending
from deploygate.names import RunId, ServiceName

SVC, RUN = ServiceName("Svc"), RunId("r1")
ON = {"ending": "rolled_back", "run": "r2", "says": "Svc is back at 1.0", "more": 1}


def forge(folder: Path, stopped: str = "") -> LocalForge:
    return LocalForge(folder, ("--inventory", "services.yml"), lambda: stopped)


def test_a_status_is_a_file(tmp_path: Path) -> None:
    forge(tmp_path).status("deploygate/Svc", "pending", "under way")
    forge(tmp_path).status("deploygate/Svc", "success", "deployed: ä")
    (path,) = (tmp_path / "status").iterdir()
    assert (path.name, json.loads(path.read_bytes())) == (
        "deploygate-Svc.json",
        {"context": "deploygate/Svc", "state": "success", "description": "deployed: ä"},
    )


def test_a_comment_takes_the_place_of_the_earlier_one(tmp_path: Path) -> None:
    forge(tmp_path).comment("Svc", "one")
    forge(tmp_path).comment("Svc", "two ✔")
    forge(tmp_path).summary("whole")
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {
        "comment-Svc.md": "two ✔",
        "summary.md": "whole",
    }


@pytest.mark.parametrize("key", ["../../x", "/etc/x", "a b\n", ".."])
def test_no_key_leads_out_of_the_folder(tmp_path: Path, key: str) -> None:
    forge(tmp_path / "forge").comment(key, "x")
    forge(tmp_path / "forge").status(key, "x", "x")
    assert [path.name for path in tmp_path.iterdir()] == ["forge"]


def python(monkeypatch: pytest.MonkeyPatch, folder: Path, code: str) -> Path:
    """Put a program in the place of Python that is given the words of the rollback."""
    program = folder / "python"
    program.write_text(f"#!{sys.executable}\nimport json, os, sys, time\n{code}\n")
    program.chmod(0o755)
    monkeypatch.setattr("sys.executable", str(program))
    return program


def test_a_raised_rollback_is_a_command_that_is_followed_to_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = tmp_path / "said"
    python(monkeypatch, tmp_path, f"json.dump([sys.argv[1:], os.getsid(0) == os.getpid()], open({str(said)!r}, 'w'))\n"
           f"print({json.dumps(ON)!r}); sys.exit(6)")  # fmt: skip
    assert forge(tmp_path).raise_rollback(SVC, RUN, 20.0) == ("r2", Ending.ROLLED_BACK, "Svc is back at 1.0")
    assert json.loads(said.read_text()) == [
        ["-m", "deploygate", "rollback", "Svc", "--of-run", "r1", "--raised", "--format", "json", "--progress", "plain",
         "--inventory", "services.yml"],
        True,
    ]  # fmt: skip


def test_a_rollback_that_could_not_begin_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    python(monkeypatch, tmp_path, """print('{"ending": "inventory_error", "says": "it has 1 finding"}'); sys.exit(3)""")
    assert forge(tmp_path).raise_rollback(SVC, RUN, 20.0) == ("", Ending.INVENTORY_ERROR, "it has 1 finding")


@pytest.mark.parametrize("out", ["", "rubbish", "{}", '{"ending": "fine", "run": "r2", "says": "x"}'])
def test_a_rollback_that_said_nothing_has_no_ending(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, out: str) -> None:
    python(monkeypatch, tmp_path, f"print({out!r}); sys.exit(1)")
    line = "the raised rollback ended with 1 and said nothing"
    assert forge(tmp_path).raise_rollback(SVC, RUN, 20.0) == ("", None, line)


def test_bytes_that_are_not_text_are_no_ending(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    says = """b'{"ending": "rolled_back", "run": "r2", "says": "\\xff"}'"""
    python(monkeypatch, tmp_path, f"sys.stdout.buffer.write({says})")
    line = "the raised rollback ended with 0 and said nothing"
    assert forge(tmp_path).raise_rollback(SVC, RUN, 20.0) == ("", None, line)


def test_a_rollback_over_its_budget_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pid = tmp_path / "pid"
    python(monkeypatch, tmp_path, f"open({str(pid)!r}, 'w').write(str(os.getpid())); time.sleep(60)")
    line = "the raised rollback did not end within 0 s and was stopped"
    assert forge(tmp_path).raise_rollback(SVC, RUN, 0.3) == ("", None, line)
    if pid.exists():
        with pytest.raises(ProcessLookupError):
            os.kill(int(pid.read_text()), 0)


def test_a_rollback_goes_on_when_its_deploy_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    python(monkeypatch, tmp_path, "time.sleep(60)")
    started: list[subprocess.Popen[bytes]] = []
    popen = subprocess.Popen

    def kept(*words: object, **more: object) -> subprocess.Popen[bytes]:
        started.append(popen(*words, **more))  # type: ignore[call-overload]
        return started[-1]

    monkeypatch.setattr("subprocess.Popen", kept)
    told = forge(tmp_path, "SIGTERM").raise_rollback(SVC, RUN, 20.0)
    (child,) = started
    try:
        assert told == ("", None, f"the raised rollback goes on by itself (pid {child.pid})")
        assert child.poll() is None
    finally:
        child.send_signal(signal.SIGKILL)
        child.wait(20.0)
