"""The inventory at another commit, out of real repositories of git."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from deploygate.adapters.git import fetch, has_git
from deploygate.errors import GateError

Git = Callable[..., str]


@pytest.fixture
def git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Git:
    """A repository with one commit on main, and git in it."""
    folder = tmp_path / "shop"
    folder.mkdir()
    for variable in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"):
        monkeypatch.delenv(variable, raising=False)

    def run(*words: str) -> str:
        identity = ["-c", "user.name=nathan", "-c", "user.email=nathan@example.invalid"]
        done = subprocess.run(["git", "-C", str(folder), *identity, *words], capture_output=True, text=True, check=True)
        return done.stdout.strip()

    run("init", "--quiet", "--initial-branch=main")
    (folder / "services.yml").write_text("one\n")
    (folder / "fleet").mkdir()
    (folder / "fleet" / "a.yml").write_text("a\n")
    (folder / "fleet" / "notes.txt").write_text("no part\n")
    run("add", "--all")
    run("commit", "--quiet", "--message", "Begin")
    return run


def test_a_file_is_as_it_was_where_the_branch_left_the_base(git: Git, tmp_path: Path) -> None:
    path, into = tmp_path / "shop" / "services.yml", tmp_path / "before.yml"
    left = git("rev-parse", "HEAD")
    git("checkout", "--quiet", "-b", "change")
    path.write_text("mine\n")
    git("commit", "--quiet", "--all", "--message", "Mine")
    git("checkout", "--quiet", "main")
    path.write_text("theirs\n")
    git("commit", "--quiet", "--all", "--message", "Theirs")
    git("checkout", "--quiet", "change")
    assert fetch(path, "main", into) == left
    assert into.read_text() == "one\n"


def test_a_folder_is_its_files_of_yaml_and_no_others(git: Git, tmp_path: Path) -> None:
    folder, into = tmp_path / "shop" / "fleet", tmp_path / "before"
    (folder / "b.yml").write_text("b\n")
    assert git("rev-parse", "HEAD") == fetch(folder, "HEAD", into)
    assert {one.name: one.read_text() for one in into.iterdir()} == {"a.yml": "a\n"}


@pytest.mark.usefixtures("git")
@pytest.mark.parametrize("ref", ["nowhere", "--help", "-x", "HEAD~7", "", "a b; true"])
def test_a_commit_that_is_not_here_is_said_with_how_to_get_it(tmp_path: Path, ref: str) -> None:
    with pytest.raises(GateError, match="there is no commit") as error:
        fetch(tmp_path / "shop" / "services.yml", ref, tmp_path / "before.yml")
    assert "fetch-depth" in error.value.help


@pytest.mark.usefixtures("git")
def test_an_inventory_that_was_not_there_is_said(tmp_path: Path) -> None:
    (tmp_path / "shop" / "new.yml").write_text("new\n")
    with pytest.raises(GateError, match=r"there was no new\.yml"):
        fetch(tmp_path / "shop" / "new.yml", "HEAD", tmp_path / "before.yml")


@pytest.mark.usefixtures("git")
def test_f14_a_checkout_of_another_user_is_read_and_starts_no_program_of_its_configuration(
    tmp_path: Path, git: Git, monkeypatch: pytest.MonkeyPatch
) -> None:
    mark = tmp_path / "started"
    git("config", "core.fsmonitor", f"touch {mark}")
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    assert has_git(tmp_path / "shop" / "services.yml")
    fetch(tmp_path / "shop" / "services.yml", "HEAD", tmp_path / "before.yml")
    assert not mark.exists()


def test_a_folder_that_is_no_checkout_has_no_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert not has_git(tmp_path / "services.yml")
