"""What breaks the description is noticed, in requests and in answers, and told at the end."""

import pytest

from deploygate.fake_github import FakeGitHub, Repository
from deploygate.fake_github.description import Description
from deploygate.fake_github.endpoints import OPERATIONS, PEOPLE
from deploygate.fake_github.tokens import AREAS, ORGANIZATION, areas
from fake_github.caller import Caller

DESCRIPTION = Description()
ACCOUNT = {"rate-limit/get", "users/get-authenticated"}  # about the caller, and no repository


def told(hub: FakeGitHub) -> list[str]:
    found = list(hub.violations)
    hub.violations.clear()
    return found


def test_every_operation_of_the_extract_is_served_and_no_other() -> None:
    assert set(DESCRIPTION.operations) == OPERATIONS.keys() | PEOPLE.keys() | ACCOUNT


@pytest.mark.parametrize("name", DESCRIPTION.operations)
def test_every_operation_needs_permissions_that_exist(name: str) -> None:
    assert set(areas(name)) <= {*AREAS, *ORGANIZATION}


def test_the_extract_says_whence_it_is() -> None:
    source = {"package": "@octokit/openapi", "version": "23.0.2", "license": "MIT", "api_version": "2022-11-28"}
    notice = DESCRIPTION.source["notice"]
    assert notice.startswith("MIT License Copyright (c) 2020 Octokit contributors")
    assert DESCRIPTION.source == {**source, "notice": notice}


def test_a_misspelt_field_of_a_request_is_a_violation(hub: FakeGitHub, repo: Repository, ask: Caller) -> None:
    answer = ask("POST", f"/statuses/{repo.sha()}", {"state": "success", "descripton": "all is well"})
    assert answer.status_code == 422
    says = "body: Additional properties are not allowed ('descripton' was unexpected)"
    assert told(hub) == [f"POST /repos/acme/shop/statuses/{repo.sha()} asked: {says}"]
    assert repo.statuses == []


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (None, "the body is missing"),
        ({}, "body: 'state' is a required property"),
        ({"state": "good"}, "body.state: 'good' is not one of ['error', 'failure', 'pending', 'success']"),
        ({"state": "success", "context": 1}, "body.context: 1 is not of type 'string'"),
        (["success"], "body: ['success'] is not of type 'object'"),
    ],
)
def test_a_body_that_does_not_fit_is_a_violation(
    hub: FakeGitHub, repo: Repository, ask: Caller, body: object, says: str
) -> None:
    assert ask("POST", f"/statuses/{repo.sha()}", body).status_code == 422
    assert [one.partition("asked: ")[2] for one in told(hub)] == [says]


def test_a_body_that_is_no_json_is_a_violation(hub: FakeGitHub, ask: Caller) -> None:
    hub.requests.clear()
    answer = ask("POST", "/deployments", None, Content_Type="text/plain")
    assert answer.status_code == 422
    assert told(hub) == ["POST /repos/acme/shop/deployments asked: the body is missing"]


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("/pulls?stat=open", "query: the description knows no stat"),
        ("/pulls?state=merged", "query: state can't be merged"),
        ("/pulls?page=two", "query: page can't be two"),
        ("/pulls/first", "path: pull_number can't be first"),
    ],
)
def test_a_value_in_a_path_or_query_that_does_not_fit_is_a_violation(
    hub: FakeGitHub, ask: Caller, path: str, says: str
) -> None:
    assert ask("GET", path).status_code == 422
    assert [one.partition("asked: ")[2] for one in told(hub)] == [says]


@pytest.mark.parametrize(("method", "path"), [("GET", "/nothing"), ("POST", "/pulls/1"), ("DELETE", "/deployments")])
def test_a_request_for_what_the_extract_has_not_is_a_violation(
    hub: FakeGitHub, ask: Caller, method: str, path: str
) -> None:
    answer = ask(method, path)
    assert (answer.status_code, answer.json()["message"]) == (404, "fake GitHub: no operation is there")
    assert told(hub) == [f"{method} /repos/acme/shop{path} asked: no operation of the extract is there"]


@pytest.mark.parametrize("path", ["/commits/main/check-runs", "/branches/main/protection", "/git/tags/1"])
def test_a_path_that_github_has_is_not_taken_for_a_name_with_slashes(hub: FakeGitHub, ask: Caller, path: str) -> None:
    assert ask("GET", path).status_code == 404
    assert told(hub) == [f"GET /repos/acme/shop{path} asked: no operation of the extract is there"]


def test_a_version_of_the_api_that_the_extract_does_not_describe_is_a_violation(hub: FakeGitHub, ask: Caller) -> None:
    assert ask("GET", "", X_GitHub_Api_Version="2022-11-28").status_code == 200
    assert ask("GET", "", X_GitHub_Api_Version="2026-03-10").status_code == 400
    assert len(told(hub)) == 1


def test_an_answer_that_lacks_a_required_field_is_a_violation(
    hub: FakeGitHub, ask: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("deploygate.fake_github.shown.repositories.short", lambda repo: {"id": repo.number})
    answer = ask("GET", "")
    assert answer.status_code == 500
    assert "GET /repos/acme/shop answered: answer: 'full_name' is a required property" in told(hub)


def test_an_answer_with_a_field_that_github_does_not_have_is_a_violation() -> None:
    operation = DESCRIPTION.operations["repos/create-deployment"]
    assert DESCRIPTION.misanswered(operation, 202, {"message": "merged"}) == ()
    says = "answer: Additional properties are not allowed ('id' was unexpected)"
    assert DESCRIPTION.misanswered(operation, 202, {"message": "merged", "id": 1}) == (says,)


def test_an_answer_with_a_status_or_a_body_that_github_does_not_give_is_a_violation() -> None:
    operation = DESCRIPTION.operations["git/delete-ref"]
    assert DESCRIPTION.misanswered(operation, 204, None) == ()
    assert DESCRIPTION.misanswered(operation, 204, {}) == ("the description knows no body of an answer 204",)
    assert DESCRIPTION.misanswered(operation, 200, None) == (
        "the description knows no answer 200: it has 204, 409, 422",
    )


@pytest.mark.parametrize("value", ["yesterday", "2024-05-01", "2024-05-01T10:00:00"])
def test_a_moment_needs_a_date_a_time_and_a_zone(value: str) -> None:
    operation = DESCRIPTION.operations["git/create-commit"]
    body = {"message": "m", "tree": "t", "author": {"name": "n", "email": "e", "date": value}}
    values = {"owner": "acme", "repo": "shop"}
    assert DESCRIPTION.misasked(operation, values, {}, body) == (f"body.author.date: '{value}' is not a 'date-time'",)


def test_all_violations_are_told_at_the_end() -> None:
    def used() -> None:
        with FakeGitHub() as hub:
            ask = Caller(hub, hub.token())
            ask("GET", "/first")
            ask("GET", "/second")

    with pytest.raises(AssertionError) as told_at_the_end:
        used()
    paths = [line.split()[1] for line in str(told_at_the_end.value).splitlines()[1:]]
    assert paths == ["/repos/acme/shop/first", "/repos/acme/shop/second"]


def test_a_test_that_fails_by_itself_is_not_drowned_in_violations() -> None:
    def used() -> None:
        with FakeGitHub() as hub:
            Caller(hub, hub.token())("GET", "/first")
            raise KeyError

    with pytest.raises(KeyError):
        used()


def test_a_defect_of_the_fake_is_told_with_its_trace(
    hub: FakeGitHub, ask: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr("deploygate.fake_github.shown.repositories.full")
    assert ask("GET", "").status_code == 500
    (only,) = told(hub)
    assert "AttributeError" in only
