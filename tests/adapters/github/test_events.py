"""What called the gate is read from GitHub's environment and payload: which commit, which pull request, whose fork."""

import json
from pathlib import Path

import pytest

from deploygate.adapters.github.events import occasion
from deploygate.occasion import Occasion

HEAD, BASE, MERGE = "1f" * 20, "2e" * 20, "3d" * 20
HOME = {"full_name": "acme/shop", "default_branch": "main"}
ENVIRON = {
    "GITHUB_REPOSITORY": "acme/shop",
    "GITHUB_SHA": MERGE,
    "GITHUB_REF": "refs/heads/main",
    "GITHUB_RUN_ID": "99",
    "GITHUB_RUN_ATTEMPT": "2",
    "GITHUB_WORKFLOW": "Deploy",
    "GITHUB_JOB": "deploy",
    "GITHUB_ACTOR": "ada",
    "GITHUB_SERVER_URL": "https://github.com",
    "GITHUB_API_URL": "https://api.github.com",
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "event.json"


def of(path: Path, event: str, payload: object, **environ: str) -> Occasion:
    path.write_text(json.dumps(payload))
    return occasion(ENVIRON | {"GITHUB_EVENT_NAME": event, "GITHUB_EVENT_PATH": str(path)} | environ)


def pull(head: object = HOME, base: object = HOME) -> dict[str, object]:
    return {
        "repository": HOME,
        "pull_request": {"number": 7, "head": {"sha": HEAD, "repo": head}, "base": {"sha": BASE, "repo": base}},
    }


def test_every_part_of_a_push_is_known(path: Path) -> None:
    assert of(path, "push", {"before": BASE, "after": MERGE, "repository": HOME}) == Occasion(
        event="push",
        repository="acme/shop",
        sha=MERGE,
        ref="refs/heads/main",
        default_branch="main",
        before=BASE,
        pull=None,
        fork=False,
        run_id="99",
        attempt=2,
        workflow="Deploy",
        job="deploy",
        actor="ada",
        server_url="https://github.com",
        api_url="https://api.github.com",
    )


@pytest.mark.parametrize("event", ["pull_request", "pull_request_target"])
def test_trap_26_a_status_of_a_pull_request_belongs_to_its_head_not_to_the_merge_commit(path: Path, event: str) -> None:
    found = of(path, event, pull(), GITHUB_REF="refs/pull/7/merge")
    assert (found.sha, found.before, found.pull, found.fork) == (HEAD, BASE, 7, False)


def test_f18_a_merge_group_s_status_belongs_to_its_head_and_its_ref_names_the_pull_request(path: Path) -> None:
    group = {"head_sha": HEAD, "head_ref": f"refs/heads/gh-readonly-queue/main/pr-104-{BASE}", "base_sha": BASE}
    found = of(path, "merge_group", {"merge_group": group})
    assert (found.sha, found.before, found.pull) == (HEAD, BASE, 104)


def test_a_merge_group_of_a_branch_that_looks_like_a_pull_request_names_the_last_one(path: Path) -> None:
    ref = f"refs/heads/gh-readonly-queue/x/pr-9-{HEAD}/pr-104-{BASE}"
    assert of(path, "merge_group", {"merge_group": {"head_sha": HEAD, "head_ref": ref}}).pull == 104


@pytest.mark.parametrize("event", ["deployment", "deployment_status"])
def test_f29_a_deployment_has_its_own_commit_and_may_have_no_ref(path: Path, event: str) -> None:
    found = of(path, event, {"deployment": {"id": 1, "sha": HEAD, "ref": HEAD}}, GITHUB_REF="")
    assert (found.sha, found.ref, found.before, found.pull) == (HEAD, "", "", None)


@pytest.mark.parametrize("event", ["workflow_dispatch", "schedule", "repository_dispatch", "workflow_run"])
def test_other_events_are_about_the_commit_they_run_on(path: Path, event: str) -> None:
    payload = {"inputs": None, "schedule": "0 3 * * *", "deployment": {"sha": HEAD}, "before": BASE}
    found = of(path, event, payload)
    assert (found.sha, found.before, found.pull, found.fork) == (MERGE, "", None, False)


def test_a_new_branch_has_zeros_before_it(path: Path) -> None:
    assert of(path, "push", {"before": "0" * 40}).before == "0" * 40


def test_a_comment_on_a_pull_request_names_it_and_one_on_an_issue_does_not(path: Path) -> None:
    on_pull = {"issue": {"number": 5, "pull_request": {"url": "x"}}}
    on_issue = {"issue": {"number": 5}}
    assert [of(path, "issue_comment", payload).pull for payload in (on_pull, on_issue)] == [5, None]


@pytest.mark.parametrize(
    ("head", "fork"),
    [({"full_name": "acme/shop"}, False), ({"full_name": "eve/shop"}, True), (None, True)],
    ids=["own", "fork", "deleted"],
)
def test_trap_19_a_pull_request_from_another_repository_is_a_fork_s(path: Path, head: object, *, fork: bool) -> None:
    assert of(path, "pull_request", pull(head)).fork is fork


def test_trap_19_dependabot_s_token_is_as_a_fork_s(path: Path) -> None:
    found = [of(path, event, pull(), GITHUB_ACTOR="dependabot[bot]").fork for event in ("pull_request", "push")]
    assert found == [True, True]


def test_a_pull_request_of_which_nothing_is_known_counts_as_a_fork_s(path: Path) -> None:
    found = of(path, "pull_request", {}, GITHUB_REF="refs/pull/12/merge")
    assert (found.fork, found.pull, found.sha) == (True, 12, MERGE)


def test_a_payload_without_its_base_is_compared_with_the_run_s_repository(path: Path) -> None:
    minimal = {"pull_request": {"number": 7, "head": {"sha": HEAD, "repo": {"full_name": "acme/shop"}}}}
    found = of(path, "pull_request", minimal)
    assert (found.fork, found.sha, found.before) == (False, HEAD, "")


@pytest.mark.parametrize(
    "content",
    [b"", b"{}", b"[]", b"null", b"{", b"\xff\xfe", b"[" * 100_000, b'{"before": 7, "repository": []}'],
    ids=["empty", "minimal", "list", "null", "broken", "binary", "deep", "other types"],
)
def test_a_local_run_s_payload_may_be_anything(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    found = occasion(ENVIRON | {"GITHUB_EVENT_NAME": "push", "GITHUB_EVENT_PATH": str(path)})
    assert (found.sha, found.before, found.default_branch) == (MERGE, "", "")


def test_one_odd_part_of_a_payload_does_not_hide_the_others(path: Path) -> None:
    found = of(path, "pull_request", pull() | {"repository": "acme/shop"})
    assert (found.sha, found.pull, found.default_branch) == (HEAD, 7, "")


def test_a_run_outside_of_github_has_an_occasion_too(tmp_path: Path) -> None:
    found = occasion({"GITHUB_EVENT_PATH": str(tmp_path / "none.json")})
    assert found == occasion({})
    assert (found.event, found.repository, found.run_url, found.attempt) == ("", "", "", 1)


def test_a_server_of_one_s_own_has_its_own_addresses(path: Path) -> None:
    found = of(
        path, "push", {}, GITHUB_SERVER_URL="https://ghe.example.com/", GITHUB_API_URL="https://ghe.example.com/api/v3"
    )
    assert found.api_url == "https://ghe.example.com/api/v3"
    assert found.run_url == "https://ghe.example.com/acme/shop/actions/runs/99/attempts/2"


@pytest.mark.parametrize("attempt", ["", "²", "x", "-1"])
def test_an_odd_attempt_is_the_first(path: Path, attempt: str) -> None:
    assert of(path, "push", {}, GITHUB_RUN_ATTEMPT=attempt).attempt == 1
