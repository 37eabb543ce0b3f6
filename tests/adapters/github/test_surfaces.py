"""The surfaces, on a GitHub that holds every request and answer to GitHub's own description, and on an older server."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from deploygate.adapters.github.client import QUICK, Hub
from deploygate.adapters.github.comments import Sticky
from deploygate.adapters.github.contents import fetch
from deploygate.adapters.github.pulls import PullRequest, PutBack, open_put_back, pulls_of
from deploygate.adapters.github.statuses import Status, set_status, statuses_of
from deploygate.adapters.github.trouble import Absent, Denied, GitHubTrouble, Unsent
from deploygate.fake_github import FakeGitHub, Pull, Repository
from deploygate.fake_github.faults import Options
from deploygate.names import Secret

BACK = PutBack(
    "main", "deploygate/put-back/shop-1.4", "services.yml", "version: 1.5\n", "version: 1.4\n", "Put shop back", "why"
)


@pytest.fixture(params=["github.com", "ghes-3.20"])
def github(request: pytest.FixtureRequest) -> Iterator[FakeGitHub]:
    with FakeGitHub(server=request.param) as one:
        yield one


@pytest.fixture
def repository(github: FakeGitHub) -> Repository:
    made = github.repository("acme/shop")
    made.commit({"services.yml": "version: 1.5\n"}, "Begin")
    return made


@pytest.fixture
def pull(repository: Repository) -> Pull:
    repository.branch("change")
    repository.commit({"change.txt": "x\n"}, "Change", branch="change")
    return repository.pull("change")


def hub(github: FakeGitHub, token: str = "") -> Hub:
    return Hub(github.url, Secret(token or github.token()), "acme/shop")


def shown(pull: Pull) -> list[str]:
    return [one.body.partition("\n")[2] for one in pull.comments if one.body.startswith("<!-- deploygate ")]


def test_a_status_is_written_once_and_read_back(github: FakeGitHub, repository: Repository) -> None:
    asked, sha = hub(github), repository.sha()
    for state in ("pending", "pending", "success"):
        set_status(asked, sha, "deploygate/check", state, "3 \U0001f41b found", "https://example.com/run")
    assert asked.calls == 2
    assert statuses_of(asked, sha) == {
        "deploygate/check": Status("deploygate/check", "success", "3 \ufffd found", "https://example.com/run")
    }


def test_trap_19_a_fork_s_token_is_denied_each_surface_by_name(
    github: FakeGitHub, repository: Repository, pull: Pull
) -> None:
    asked = hub(github, github.fork_token())
    denied = []
    for act in (
        lambda: set_status(asked, repository.sha(), "deploygate/check", "success", "x", ""),
        lambda: Sticky(asked, ("10", 1), pull.head_sha).show(pull.number, "check", "### x"),
        lambda: open_put_back(asked, BACK),
    ):
        with pytest.raises(Denied) as caught:
            act()
        denied.append(caught.value.permission)
    assert denied == ["statuses: write", "pull-requests: write", "contents: write"]


def test_f24_a_token_that_github_does_not_know_is_a_401(github: FakeGitHub, repository: Repository) -> None:
    with pytest.raises(GitHubTrouble, match="does not accept the token"):
        set_status(hub(github, "ghs_expired"), repository.sha(), "deploygate/check", "success", "x", "")


def test_f6_the_secondary_limit_is_waited_for(github: FakeGitHub, repository: Repository) -> None:
    github.secondary_limit("POST")
    asked = hub(github)
    set_status(asked, repository.sha(), "deploygate/check", "success", "x", "")
    assert (asked.calls, len(repository.statuses)) == (2, 1)


@pytest.mark.parametrize(
    "answer", [Options(cut=True, after_handling=True), Options(status=502, after_handling=True)], ids=["cut", "502"]
)
def test_f7_a_write_whose_answer_is_lost_was_done_once(
    github: FakeGitHub, repository: Repository, answer: Options
) -> None:
    github.fault("POST", "*", **answer)
    with pytest.raises(Unsent):
        set_status(hub(github), repository.sha(), "deploygate/check", "success", "x", "")
    assert len(repository.statuses) == 1


def test_f7_a_comment_whose_answer_is_lost_is_there_once(github: FakeGitHub, pull: Pull) -> None:
    github.fault("POST", "*", cut=True, after_handling=True)
    Sticky(hub(github), ("10", 1), pull.head_sha).show(pull.number, "check", "### one")
    assert shown(pull) == ["### one"]


def test_the_quick_patience_gives_up_by_itself(github: FakeGitHub, repository: Repository) -> None:
    github.fault("POST", "*", delay=3.0)
    quick = Hub(github.url, Secret(github.token()), "acme/shop", patience=QUICK)
    with pytest.raises(Unsent):
        set_status(quick, repository.sha(), "deploygate/check", "error", "x", "")
    assert quick.calls == 1


def test_f2_a_comment_is_found_behind_250_others(github: FakeGitHub, repository: Repository, pull: Pull) -> None:
    for number in range(250):
        repository.comment(pull.number, f"comment {number}")
    for run in ("10", "11"):
        Sticky(hub(github), (run, 1), pull.head_sha).show(pull.number, "check", f"### {run}")
    assert (shown(pull), len(pull.comments)) == (["### 11"], 251)


def test_a_person_s_marker_is_ignored_and_a_person_s_token_finds_its_own(
    github: FakeGitHub, repository: Repository, pull: Pull
) -> None:
    Sticky(hub(github), ("10", 1), pull.head_sha).show(pull.number, "check", "### ours")
    repository.comment(
        pull.number, pull.comments[0].body.replace("run=10", "run=99").replace("ours", "forged"), by="eve"
    )
    Sticky(hub(github), ("11", 1), pull.head_sha).show(pull.number, "check", "### ours again")
    assert shown(pull) == ["### ours again", "### forged"]
    for run in ("12", "13"):
        Sticky(hub(github, github.token(user="ada")), (run, 1), pull.head_sha).show(pull.number, "other", f"### {run}")
    assert shown(pull)[2:] == ["### 13"]


def test_f3_only_the_newest_run_on_the_head_has_the_word(
    github: FakeGitHub, repository: Repository, pull: Pull
) -> None:
    old = pull.head_sha
    repository.commit({"change.txt": "y\n"}, "Change more", branch="change")
    for run, sha, text in (
        ("12", pull.head_sha, "head"),
        ("11", pull.head_sha, "older run"),
        ("13", old, "older commit"),
    ):
        Sticky(hub(github), (run, 1), sha).show(pull.number, "check", text)
    assert shown(pull) == ["head"]
    merged = repository.merge(pull.number)
    Sticky(hub(github), ("14", 1), merged).show(pull.number, "check", "merged")
    assert shown(pull) == ["merged"]


def test_trap_20_runs_that_race_leave_one_comment(github: FakeGitHub, pull: Pull) -> None:
    def show(run: int) -> None:
        Sticky(hub(github), (str(run), 1), pull.head_sha).show(pull.number, "check", f"### {run}")

    with ThreadPoolExecutor(8) as together:
        list(together.map(show, range(10, 18)))
    assert len(pull.comments) == 1
    show(20)
    assert shown(pull) == ["### 20"]


def test_an_inventory_is_read_as_it_was(github: FakeGitHub, repository: Repository, tmp_path: Path) -> None:
    before = repository.commit({"fleet/a.yml": "a: 1\n", "fleet/b.yml": "b: 1\n", "fleet/x.md": "x"}, "Before")
    (tmp_path / "fleet").mkdir()
    (tmp_path / "fleet" / "a.yml").write_text("a: 1\n")
    (tmp_path / "fleet" / "b.yml").write_text("b: 2\n")
    asked = hub(github)
    fetch(asked, before, "fleet", tmp_path / "fleet", tmp_path / "before")
    assert {path.name: path.read_text() for path in (tmp_path / "before").iterdir()} == {
        "a.yml": "a: 1\n",
        "b.yml": "b: 1\n",
    }
    assert asked.calls == 2
    fetch(asked, before, "services.yml", tmp_path / "services.yml", tmp_path / "services.yml")
    fetch(asked, before, ".", tmp_path, tmp_path / "top")
    assert (
        (tmp_path / "services.yml").read_text() == (tmp_path / "top" / "services.yml").read_text() == "version: 1.5\n"
    )
    for sha, path in ((before, "none.yml"), ("1f" * 20, "services.yml")):
        with pytest.raises(Absent):
            fetch(asked, sha, path, tmp_path, tmp_path / "none")


def test_the_pull_request_of_a_merge_is_found(github: FakeGitHub, repository: Repository, pull: Pull) -> None:
    assert pulls_of(hub(github), pull.head_sha) == (PullRequest(pull.number, merged=False, head_sha=pull.head_sha),)
    merged = repository.merge(pull.number)
    assert pulls_of(hub(github), merged) == (PullRequest(pull.number, merged=True, head_sha=pull.head_sha),)


def test_an_inventory_is_put_back_by_one_pull_request(github: FakeGitHub, repository: Repository) -> None:
    asked = hub(github)
    url = open_put_back(asked, BACK)
    assert open_put_back(asked, BACK) == url
    (opened,) = repository.pulls.values()
    assert (opened.base, opened.head, opened.title, opened.body) == ("main", BACK.branch, "Put shop back", "why")
    assert (repository.text("services.yml", BACK.branch), repository.text("services.yml")) == (BACK.after, BACK.before)


def test_a_put_back_is_never_written_over_a_change(github: FakeGitHub, repository: Repository) -> None:
    repository.commit({"services.yml": "version: 1.6\n"}, "Go on")
    with pytest.raises(GitHubTrouble, match="is not as this run read it"):
        open_put_back(hub(github), BACK)
    assert repository.pulls == {}


def test_where_workflows_may_not_open_pull_requests_the_branch_is_named(
    github: FakeGitHub, repository: Repository
) -> None:
    repository.actions_may_open_pulls = False
    with pytest.raises(Denied, match="switched off"):
        open_put_back(hub(github), BACK)
    assert repository.text("services.yml", BACK.branch) == BACK.after
