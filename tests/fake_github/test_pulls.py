"""Pull requests and comments: pages, limits, and what a pull request was merged as."""

import pytest

from deploygate.fake_github import FakeGitHub, Pull, Repository
from fake_github.caller import Caller


@pytest.fixture
def pull(repo: Repository) -> Pull:
    repo.commit({"services.yml": "version: 2\n"}, "two", branch="topic")
    return repo.pull("topic", title="Version 2")


def bodies(ask: Caller, path: str) -> list[str]:
    return [one["body"] for one in ask("GET", path).json()]


def test_comments_come_thirty_to_a_page_and_a_hundred_at_most(repo: Repository, pull: Pull, ask: Caller) -> None:
    for number in range(250):
        repo.comment(pull.number, f"{number}")
    assert bodies(ask, "/issues/1/comments") == [f"{number}" for number in range(30)]
    assert bodies(ask, "/issues/1/comments?per_page=100&page=3") == [f"{number}" for number in range(200, 250)]
    assert len(bodies(ask, "/issues/1/comments?per_page=1000")) == 100
    assert bodies(ask, "/issues/1/comments?page=99") == []


def test_links_lead_through_all_pages_and_back(repo: Repository, pull: Pull, ask: Caller) -> None:
    for number in range(250):
        repo.comment(pull.number, f"{number}")
    answer, seen = ask("GET", "/issues/1/comments?per_page=100"), 0
    assert {name: link["url"].rpartition("=")[2] for name, link in answer.links.items()} == {"next": "2", "last": "3"}
    while True:
        seen += len(answer.json())
        if "next" not in answer.links:
            break
        answer = ask("GET", answer.links["next"]["url"])
    assert seen == 250
    assert {name: link["url"].rpartition("=")[2] for name, link in answer.links.items()} == {"prev": "2", "first": "1"}


def test_a_comment_is_by_whom_the_token_is_of(hub: FakeGitHub, pull: Pull, ask: Caller) -> None:
    made = ask.made("POST", "/issues/1/comments", {"body": "by a bot"})
    assert (made["user"]["login"], made["user"]["type"]) == ("github-actions[bot]", "Bot")
    person = Caller(hub, hub.token(user="mona")).made("POST", "/issues/1/comments", {"body": "by a person"})
    assert (person["user"]["login"], person["user"]["type"]) == ("mona", "User")
    assert [one.body for one in pull.comments] == ["by a bot", "by a person"]


def test_a_comment_is_changed_and_deleted(pull: Pull, ask: Caller) -> None:
    number = ask.made("POST", "/issues/1/comments", {"body": "one"})["id"]
    assert ask.made("PATCH", f"/issues/comments/{number}", {"body": "two"})["body"] == "two"
    assert ask.made("GET", f"/issues/comments/{number}")["body"] == "two"
    assert ask("DELETE", f"/issues/comments/{number}").status_code == 204
    assert ask("DELETE", f"/issues/comments/{number}").status_code == 404
    assert pull.comments == []


@pytest.mark.usefixtures("pull")
def test_a_comment_has_65536_characters_at_most_when_it_is_made_and_when_it_is_changed(ask: Caller) -> None:
    longest, says = "ä" * 65_536, "Body is too long (maximum is 65536 characters)"
    number = ask.made("POST", "/issues/1/comments", {"body": longest})["id"]
    assert ask.refused("POST", "/issues/1/comments", {"body": longest + "x"}) == (422, says)
    assert ask.refused("PATCH", f"/issues/comments/{number}", {"body": longest + "x"}) == (422, says)
    assert ask.refused("POST", "/issues/1/comments", {"body": " \n"}) == (422, "Body cannot be blank")


def test_a_comment_needs_a_pull_request(ask: Caller) -> None:
    assert ask("POST", "/issues/7/comments", {"body": "one"}).status_code == 404


def test_an_open_pull_request_follows_its_branch_and_a_merged_one_does_not(
    repo: Repository, pull: Pull, ask: Caller
) -> None:
    newer = repo.commit({"services.yml": "version: 3\n"}, "three", branch="topic")
    assert ask.made("GET", "/pulls/1")["head"]["sha"] == newer
    merged = repo.merge(pull.number)
    repo.commit({"services.yml": "version: 4\n"}, "four", branch="topic")
    found = ask.made("GET", "/pulls/1")
    assert (found["merged"], found["merge_commit_sha"], found["head"]["sha"]) == (True, merged, newer)
    assert repo.text("services.yml") == "version: 3\n"


def test_a_merged_pull_request_is_found_by_its_merge_commit_and_by_what_it_brought(
    repo: Repository, pull: Pull, ask: Caller
) -> None:
    assert [one["number"] for one in ask("GET", f"/commits/{pull.head_sha}/pulls").json()] == [1]
    merged = repo.merge(pull.number)
    for sha in (merged, pull.head_sha):
        (found,) = ask("GET", f"/commits/{sha}/pulls").json()
        assert (found["number"], found["merged_at"] is not None) == (1, True)


def test_a_commit_that_no_pull_request_brought_has_none(repo: Repository, pull: Pull, ask: Caller) -> None:
    assert pull.number == 1
    assert ask("GET", f"/commits/{repo.sha()}/pulls").json() == []
    assert ask("GET", "/commits/0123456/pulls").status_code == 422


