"""A program ends by itself or at the limit, with all that it started; what it writes is bounded."""

import os
import signal
import sys
import time
from pathlib import Path

import pytest

from deploygate.adapters.programs import MOST, Done, run

FUSE = 20.0


def sh(text: str, folder: Path, limit: float = FUSE) -> Done:
    return run(["/bin/sh", "-c", text], {"PATH": os.environ["PATH"], "A": "b c"}, folder, limit)


def alive(pid: int) -> bool:
    """Tell whether a process runs; one that is dead and not yet waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def gone(pid: int) -> bool:
    end = time.monotonic() + FUSE
    while alive(pid) and time.monotonic() < end:
        time.sleep(0.01)
    return not alive(pid)


def test_what_a_program_wrote_and_how_it_ended_is_told(tmp_path: Path) -> None:
    assert sh('printf "%s" "$A"; echo no >&2; exit 3', tmp_path) == Done(3, b"b c", "no\n", FUSE)
    assert sh("pwd", tmp_path) == Done(0, f"{tmp_path}\n".encode(), "", FUSE)


def test_it_has_the_environment_that_it_is_given_and_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OF_THE_GATE", "secret")
    assert b"OF_THE_GATE" not in sh("env", tmp_path).out


def test_nothing_can_be_typed_into_it(tmp_path: Path) -> None:
    assert sh("cat; tty", tmp_path).out == b"not a tty\n"


def test_at_the_limit_it_is_killed_with_all_that_it_started(tmp_path: Path) -> None:
    done = sh("trap '' TERM; sleep 60 & echo $! $$; echo busy >&2; wait; wait", tmp_path, 0.3)
    assert (done.code, done.says) == (None, "did not end within 300 ms and was killed: busy")
    assert all(gone(int(pid)) for pid in done.out.split())


def test_what_it_leaves_behind_when_it_ends_in_time_is_left_alone_and_not_waited_for(tmp_path: Path) -> None:
    done = sh("sleep 60 & echo $!", tmp_path)
    pid = int(done.out)
    try:
        assert (done.code, alive(pid)) == (0, True)
    finally:
        os.kill(pid, signal.SIGKILL)


def test_of_much_output_the_beginning_is_kept_and_of_many_complaints_the_end(tmp_path: Path) -> None:
    lines = "import sys\nfor n in range(50_000): print(f'{n:09}', file=sys.stdout); print(f'{n:09}', file=sys.stderr)"
    done = run([sys.executable, "-c", lines], os.environ, tmp_path, FUSE)
    assert (done.code, len(done.out), len(done.err)) == (0, MOST, MOST)
    assert done.out.startswith(b"000000000\n000000001\n")
    assert done.err.endswith("000049999\n")


def test_a_program_that_closes_its_output_is_waited_for_all_the_same(tmp_path: Path) -> None:
    assert sh("exec >&- 2>&-; sleep 0.2; exit 4", tmp_path) == Done(4, b"", "", FUSE)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("exit 7", "exited with 7"),
        ("echo out; echo first >&2; echo last >&2; echo >&2; exit 1", "exited with 1: last"),
        ("echo only; exit 1", "exited with 1: only"),
        ("kill -9 $$", "was ended by SIGKILL"),
        (r"printf '\033[31m##[error]x' >&2; exit 1", r"exited with 1: \x1b[31m## [error]x"),
        (r"printf '\377' >&2; exit 1", "exited with 1: \N{REPLACEMENT CHARACTER}"),
    ],
)
def test_a_failure_says_the_last_line_made_harmless(tmp_path: Path, text: str, says: str) -> None:
    assert sh(text, tmp_path).says == says


def test_a_program_that_cannot_be_started_says_so(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        run(["./none"], {}, tmp_path, FUSE)
    (tmp_path / "plain").write_text("x")
    with pytest.raises(PermissionError):
        run(["./plain"], {}, tmp_path, FUSE)
