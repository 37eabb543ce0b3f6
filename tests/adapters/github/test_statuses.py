"""Statuses are one short line, written on transitions only, and the newest of each context is read back."""

import json

import pytest
import responses
from responses import matchers

from deploygate.adapters.github.client import Hub
from deploygate.adapters.github.statuses import Status, described, set_status, statuses_of
from deploygate.adapters.github.trouble import GitHubTrouble, Unsent
from deploygate.names import Secret

REPO = "https://api.github.com/repos/acme/shop"
SHA = "1f" * 20
STATUSES = f"{REPO}/statuses/{SHA}"
RUN = "https://github.com/acme/shop/actions/runs/10/attempts/1"


def hub() -> Hub:
    return Hub("https://api.github.com", Secret("ghs_x"), "acme/shop")


def sent() -> list[dict[str, str]]:
    return [json.loads(call.request.body or "") for call in responses.calls]


@responses.activate
def test_a_status_has_its_context_one_line_and_a_link() -> None:
    responses.post(STATUSES, status=201, json={})
    set_status(hub(), SHA, "deploygate/check", "pending", "looking\nat ##[error] it", RUN)
    assert sent() == [
        {
            "state": "pending",
            "target_url": RUN,
            "description": "looking at ## [error] it",
            "context": "deploygate/check",
        }
    ]


@responses.activate
def test_a_status_without_a_page_has_no_link() -> None:
    responses.post(STATUSES, status=201, json={})
    set_status(hub(), SHA, "deploygate/check", "success", "good", "")
    assert sent() == [{"state": "success", "description": "good", "context": "deploygate/check"}]


@responses.activate
def test_trap_29_what_was_said_before_is_not_said_again() -> None:
    responses.post(STATUSES, status=201, json={})
    asked = hub()
    for context, state, says in (
        ("deploygate/production/shop", "pending", "1 of 3"),
        ("Deploygate/Production/Shop", "pending", "1 of 3"),
        ("deploygate/production/shop", "pending", "2 of 3"),
        ("deploygate/production/till", "pending", "2 of 3"),
        ("deploygate/production/shop", "success", "2 of 3"),
        ("deploygate/production/shop", "pending", "2 of 3"),
    ):
        set_status(asked, SHA, context, state, says, RUN)  # type: ignore[arg-type] # a row's texts
    assert len(sent()) == asked.calls == 5


@responses.activate
def test_what_may_not_have_arrived_is_said_again_when_it_is_asked_for() -> None:
    responses.post(STATUSES, status=502)
    responses.post(STATUSES, status=201, json={})
    asked = hub()
    with pytest.raises(Unsent):
        set_status(asked, SHA, "deploygate/check", "success", "good", RUN)
    set_status(asked, SHA, "deploygate/check", "success", "good", RUN)
    assert len(sent()) == 2


@responses.activate
def test_after_one_that_may_have_arrived_also_the_one_before_is_said_again() -> None:
    responses.post(STATUSES, status=201, json={})
    responses.post(STATUSES, status=502)
    responses.post(STATUSES, status=201, json={})
    asked = hub()
    set_status(asked, SHA, "deploygate/check", "pending", "x", RUN)
    with pytest.raises(Unsent):
        set_status(asked, SHA, "deploygate/check", "success", "good", RUN)
    set_status(asked, SHA, "deploygate/check", "pending", "x", RUN)
    assert [one["state"] for one in sent()] == ["pending", "success", "pending"]


@responses.activate
def test_the_1000th_status_of_a_context_is_the_last_and_that_is_said() -> None:
    message = "This SHA and context has reached the maximum number of statuses."
    responses.post(STATUSES, status=422, json={"message": "Validation Failed", "errors": [{"message": message}]})
    with pytest.raises(GitHubTrouble) as caught:
        set_status(hub(), SHA, "deploygate/check", "pending", "x", RUN)
    assert caught.value.says == ('the 1,000 statuses that GitHub keeps of "deploygate/check" on one commit are used up')


@pytest.mark.parametrize(
    ("says", "shown"),
    [
        ("x" * 200, "x" * 139 + "…"),
        ("✔ done", "✔ done"),
        ("\U0001f41b done", "\ufffd done"),
        ("::error::x", ": :error::x"),
    ],
)
def test_a_description_is_short_and_has_nothing_that_github_refuses(says: str, shown: str) -> None:
    assert described(says) == shown


@responses.activate
def test_the_newest_status_of_each_context_is_read_from_all_pages() -> None:
    rows = [
        {"context": f"CI/{number}", "state": "success", "description": None, "target_url": None}
        for number in range(120)
    ]
    url = f"{REPO}/commits/{SHA}/status"
    responses.get(
        url,
        json={"state": "success", "statuses": rows[:100], "total_count": 120},
        headers={"Link": f'<{url}?per_page=100&page=2>; rel="next"'},
        match=[matchers.query_param_matcher({"per_page": "100"})],
    )
    responses.get(
        url,
        json={"state": "success", "statuses": rows[100:], "total_count": 120},
        match=[matchers.query_param_matcher({"per_page": "100", "page": "2"})],
    )
    found = statuses_of(hub(), SHA)
    assert len(found) == 120
    assert found["ci/119"] == Status("CI/119", "success", "", "")


@responses.activate
def test_statuses_that_can_t_be_read_are_not_taken_for_none() -> None:
    responses.get(f"{REPO}/commits/{SHA}/status", status=404, json={"message": "Not Found"})
    with pytest.raises(GitHubTrouble):
        statuses_of(hub(), SHA)
