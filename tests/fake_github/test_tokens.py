"""Tokens: who may do what, who sees what, and how many requests there are."""

from datetime import UTC, datetime

import pytest

from deploygate.fake_github import FakeGitHub, Repository
from fake_github.caller import Caller

NO = "Resource not accessible by integration"


@pytest.mark.parametrize(
    ("method", "path", "body", "permissions"),
    [
        ("POST", "/statuses/{sha}", {"state": "success"}, {"statuses": "write"}),
        ("GET", "/commits/main/statuses", None, {"statuses": "read"}),
        ("POST", "/deployments", {"ref": "main", "required_contexts": []}, {"deployments": "write"}),
        ("GET", "/deployments", None, {"deployments": "read"}),
        ("POST", "/issues/1/comments", {"body": "x"}, {"pull-requests": "write"}),
        ("POST", "/issues/1/comments", {"body": "x"}, {"issues": "write"}),
        ("GET", "/issues/1/comments", None, {"pull-requests": "read"}),
        ("GET", "/commits/main/pulls", None, {"pull-requests": "read"}),
        ("POST", "/actions/workflows/w.yml/dispatches", {"ref": "main"}, {"actions": "write"}),
        ("GET", "/actions/workflows/w.yml/runs", None, {"actions": "read"}),
        ("GET", "/environments", None, {"actions": "read"}),
        ("GET", "/contents/README.md", None, {"contents": "read"}),
        ("POST", "/git/refs", {"ref": "refs/heads/b", "sha": "{sha}"}, {"contents": "write"}),
        ("POST", "/pulls", {"title": "t", "head": "other", "base": "main"}, {"pull_requests": "write"}),
    ],
)
def test_one_permission_is_needed_and_is_enough(
    hub: FakeGitHub, repo: Repository, method: str, path: str, body: dict[str, object], permissions: dict[str, str]
) -> None:
    repo.commit({"a": "1"}, "a", branch="topic")
    repo.commit({"a": "2"}, "a", branch="other")
    repo.pull("topic")
    repo.workflow("w.yml")
    sha = repo.sha()
    sent = {key: value.format(sha=sha) if isinstance(value, str) else value for key, value in (body or {}).items()}
    assert Caller(hub, hub.token(permissions))(method, path.format(sha=sha), sent or None).ok
    ((area, level),) = permissions.items()
    for lacking in ({}, {area: "none"}, {"checks": "write"}, *([{area: "read"}] if level == "write" else [])):
        answer = Caller(hub, hub.token(lacking))(method, path.format(sha=sha), sent or None)
        assert (answer.status_code, answer.json()["message"]) == (403, NO)
        assert f"{area.replace('-', '_')}={level}" in answer.headers["X-Accepted-GitHub-Permissions"].split("; ")


def test_a_permission_that_does_not_exist_is_a_mistake(hub: FakeGitHub) -> None:
    with pytest.raises(ValueError, match="there is no permission statusses: write"):
        hub.token({"statusses": "write"})
    with pytest.raises(ValueError, match="there is no permission statuses: admin"):
        hub.token({"statuses": "admin"})


def test_a_fork_s_token_reads_and_writes_nothing(hub: FakeGitHub, repo: Repository) -> None:
    ask = Caller(hub, hub.fork_token())
    assert ask("GET", "/commits/main/statuses").ok
    assert ask.refused("POST", f"/statuses/{repo.sha()}", {"state": "success"}) == (403, NO)