def test_a_review_is_of_the_commit_that_was_the_head_and_stays_when_it_is_dismissed(
    repo: Repository, pull: Pull, ask: Caller
) -> None:
    first, head = pull.head_sha, repo.review(pull.number, by="mona")
    newer = repo.commit({"services.yml": "version: 3\n"}, "three", branch="topic")
    repo.review(pull.number, by="cory", state="CHANGES_REQUESTED")
    assert repo.dismiss(pull.number, head).state == "DISMISSED"
    listed = [(one["user"]["login"], one["state"], one["commit_id"]) for one in ask("GET", "/pulls/1/reviews").json()]
    assert listed == [("mona", "DISMISSED", first), ("cory", "CHANGES_REQUESTED", newer)]


def test_a_pull_request_from_a_fork_has_its_head_there(repo: Repository, ask: Caller) -> None:
    fork = repo.fork("mona")
    fork.commit({"services.yml": "x"}, "from outside", branch="patch")
    pull = repo.pull("patch", fork=fork, by="mona")
    found = ask.made("GET", f"/pulls/{pull.number}")
    assert (found["head"]["repo"]["full_name"], found["head"]["repo"]["fork"]) == ("mona/shop", True)
    assert (found["base"]["repo"]["full_name"], found["head"]["label"]) == ("acme/shop", "mona:patch")
    assert pull.fork


def test_a_pull_request_is_opened_once(repo: Repository, ask: Caller) -> None:
    repo.commit({"a": "1"}, "one", branch="topic")
    body = {"title": "t", "head": "topic", "base": "main", "body": "why"}
    assert ask.made("POST", "/pulls", body)["number"] == 1
    assert ask.refused("POST", "/pulls", body) == (422, "A pull request already exists for acme:topic.")
    ask.made("PATCH", "/pulls/1", {"state": "closed"})
    assert ask.made("POST", "/pulls", body)["number"] == 2


def test_a_pull_request_needs_branches_and_something_new(repo: Repository, ask: Caller) -> None:
    repo.branch("same")
    body = {"title": "t", "head": "same", "base": "main"}
    assert ask.refused("POST", "/pulls", body) == (422, "No commits between main and same")
    assert ask.refused("POST", "/pulls", {**body, "head": "nowhere"})[0] == 422
    assert ask.refused("POST", "/pulls", {**body, "base": "nowhere"})[0] == 422


def test_a_workflow_may_be_forbidden_to_open_pull_requests(hub: FakeGitHub, repo: Repository, ask: Caller) -> None:
    repo.actions_may_open_pulls = False
    repo.commit({"a": "1"}, "one", branch="topic")
    body = {"title": "t", "head": "topic", "base": "main"}
    says = "GitHub Actions is not permitted to create or approve pull requests."
    assert ask.refused("POST", "/pulls", body) == (403, says)
    assert Caller(hub, hub.token(user="mona")).made("POST", "/pulls", body)["number"] == 1


def test_pull_requests_are_listed_by_state_head_and_base(repo: Repository, pull: Pull, ask: Caller) -> None:
    repo.commit({"b": "1"}, "other", branch="other")
    repo.pull("other", base="topic")
    repo.merge(pull.number)

    def numbers(query: str) -> list[int]:
        return [one["number"] for one in ask("GET", f"/pulls?{query}").json()]

    assert numbers("") == [2]
    assert numbers("state=all") == [2, 1]
    assert numbers("state=all&direction=asc") == [1, 2]
    assert numbers("state=closed") == [1]
    assert numbers("state=all&head=acme:topic") == [1]
    assert numbers("base=topic") == [2]


def test_a_pull_request_is_merged_over_the_api_if_its_head_is_the_one_that_was_seen(
    repo: Repository, pull: Pull, ask: Caller
) -> None:
    assert ask.refused("PUT", "/pulls/1/merge", {"sha": "0" * 40})[0] == 409
    merged = ask.made("PUT", "/pulls/1/merge", {"sha": pull.head_sha})["sha"]
    assert repo.sha() == merged
    assert ask.refused("PUT", "/pulls/1/merge", {}) == (405, "Pull Request is not mergeable")


def test_a_conflict_is_not_merged(repo: Repository, pull: Pull, ask: Caller) -> None:
    repo.commit({"services.yml": "version: 9\n"}, "nine")
    assert (ask.made("GET", "/pulls/1")["mergeable"], pull.state) == (False, "open")
    assert ask("PUT", "/pulls/1/merge", {}).status_code == 405


def test_a_pull_request_shows_its_files_commits_and_reviews(repo: Repository, pull: Pull, ask: Caller) -> None:
    repo.review(pull.number, by="mona")
    assert [one["filename"] for one in ask("GET", "/pulls/1/files").json()] == ["services.yml"]
    assert [one["sha"] for one in ask("GET", "/pulls/1/commits").json()] == [pull.head_sha]
    (review,) = ask("GET", "/pulls/1/reviews").json()
    assert (review["user"]["login"], review["state"], review["commit_id"]) == ("mona", "APPROVED", pull.head_sha)
    assert ask.made("GET", "/issues/1")["pull_request"]["merged_at"] is None
