"""Faults: what a bad day at GitHub looks like, and what was done before it was cut off."""

import time

import pytest
import requests

from deploygate.fake_github import FakeGitHub, Repository
from fake_github.caller import Caller


@pytest.mark.parametrize("status", [403, 404, 409, 422, 500, 502, 503])
def test_an_answer_is_replaced_once_and_nothing_was_done(repo: Repository, ask: Caller, status: int) -> None:
    fault = ask.hub.fault("POST", "/repos/*/statuses/*", status=status)
    body = {"state": "success"}
    assert ask("POST", f"/statuses/{repo.sha()}", body).status_code == status
    assert (repo.statuses, fault.met) == ([], 1)
    assert ask("POST", f"/statuses/{repo.sha()}", body).status_code == 201


def test_a_fault_meets_the_requests_that_it_is_for_and_as_many_as_it_says(hub: FakeGitHub, ask: Caller) -> None:
    hub.fault("GET", "/repos/{owner}/{repo}/deployments", status=500, times=2)
    statuses = [ask("GET", path).status_code for path in ("", "/deployments", "/pulls", "/deployments", "/deployments")]
    assert statuses == [200, 500, 200, 500, 200]


def test_a_fault_without_an_end_goes_on(hub: FakeGitHub, ask: Caller) -> None:
    hub.fault("*", "*", status=503, times=None)
    assert {ask("GET", "/pulls").status_code for _ in range(5)} == {503}


def test_an_answer_is_replaced_after_the_work_was_done(repo: Repository, ask: Caller) -> None:
    ask.hub.fault("POST", "*/statuses/*", status=502, body="<html>Bad gateway</html>", after_handling=True)
    answer = ask("POST", f"/statuses/{repo.sha()}", {"state": "success"})
    assert (answer.status_code, answer.text, answer.headers["Content-Type"]) == (
        502,
        "<html>Bad gateway</html>",
        "text/html",
    )
    assert len(repo.statuses) == 1


@pytest.mark.parametrize(("after", "done"), [(False, 0), (True, 1)])
def test_a_connection_is_cut_before_the_work_or_after_it(
    hub: FakeGitHub, repo: Repository, ask: Caller, *, after: bool, done: int
) -> None:
    hub.fault("POST", "*/statuses/*", cut=True, after_handling=after)
    with pytest.raises(requests.ConnectionError):
        ask("POST", f"/statuses/{repo.sha()}", {"state": "success"})
    assert len(repo.statuses) == done
    assert [one.status for one in hub.requests] == [None]


def test_the_secondary_limit_says_how_long_to_wait(hub: FakeGitHub, ask: Caller) -> None:
    hub.secondary_limit("GET", "*/pulls", retry_after=7)
    answer = ask("GET", "/pulls")
    assert (answer.status_code, answer.headers["Retry-After"]) == (403, "7")
    assert "secondary rate limit" in answer.json()["message"]


def test_a_slow_answer_is_late_and_right(hub: FakeGitHub, ask: Caller) -> None:
    hub.fault("GET", "*/pulls", delay=0.2)
    began = time.monotonic()
    assert ask("GET", "/pulls").json() == []
    assert time.monotonic() - began >= 0.2


def test_a_slow_answer_does_not_hold_up_others_nor_the_end(hub: FakeGitHub, ask: Caller) -> None:
    hub.fault("GET", "*/pulls", delay=300)
    with pytest.raises(requests.ReadTimeout), requests.Session() as session:
        session.get(f"{hub.url}/repos/acme/shop/pulls", timeout=0.2)
    assert ask("GET", "").status_code == 200


def test_headers_are_added_to_a_right_answer(hub: FakeGitHub, ask: Caller) -> None:
    hub.fault("GET", "*", headers={"Deprecation": "true"})
    answer = ask("GET", "")
    assert (answer.status_code, answer.headers["Deprecation"]) == (200, "true")


@pytest.mark.parametrize(
    ("status", "body", "says"),
    [
        (200, {"id": 1}, "answer: {'id': 1} is not of type 'array'"),
        (204, None, "the description knows no answer 204: it has 200, 304, 422"),
        (422, {"mesage": "no"}, "answer: 'documentation_url' is a required property"),
    ],
)
def test_an_injected_answer_is_held_to_the_description_too(
    hub: FakeGitHub, ask: Caller, status: int, body: object, says: str
) -> None:
    hub.fault("GET", "*/pulls", status=status, body=body)
    ask("GET", "/pulls")
    assert f"GET /repos/acme/shop/pulls injected: {says}" in hub.violations
    hub.violations.clear()


def test_a_wait_that_is_in_vain_burns_its_fuse(hub: FakeGitHub) -> None:
    with pytest.raises(TimeoutError):
        hub.until(lambda: False, within=0.05)
