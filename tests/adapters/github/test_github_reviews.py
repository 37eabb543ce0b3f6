"""The reviews of a pull request, read from GitHub: all pages, in their order, and nothing taken for none."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import responses

from deploygate.adapters.github.client import Hub
from deploygate.adapters.github.people import members
from deploygate.adapters.github.reviews import reviewed
from deploygate.adapters.github.trouble import Absent, Denied, GitHubTrouble
from deploygate.fake_github import FakeGitHub, Pull, Repository
from deploygate.names import Secret
from deploygate.reviews import Review, Stance

API = "https://api.github.com"
HEAD = "2e" * 20


@pytest.fixture
def fake() -> Iterator[FakeGitHub]:
    with FakeGitHub() as made:
        yield made


@pytest.fixture
def repo(fake: FakeGitHub) -> Repository:
    return fake.repository("acme/shop")


@pytest.fixture
def pull(repo: Repository) -> Pull:
    repo.commit({"services.yml": "two"}, "Two", branch="topic")
    return repo.pull("topic", by="mallory")


def hub(fake: FakeGitHub, **permissions: str) -> Hub:
    given = {name.replace("_", "-"): level for name, level in permissions.items()} or None
    return Hub(fake.url, Secret(fake.token(given)), "acme/shop")


def test_all_reviews_are_read_however_many_there_are(fake: FakeGitHub, repo: Repository, pull: Pull) -> None:
    for number in range(249):
        repo.review(pull.number, by=f"reader-{number % 100}", state="COMMENTED")
    repo.review(pull.number, by="Cory")
    asked = hub(fake, pull_requests="read")
    found = reviewed(asked, pull.number)
    assert len(found.reviews) == 250
    assert found.reviews[-1] == Review("Cory", Stance.APPROVED, pull.head_sha)
    assert (found.number, found.author, found.head, found.base) == (1, "mallory", pull.head_sha, repo.sha("main"))
    assert asked.calls == 4  # the pull request, and three pages


def test_a_review_is_of_the_commit_it_was_made_on(fake: FakeGitHub, repo: Repository, pull: Pull) -> None:
    earlier = pull.head_sha
    repo.review(pull.number, by="cory")
    repo.commit({"services.yml": "three"}, "Three", branch="topic")
    found = reviewed(hub(fake), pull.number)
    assert [one.commit for one in found.reviews] == [earlier]
    assert found.head == pull.head_sha != earlier


def test_each_state_is_what_it_says_and_a_dismissed_one_stays_in_its_place(
    fake: FakeGitHub, repo: Repository, pull: Pull
) -> None:
    first = repo.review(pull.number, by="cory")
    repo.review(pull.number, by="mona", state="CHANGES_REQUESTED")
    repo.review(pull.number, by="eve", state="COMMENTED")
    repo.dismiss(pull.number, first)
    assert [(one.by, one.stance) for one in reviewed(hub(fake), pull.number).reviews] == [
        ("cory", Stance.DISMISSED),
        ("mona", Stance.CHANGES_REQUESTED),
        ("eve", Stance.COMMENTED),
    ]


def test_reviews_that_may_not_be_read_are_not_none(fake: FakeGitHub, pull: Pull) -> None:
    with pytest.raises(Denied) as caught:
        reviewed(hub(fake, statuses="write"), pull.number)
    assert caught.value.permission == "pull-requests: read"


def test_a_pull_request_that_is_not_there_has_no_reviews_to_go_by(fake: FakeGitHub, pull: Pull) -> None:
    with pytest.raises(Absent):
        reviewed(hub(fake), pull.number + 1)


def a_review(login: str | None, state: str, when: str | None, commit: str | None = HEAD) -> dict[str, Any]:
    user = {"login": login} if login else None
    made = {"id": 1, "user": user, "state": state, "commit_id": commit, "submitted_at": when}
    return {name: value for name, value in made.items() if name != "submitted_at" or value}


def listed(*rows: dict[str, Any], author: str | None = "mallory") -> tuple[Review, ...]:
    whole = {
        "number": 7,
        "url": f"{API}/repos/acme/shop/pulls/7",
        "user": {"login": author} if author else None,
        "head": {"sha": HEAD},
        "base": {"sha": "1f" * 20},
    }
    with responses.RequestsMock() as wire:
        wire.get(f"{API}/repos/acme/shop/pulls/7", json=whole)
        wire.get(f"{API}/repos/acme/shop/pulls/7/reviews", body=json.dumps(rows))
        return reviewed(Hub(API, Secret("ghs_x"), "acme/shop"), 7).reviews


@responses.activate
def test_pages_that_break_off_are_not_fewer_reviews() -> None:
    whole = {
        "number": 7,
        "url": f"{API}/repos/acme/shop/pulls/7",
        "user": None,
        "head": {"sha": HEAD},
        "base": {"sha": ""},
    }
    responses.get(f"{API}/repos/acme/shop/pulls/7", json=whole)
    page = f"{API}/repos/acme/shop/pulls/7/reviews"
    first = [a_review("cory", "APPROVED", "2026-05-01T10:00:00Z")]
    responses.get(page, json=first, headers={"Link": f'<{page}?page=2>; rel="next"'})
    responses.get(f"{page}?page=2", status=422, json={"message": "no"})
    with pytest.raises(GitHubTrouble):
        reviewed(Hub(API, Secret("ghs_x"), "acme/shop"), 7)


def test_a_draft_that_was_begun_first_and_sent_last_is_the_last_word() -> None:
    found = listed(
        a_review("cory", "CHANGES_REQUESTED", "2026-05-01T10:00:09Z"),
        a_review("cory", "APPROVED", "2026-05-01T10:00:01Z"),
    )
    assert [one.stance for one in found] == [Stance.APPROVED, Stance.CHANGES_REQUESTED]


def test_a_review_that_is_not_sent_yet_is_none() -> None:
    assert listed(a_review("cory", "PENDING", None)) == ()


def test_accounts_and_commits_that_are_gone_are_nobody_and_nothing() -> None:
    found = listed(a_review(None, "APPROVED", "2026-05-01T10:00:00Z", None), author=None)
    assert found == (Review("", Stance.APPROVED, ""),)


def test_a_state_that_nobody_knows_yet_is_no_approval() -> None:
    assert listed(a_review("cory", "ALMOST", "2026-05-01T10:00:00Z"))[0].stance is Stance.DISMISSED


def test_a_review_without_its_time_is_not_understood_rather_than_believed() -> None:
    with pytest.raises(GitHubTrouble):
        listed(a_review("cory", "APPROVED", "2026-05-01T10:00:00Z"), a_review("mona", "APPROVED", None))


def test_the_members_of_a_team_are_all_of_them(fake: FakeGitHub) -> None:
    fake.repository("acme/shop")
    fake.team("acme/ads", [f"reader-{number}" for number in range(250)])
    asked = hub(fake, members="read")
    assert len(members(asked, "acme/ads")) == 250
    assert asked.calls == 3


def test_a_job_s_token_is_not_told_the_members_of_a_team(fake: FakeGitHub) -> None:
    fake.repository("acme/shop")
    fake.team("acme/ads", ["mona"])
    with pytest.raises(Denied):
        members(hub(fake), "acme/ads")
