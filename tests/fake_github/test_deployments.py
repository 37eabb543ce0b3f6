"""Statuses and deployments: what counts, what is refused, and what a success does to those before it."""

import pytest

from deploygate.fake_github import Repository
from fake_github.caller import Caller, Json


@pytest.fixture
def deploy(repo: Repository, ask: Caller) -> "Deploy":
    return Deploy(repo, ask)


class Deploy:
    def __init__(self, repo: Repository, ask: Caller) -> None:
        self.repo, self.ask = repo, ask

    def __call__(self, environment: str = "staging", **more: object) -> int:
        body = {"ref": self.repo.sha(), "auto_merge": False, "required_contexts": [], "environment": environment}
        made: int = self.ask.made("POST", "/deployments", {**body, **more})["id"]
        return made

    def say(self, number: int, state: str, **more: object) -> Json:
        return self.ask.made("POST", f"/deployments/{number}/statuses", {"state": state, **more})

    def states(self, number: int) -> list[str]:
        return [one["state"] for one in self.ask("GET", f"/deployments/{number}/statuses").json()]


def test_the_newest_status_of_a_context_counts_and_capitals_make_no_difference(repo: Repository, ask: Caller) -> None:
    path = f"/statuses/{repo.sha()}"
    for state, context in (("pending", "Gate"), ("success", "gate"), ("success", "other")):
        ask.made("POST", path, {"state": state, "context": context})
    found = ask.made("GET", "/commits/main/status")
    assert (found["state"], found["total_count"]) == ("success", 2)
    assert [(one["context"], one["state"]) for one in found["statuses"]] == [("other", "success"), ("gate", "success")]
    assert [one["state"] for one in ask("GET", "/commits/main/statuses").json()] == ["success", "success", "pending"]


@pytest.mark.parametrize(
    ("states", "together"),
    [
        ([], "pending"),
        (["success"], "success"),
        (["success", "pending"], "pending"),
        (["success", "pending", "error"], "failure"),
        (["success", "failure"], "failure"),
    ],
)
def test_statuses_together(repo: Repository, ask: Caller, states: list[str], together: str) -> None:
    for number, state in enumerate(states):
        repo.status(repo.sha(), f"context-{number}", state)
    assert ask.made("GET", "/commits/main/status")["state"] == together


def test_a_status_is_for_a_commit_that_is_there(ask: Caller) -> None:
    sha = "0" * 40
    assert ask.refused("POST", f"/statuses/{sha}", {"state": "success"}) == (422, f"No commit found for SHA: {sha}")


def test_a_status_s_description_has_140_characters_at_most(repo: Repository, ask: Caller) -> None:
    path, says = f"/statuses/{repo.sha()}", "description is too long (maximum is 140 characters)"
    assert ask.made("POST", path, {"state": "success", "description": "ä" * 140})["description"] == "ä" * 140
    assert ask.refused("POST", path, {"state": "success", "description": "ä" * 141}) == (422, says)


def test_a_status_s_link_is_a_web_address(repo: Repository, ask: Caller) -> None:
    body = {"state": "success", "target_url": "javascript:alert(1)"}
    assert ask.refused("POST", f"/statuses/{repo.sha()}", body) == (422, "target_url must use http(s) scheme")


def test_a_commit_and_context_have_a_thousand_statuses_at_most(repo: Repository, ask: Caller) -> None:
    for _ in range(1_000):
        repo.status(repo.sha(), "gate", "pending")
    body = {"state": "success", "context": "GATE"}
    says = "This SHA and context has reached the maximum number of statuses."
    assert ask.refused("POST", f"/statuses/{repo.sha()}", body) == (422, says)
    assert ask("POST", f"/statuses/{repo.sha()}", {**body, "context": "other"}).status_code == 201


def test_a_deployment_without_contexts_requires_all_that_there_are(repo: Repository, ask: Caller) -> None:
    repo.status(repo.sha(), "gate", "pending")
    body = {"ref": "main", "auto_merge": False}
    refused = ask("POST", "/deployments", body)
    assert (refused.status_code, refused.json()["message"]) == (409, "Conflict: Commit status checks failed for main.")
    assert refused.json()["errors"][0]["contexts"] == [{"context": "gate", "state": "pending"}]
    assert repo.deployments == {}
    repo.status(repo.sha(), "gate", "success")
    assert ask("POST", "/deployments", body).status_code == 201


def test_a_deployment_with_contexts_requires_those(repo: Repository, ask: Caller) -> None:
    repo.status(repo.sha(), "gate", "pending")
    body = {"ref": "main", "auto_merge": False}
    assert ask("POST", "/deployments", {**body, "required_contexts": []}).status_code == 201
    assert ask("POST", "/deployments", {**body, "required_contexts": ["gate"]}).status_code == 409
    assert ask("POST", "/deployments", {**body, "required_contexts": ["missing"]}).status_code == 409


def test_a_deployment_of_a_branch_that_is_behind_merges_first_and_makes_none(repo: Repository, ask: Caller) -> None:
    repo.commit({"a": "1"}, "theirs", branch="topic")
    repo.commit({"b": "1"}, "ours")
    answer = ask("POST", "/deployments", {"ref": "topic"})
    assert (answer.status_code, answer.json()) == (202, {"message": "Auto-merged main into topic on deployment."})
    assert (repo.text("a", "topic"), repo.text("b", "topic"), repo.deployments) == ("1", "1", {})
    assert ask("POST", "/deployments", {"ref": "topic"}).status_code == 201


