"""Small files are there whole or not at all, and a lock goes with its process."""

import subprocess
import sys
from pathlib import Path

import pytest

from deploygate.adapters.files import exclusive, write_whole

FUSE = 20.0


def test_a_file_is_written_whole_with_the_folders_above_it(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "c.json"
    write_whole(path, b"one")
    write_whole(path, b"two")
    assert path.read_bytes() == b"two"
    assert [one.name for one in path.parent.iterdir()] == ["c.json"]


def test_a_write_that_fails_leaves_the_earlier_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "c.json"
    write_whole(path, b"one")

    def full(_number: int) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="no space"):
        write_whole(path, b"two")
    assert path.read_bytes() == b"one"


def test_a_file_that_others_read_is_never_half_there(tmp_path: Path) -> None:
    path = tmp_path / "c.json"
    write_whole(path, b"one")
    with path.open("rb") as reader:
        write_whole(path, b"two")
        assert reader.read() == b"one"


def test_a_lock_that_is_held_is_waited_for_and_then_given_up(tmp_path: Path) -> None:
    with (
        exclusive(tmp_path / "x" / "lock", 0.0),
        pytest.raises(TimeoutError, match="another gate is busy with x/lock"),
        exclusive(tmp_path / "x" / "lock", 0.05),
    ):
        pass
    with exclusive(tmp_path / "x" / "lock", 0.0):
        pass


def test_a_lock_is_gone_with_the_process_that_was_killed(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from deploygate.adapters.files import exclusive\n"
        "with exclusive(Path(sys.argv[1]), 1.0): print('held', flush=True); input()"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path / "lock")], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with child:
        assert child.stdout
        assert child.stdout.readline() == b"held\n"
        with pytest.raises(TimeoutError), exclusive(tmp_path / "lock", 0.0):
            pass
        child.kill()
        child.wait(FUSE)
    with exclusive(tmp_path / "lock", 0.0):
        pass