def test_a_job_s_token_knows_of_no_team_and_of_everybody_with_an_account(hub: FakeGitHub) -> None:
    hub.user("Mona")
    hub.team("acme/ads", ["mona"])
    job, app = Caller(hub, hub.token()), Caller(hub, hub.token({"members": "read"}))
    for path in ("/orgs/acme/teams/ads", "/orgs/acme/teams/ads/members"):
        assert job.refused("GET", f"{hub.url}{path}") == (403, NO)
        assert app("GET", f"{hub.url}{path}").ok
        assert app.refused("GET", f"{hub.url}{path.replace('ads', 'gone')}") == (404, "Not Found")
    found = job.made("GET", f"{hub.url}/users/mona")
    assert (found["login"], found["type"]) == ("Mona", "User")
    assert job.made("GET", f"{hub.url}/users/acme")["type"] == "Organization"
    assert job.refused("GET", f"{hub.url}/users/nobody") == (404, "Not Found")


@pytest.mark.usefixtures("repo")
def test_a_token_that_nobody_made_is_bad(hub: FakeGitHub) -> None:
    assert Caller(hub, "wrong").refused("GET", "") == (401, "Bad credentials")


def test_without_a_token_what_is_public_is_read(hub: FakeGitHub, repo: Repository) -> None:
    public, ask = hub.repository("acme/open", private=False), Caller(hub, "")
    assert ask.refused("GET", "") == (404, "Not Found")
    assert ask("GET", f"{hub.url}/repos/acme/open").status_code == 200
    answer = ask("POST", f"{hub.url}/repos/acme/open/statuses/{public.sha()}", {"state": "success"})
    assert (answer.status_code, answer.json()["message"]) == (401, "Requires authentication")
    assert repo.private


def test_a_repository_that_a_token_is_not_for_can_t_be_seen(hub: FakeGitHub, repo: Repository) -> None:
    hub.repository("acme/other")
    ask = Caller(hub, hub.token(repositories=["acme/Other"]))
    assert ask.refused("GET", "") == (404, "Not Found")
    assert ask("GET", f"{hub.url}/repos/ACME/other").status_code == 200
    assert repo.full_name == "acme/shop"


def test_a_workflow_s_token_has_no_user_to_ask_for(hub: FakeGitHub) -> None:
    assert Caller(hub, hub.token()).refused("GET", f"{hub.url}/user") == (403, NO)
    assert Caller(hub, hub.token(user="mona")).made("GET", f"{hub.url}/user")["login"] == "mona"


def test_a_token_of_one_s_own_choice_is_taken(hub: FakeGitHub, repo: Repository) -> None:
    assert Caller(hub, hub.accept("chosen"))("GET", "").ok
    assert repo.full_name == "acme/shop"


def test_requests_are_counted_and_end_at_the_limit() -> None:
    with FakeGitHub(limit=2, clock=lambda: datetime(2026, 5, 1, 10, 30, tzinfo=UTC)) as hub:
        hub.repository("acme/shop")
        ask = Caller(hub, hub.token())
        first, second = ask("GET", ""), ask("GET", "")
        assert [one.headers["X-RateLimit-Remaining"] for one in (first, second)] == ["1", "0"]
        third = ask("GET", "")
        assert (third.status_code, third.json()["message"]) == (403, "API rate limit exceeded for installation.")
        rate = ask.made("GET", f"{hub.url}/rate_limit")["rate"]
        reset = int(datetime(2026, 5, 1, 11, tzinfo=UTC).timestamp())
        assert rate == {"limit": 2, "remaining": 0, "used": 2, "reset": reset}
        assert third.headers["X-RateLimit-Reset"] == str(reset)


def test_everything_received_is_kept_but_the_token(hub: FakeGitHub, repo: Repository, ask: Caller) -> None:
    body = {"state": "success", "description": "fine"}
    ask("POST", f"/statuses/{repo.sha()}?x=1", body)
    hub.violations.clear()
    (only,) = hub.requests
    assert (only.method, only.path, only.query) == ("POST", f"/repos/acme/shop/statuses/{repo.sha()}", {"x": "1"})
    assert (only.body, only.status, only.operation) == (body, 422, "repos/create-commit-status")
    assert (only.user, only.headers["Authorization"]) == ("github-actions[bot]", "***")
    assert ask.token not in repr(only)