def test_a_deployment_that_can_t_be_merged_is_a_conflict(repo: Repository, ask: Caller) -> None:
    repo.commit({"a": "1"}, "theirs", branch="topic")
    repo.commit({"a": "2"}, "ours")
    assert ask.refused("POST", "/deployments", {"ref": "topic"}) == (409, "Conflict merging main into topic.")
    assert ask("POST", "/deployments", {"ref": "topic", "auto_merge": False}).status_code == 201


def test_a_deployment_is_of_a_ref_that_is_there(ask: Caller) -> None:
    assert ask.refused("POST", "/deployments", {"ref": "nowhere"}) == (422, "No ref found for: nowhere")


@pytest.mark.parametrize("payload", [{"run": "1-1", "plan": ["a"]}, "as a text"])
def test_a_payload_comes_back_as_it_went(deploy: Deploy, ask: Caller, payload: object) -> None:
    assert ask.made("GET", f"/deployments/{deploy(payload=payload)}")["payload"] == payload


def test_production_is_what_has_that_name_or_says_so(deploy: Deploy, ask: Caller) -> None:
    named, other, said = deploy("production"), deploy("production/cart"), deploy("live", production_environment=True)
    found = [ask.made("GET", f"/deployments/{one}")["production_environment"] for one in (named, other, said)]
    assert found == [True, False, True]


def test_deployments_are_listed_from_the_newest_and_by_what_is_asked(
    repo: Repository, deploy: Deploy, ask: Caller
) -> None:
    one, two = deploy("a", task="deploygate:cart"), deploy("b")
    old = repo.sha()
    repo.commit({"a": "1"}, "newer")
    three = deploy("a")

    def listed(query: str) -> list[int]:
        return [each["id"] for each in ask("GET", f"/deployments?{query}").json()]

    assert listed("") == [three, two, one]
    assert listed("environment=a") == [three, one]
    assert listed("environment=a&task=deploygate:cart") == [one]
    assert listed(f"sha={old}") == [two, one]
    assert listed(f"ref={old}&task=none") == [two, one]
    assert listed("per_page=1&page=2") == [two]


def test_a_success_makes_those_before_it_inactive(deploy: Deploy) -> None:
    first, second = deploy(), deploy()
    deploy.say(first, "success")
    deploy.say(second, "in_progress")
    assert deploy.states(first) == ["success"]
    deploy.say(second, "success")
    assert (deploy.states(first), deploy.states(second)) == (["inactive", "success"], ["success", "in_progress"])


@pytest.mark.parametrize(
    ("environment", "more", "kept"),
    [
        ("staging", {}, ["success"]),
        ("production", {"production_environment": True}, ["success"]),
        ("preview", {"transient_environment": True}, ["success"]),
    ],
)
def test_auto_inactive_skips_transient_and_production_environments(
    deploy: Deploy, environment: str, more: Json, kept: list[str]
) -> None:
    first, second = deploy(environment, **more), deploy(environment, **more)
    deploy.say(first, "success")
    deploy.say(second, "success", auto_inactive=environment != "staging")
    assert deploy.states(first) == kept


def test_a_success_leaves_failures_and_other_environments_alone(deploy: Deploy) -> None:
    failed, other, good = deploy(), deploy("other"), deploy()
    deploy.say(failed, "failure")
    deploy.say(other, "success")
    deploy.say(good, "success")
    assert (deploy.states(failed), deploy.states(other)) == (["failure"], ["success"])


def test_a_deployment_status_is_kept_whole_and_got_by_number(deploy: Deploy, ask: Caller) -> None:
    number = deploy()
    given = {"description": "ä" * 140, "log_url": "https://x.example/1", "environment_url": "https://x.example/2"}
    made = deploy.say(number, "in_progress", **given)
    found = ask.made("GET", f"/deployments/{number}/statuses/{made['id']}")
    assert {key: found[key] for key in given} == given
    assert found["target_url"] == "https://x.example/1"
    body = {"state": "success", "description": "ä" * 141}
    says = "description is too long (maximum is 140 characters)"
    assert ask.refused("POST", f"/deployments/{number}/statuses", body) == (422, says)


def test_a_status_may_move_a_deployment_to_another_environment(deploy: Deploy, ask: Caller) -> None:
    number = deploy("a")
    deploy.say(number, "success", environment="b")
    found = ask.made("GET", f"/deployments/{number}")
    assert (found["environment"], found["original_environment"]) == ("b", "a")
    assert [one["name"] for one in ask.made("GET", "/environments")["environments"]] == ["a", "b"]


def test_environments_may_have_slashes_in_their_names(deploy: Deploy, ask: Caller) -> None:
    deploy("production/cart")
    assert ask.made("GET", "/environments/production%2Fcart")["name"] == "production/cart"
    assert ask("GET", "/environments/nowhere").status_code == 404


def test_a_deployment_is_deleted_when_it_is_inactive_or_alone(deploy: Deploy, ask: Caller) -> None:
    first, second = deploy(), deploy()
    deploy.say(first, "success")
    assert ask("DELETE", f"/deployments/{first}").status_code == 422
    deploy.say(first, "inactive")
    assert ask("DELETE", f"/deployments/{first}").status_code == 204
    assert ask("DELETE", f"/deployments/{second}").status_code == 204
    assert ask("GET", f"/deployments/{second}").status_code == 404
