"""`deploygate codeowners` on files: written once, checked, and nothing of anybody else's touched."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from deploygate.endings import EXIT_CODES, Ending

PEOPLE = "people: {nathan: nathan-d, cory: cory, obaid: acme/product, mona: mona}\n"
HEAD = f"schema: 1\nenvironments: [parallel-chain, production]\n{PEOPLE}"
SERVICE = """\
  NAME:
    purpose: Answers.
    owners: {ops: OPS, dev: cory, pm: obaid}
    version: "1.0"
    artifact: dist/Svc-{version}
    deploy: {killstart: {root: srv/NAME, start: [./run, "{port}"]}}
    instances:
      parallel-chain: [{name: NAME-p, address: "http://127.0.0.1:7N01"}]
      production:
        - {name: NAME-1, address: "http://127.0.0.1:7N11"}
        - {name: NAME-2, address: "http://127.0.0.1:7N12"}
"""


def a_service(name: str, number: int, ops: str = "nathan") -> str:
    return SERVICE.replace("NAME", name).replace("7N", f"7{number}").replace("OPS", ops)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    (tmp_path / ".git").mkdir()
    folder = tmp_path / "services"
    folder.mkdir()
    (folder / "base.yml").write_text(HEAD)
    (folder / "AdCaster.yml").write_text(f"services:\n{a_service('AdCaster', 1)}")
    (folder / "AtlasDB.yml").write_text(f"services:\n{a_service('AtlasDB', 2, 'mona')}")
    return tmp_path


def called(folder: Path, *words: str, **environ: str) -> "subprocess.CompletedProcess[str]":
    whole = [sys.executable, "-m", "deploygate", "codeowners", *words]
    return subprocess.run(
        whole, cwd=folder, capture_output=True, text=True, check=False, env={**os.environ, **environ}, timeout=60
    )


def test_the_section_is_written_where_github_looks_and_then_it_is_current(repository: Path) -> None:
    done = called(repository, "-i", "services")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "✔ wrote .github/CODEOWNERS: 4 lines, 4 owners\n"
    file = repository / ".github" / "CODEOWNERS"
    lines = file.read_text().splitlines()
    assert lines[0].startswith("# deploygate: begin (")
    assert lines[1:] == [
        "/services/*.yml @acme/product @cory @mona @nathan-d",
        "/services/*.yaml @acme/product @cory @mona @nathan-d",
        "/services/AdCaster.yml @acme/product @cory @nathan-d",
        "/services/AtlasDB.yml @acme/product @cory @mona",
        "# deploygate: end",
    ]
    assert called(repository, "-i", "services", "--check").returncode == 0
    before = file.stat().st_mtime_ns
    assert called(repository, "-i", "services").returncode == 0
    assert file.stat().st_mtime_ns == before


@pytest.mark.parametrize("place", [".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS"])
def test_the_file_that_is_there_is_taken_and_what_is_in_it_stays(repository: Path, place: str) -> None:
    file = repository / place
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(b"* @everybody\r\n# \xff\r\n")
    assert called(repository / "services", "-i", ".").returncode == 0  # from a folder below, too
    content = file.read_bytes()
    assert content.startswith(b"* @everybody\r\n# \xff\r\n\r\n# deploygate: begin")
    assert b"/services/AdCaster.yml @acme/product @cory @nathan-d\r\n" in content
    assert sum((repository / one).exists() for one in (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS")) == 1


def test_a_check_fails_with_a_diff_and_writes_nothing(repository: Path) -> None:
    called(repository, "-i", "services")
    file = repository / ".github" / "CODEOWNERS"
    before = file.read_text()
    (repository / "services" / "AtlasDB.yml").write_text(f"services:\n{a_service('AtlasDB', 2)}")
    done = called(repository, "-i", "services", "--check")
    assert done.returncode == EXIT_CODES[Ending.INVENTORY_ERROR]
    assert (
        "-/services/AtlasDB.yml @acme/product @cory @mona\n+/services/AtlasDB.yml @acme/product @cory @nathan-d\n"
        in done.stdout
    )
    assert "is out of date: run `deploygate codeowners`" in done.stdout
    assert file.read_text() == before
    told = json.loads(called(repository, "-i", "services", "--check", "--format", "json").stdout)
    assert (told["schema"], told["current"], told["changed"]) == (1, False, False)
    assert "+/services/AtlasDB.yml" in told["diff"]


def test_one_file_for_many_services_is_everybody_s_and_a_folder_is_advised(repository: Path) -> None:
    text = f"{HEAD}services:\n{a_service('AdCaster', 1)}{a_service('AtlasDB', 2, 'mona')}"
    (repository / "services.yml").write_text(text)
    done = called(repository)
    assert done.returncode == 0
    assert "[shared-file]" in done.stdout
    assert "Make the inventory a folder" in done.stdout
    assert "/services.yml @acme/product @cory @mona @nathan-d\n" in (repository / ".github" / "CODEOWNERS").read_text()


def test_owners_without_an_account_are_named_and_nothing_is_written(repository: Path) -> None:
    (repository / "services" / "base.yml").write_text(HEAD.replace(PEOPLE, ""))
    done = called(repository, "-i", "services")
    assert done.returncode == EXIT_CODES[Ending.INVENTORY_ERROR]
    for name in ("nathan (ops of AdCaster)", "cory (dev of AdCaster, and 1 other)", "mona (ops of AtlasDB)"):
        assert name in done.stderr
    assert "nobody says who that is on GitHub" in done.stderr
    assert not (repository / ".github").exists()


def test_a_later_line_that_wins_is_told(repository: Path) -> None:
    called(repository, "-i", "services")
    file = repository / ".github" / "CODEOWNERS"
    file.write_text(f"{file.read_text()}*.yml @docs\n")
    done = called(repository, "-i", "services", "--check")
    assert done.returncode == 0
    assert (
        ".github/CODEOWNERS:7:1: warning: *.yml @docs comes after the section, and takes services/AdCaster.yml"
        in done.stdout
    )


def test_broken_markers_are_left_for_people(repository: Path) -> None:
    file = repository / "CODEOWNERS"
    file.write_text("# deploygate: begin\n* @x\n")
    done = called(repository, "-i", "services")
    assert done.returncode == EXIT_CODES[Ending.INVENTORY_ERROR]
    assert "two marker lines" in done.stderr
    assert file.read_text() == "# deploygate: begin\n* @x\n"


def test_a_file_that_github_would_not_read_is_not_written(repository: Path) -> None:
    file = repository / "CODEOWNERS"
    file.write_text("# x\n" * 750_000)
    done = called(repository, "-i", "services")
    assert done.returncode == EXIT_CODES[Ending.INVENTORY_ERROR]
    assert "GitHub reads none of 3,000,000 or more" in done.stderr
    assert file.stat().st_size == 3_000_000


def test_an_inventory_outside_of_the_repository_has_no_place_in_its_file(repository: Path, tmp_path: Path) -> None:
    elsewhere = repository / "work"
    elsewhere.mkdir()
    (repository / ".git").rmdir()
    assert called(elsewhere, "-i", "../services").returncode == EXIT_CODES[Ending.USAGE_ERROR]
    assert tmp_path == repository
