"""What the scenarios stand on is right itself: GitHub's expressions and commands, the checkout, the jobs' inputs."""

from pathlib import Path

import pytest
import yaml

from deploygate.fake_github import FakeGitHub

from .checkout import cloned
from .commands import Command, commands, file_commands
from .expressions import Contexts, filled
from .workflows import FILES, PROJECT, given_inputs, permissions

CONTEXTS: Contexts = {
    "inputs": {"version": "previous", "empty": "", "yes": True},
    "secrets": {"KEY": "a\nb"},
    "vars": {},
}


@pytest.mark.parametrize(
    ("text", "is_"),
    [
        ("plain", "plain"),
        ("${{ inputs.version }}!", "previous!"),
        ("${{ inputs.version != 'previous' && inputs.version || '' }}", ""),
        ("${{ inputs.empty || inputs.version }}", "previous"),
        ("${{ (inputs.empty == '') && 'it''s' }}", "it's"),
        ("${{ !inputs.empty && inputs.yes }}", "true"),
        ("${{ secrets.KEY }}", "a\nb"),
        ("${{ vars.NOBODY_HAS_SET_IT }}", ""),
        (True, "true"),
        (None, ""),
    ],
)
def test_an_expression_is_what_github_makes_of_it(text: object, is_: str) -> None:
    assert filled(text, CONTEXTS) == is_


def test_an_expression_that_is_beyond_the_tests_fails_them() -> None:
    with pytest.raises(AssertionError, match="beyond the tests"):
        filled("${{ inputs.list[0] }}", CONTEXTS)


def test_commands_are_read_as_the_runner_reads_them() -> None:
    said = ["::error file=a%2Cb.yml,line=3::one%0Atwo%25", "no ::error::"]
    said += ["::stop-commands::x1", "::error::forged", "::x1::", "::group::G"]
    assert list(commands("\n".join(said))) == [
        Command("error", {"file": "a,b.yml", "line": "3"}, "one\ntwo%"),
        Command("stop-commands", {}, "x1"),
        Command("group", {}, "G"),
    ]


def test_outputs_are_read_as_the_runner_reads_them() -> None:
    assert file_commands("a=1=2\nb<<X\nc=3\n\nX\n") == {"a": "1=2", "b": "c=3\n"}
    with pytest.raises(AssertionError, match="no end"):
        file_commands("b<<X\nc=3\n")
    with pytest.raises(AssertionError, match="neither"):
        file_commands("forged\n")


def test_git_has_the_names_that_the_fake_has(tmp_path: Path) -> None:
    with FakeGitHub() as hub:
        repo = hub.repository("acme/shop")
        repo.commit({"a/b.txt": "ä\r\n", "a.txt": "", "a-b/c": "x"}, "One")
        cloned(repo, repo.commit({"a.txt": None}, "Two\n\nlines"), tmp_path / "clone")
    assert (tmp_path / "clone/a/b.txt").read_bytes() == "ä\r\n".encode()


@pytest.mark.parametrize("file", FILES)
def test_the_shop_grants_what_the_projects_own_workflow_asks_for_and_nothing_more(file: str) -> None:
    (caller,) = yaml.safe_load(FILES[file])["jobs"].values()
    assert caller["permissions"] == permissions(file)


@pytest.mark.parametrize("file", FILES)
def test_every_input_of_the_projects_own_workflow_that_the_shop_names_is_there(file: str) -> None:
    (caller,) = yaml.safe_load(FILES[file])["jobs"].values()
    called = yaml.safe_load((PROJECT / ".github/workflows" / file).read_text())[True]["workflow_call"]
    assert set(caller.get("with", {})) <= set(called["inputs"])
    assert set(caller.get("secrets", {})) <= set(called.get("secrets", {}))


def test_the_action_gets_what_the_dispatch_says() -> None:
    asked = {"service": "Svc", "version": "previous", "of_run": "r-1", "raised": "true"}
    contexts = {"github": {"token": "t"}, "inputs": asked, "secrets": {"DEPLOY_KEY": "k"}, "vars": {}}
    got = given_inputs("rollback.yml", contexts)
    assert (got["verb"], got["service"], got["of_run"], got["raised"]) == ("rollback", "Svc", "r-1", "true")
    assert (got["ssh_key"], got["token"]) == ("k", "t")
