"""`deploygate check --base`: what an edit means, against a real repository, and against GitHub where there is none."""

import json
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from stepping import SERVICES

from deploygate.cli.main import cli
from deploygate.fake_github import FakeGitHub

EDITED = SERVICES.replace('version: "1.0"', 'version: "2.0"').replace("pm: obaid", "pm: dana")


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout with the inventory committed, and edited since."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    for variable in ("GITHUB_TOKEN", "GITHUB_REPOSITORY"):
        monkeypatch.delenv(variable, raising=False)
    path = tmp_path / "services.yml"
    path.write_text(SERVICES)
    identity = ["-c", "user.name=nathan", "-c", "user.email=nathan@example.invalid"]
    for words in (["init", "-q", "-b", "main"], ["add", "services.yml"], [*identity, "commit", "-qm", "Begin"]):
        subprocess.run(["git", *words], check=True, capture_output=True)
    path.write_text(EDITED)
    return path


def check(*words: str) -> Result:
    return CliRunner().invoke(cli, ["check", *words], standalone_mode=False)


@pytest.mark.usefixtures("shop")
def test_an_edit_is_told_in_words() -> None:
    done = check("--base", "main")
    lines = done.stdout.splitlines()
    assert done.exit_code == 0, done.output
    assert lines[0] == "✔ merging deploys Svc 1.0 -> 2.0, in about 63 s"
    assert lines[1].startswith("+ Svc 1.0 -> 2.0: 1 parallel-chain instance and 2 production instances, one at a time")
    assert lines[2] == "~ Svc: is answered for by pm dana (was obaid)"


@pytest.mark.usefixtures("shop")
def test_an_edit_is_told_to_a_program() -> None:
    data = json.loads(check("--base", "main", "--format", "json").stdout)
    assert (data["schema"], data["decision"]) == (1, "pass")
    assert [(one["service"], one["from"], one["to"]) for one in data["changes"]] == [("Svc", "1.0", "2.0")]
    assert [one["part"] for one in data["differences"]] == ["version", "owners"]


def test_a_broken_edit_says_what_is_wrong_and_not_what_it_would_do(shop: Path) -> None:
    shop.write_text(EDITED.replace("purpose:", "porpoise:"))
    done = check("--base", "main")
    assert done.exit_code == 3 or done.return_value == 3
    assert "✘ the inventory has 2 errors" in done.stdout


def test_without_git_it_is_taken_from_github(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with FakeGitHub() as hub:
        repo = hub.repository("acme/shop")
        sha = repo.commit({"services.yml": SERVICES}, "Begin")
        monkeypatch.setenv("PATH", str(shop.parent))
        monkeypatch.setenv("GITHUB_TOKEN", hub.token({"contents": "read"}))
        monkeypatch.setenv("GITHUB_REPOSITORY", "acme/shop")
        monkeypatch.setenv("GITHUB_API_URL", hub.url)
        assert "merging deploys Svc 1.0 -> 2.0" in check("--base", sha).stdout


def test_without_git_and_without_a_token_it_says_what_to_do(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(shop.parent))
    done = check("--base", "main")
    assert "GITHUB_TOKEN and GITHUB_REPOSITORY" in done.stderr


IN_PLACE = 'provides: {{ads: [{{version: "2.0", digest: "sha256:{0}"}}]}}'


@pytest.mark.parametrize("form", ["text", "sarif"])
def test_an_interface_that_the_edit_changes_in_place_is_an_error(shop: Path, form: str) -> None:
    def having(digest: str) -> str:
        return SERVICES.replace('version: "1.0"', f'version: "1.0"\n    {IN_PLACE.format(digest * 64)}')

    shop.write_text(having("a"))
    identity = ["-c", "user.name=nathan", "-c", "user.email=nathan@example.invalid"]
    subprocess.run(["git", *identity, "commit", "-qam", "Declare"], check=True, capture_output=True)
    shop.write_text(having("b"))
    done = check("--base", "main", "--format", form)
    assert done.exit_code == 3 or done.return_value == 3
    assert "Svc 1.0 changes ads 2.0 in place: it has another digest than before" in done.stdout
    assert (form == "text") or json.loads(done.stdout)["runs"][0]["results"][0]["ruleId"] == "changed-in-place"
