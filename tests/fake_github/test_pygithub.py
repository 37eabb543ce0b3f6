"""PyGithub can do each operation against the fake, and finds in each answer what GitHub's example has."""

from typing import Any

import pytest
from github import Auth, Github, InputGitAuthor, InputGitTreeElement

from deploygate.fake_github import Dispatch, FakeGitHub
from deploygate.fake_github.description import Description
from fake_github.caller import EXAMPLES

# What the fake leaves out of an answer though GitHub's example has it; none of it is required.
LEFT_OUT = {
    "repos/get": {
        *("allow_auto_merge", "allow_forking", "allow_merge_commit", "allow_rebase_merge", "allow_squash_merge"),
        *("delete_branch_on_merge", "is_template", "organization", "parent", "permissions", "source"),
        *("temp_clone_token", "template_repository", "topics"),
    },
}


class Both:
    """A repository, as the fake has it and as PyGithub sees it."""

    def __init__(self, hub: FakeGitHub) -> None:
        self.hub, self.repo = hub, hub.repository("acme/shop")
        self.repo.commit({"services.yml": "version: 1\n", "teams/a.yml": "one\n"}, "One")
        self.repo.commit({"services.yml": "version: 2\n"}, "Two", branch="topic")
        self.repo.pull("topic")
        self.remote = signed_in(hub, hub.token()).get_repo("acme/shop")

    def asks(self, method: str, path: str) -> Any:
        """Ask for what PyGithub has no words for."""
        return self.remote.requester.requestJsonAndCheck(method, f"/repos/acme/shop{path}")[1]


def signed_in(hub: FakeGitHub, token: str) -> Github:
    auth = Auth.Token(token)
    return Github(base_url=hub.url, auth=auth, retry=None, seconds_between_requests=None, seconds_between_writes=None)


def files_and_objects(both: Both) -> None:
    remote, repo = both.remote, both.repo
    assert remote.default_branch == "main"
    assert [one.name for one in remote.get_branches()] == ["main", "topic"]
    head = remote.get_branch("main").commit
    assert remote.get_commits()[0].sha == head.sha == repo.sha()
    assert [one.filename for one in remote.get_commit("topic").files] == ["services.yml"]
    assert remote.compare("main", "topic").ahead_by == 1
    found = remote.get_contents("services.yml", ref="topic")
    assert not isinstance(found, list)
    assert found.decoded_content == b"version: 2\n"
    tree = remote.get_git_tree(head.sha, recursive=True)
    assert [one.path for one in tree.tree] == ["README.md", "services.yml", "teams", "teams/a.yml"]
    assert remote.get_git_blob(tree.tree[1].sha).size == 11
    blob = remote.create_git_blob("two\n", "utf-8")
    made = remote.create_git_tree([InputGitTreeElement("teams/b.yml", "100644", "blob", sha=blob.sha)], tree)
    author, parent = InputGitAuthor("a", "b@c.example"), remote.get_git_commit(head.sha)
    commit = remote.create_git_commit("Three", made, [parent], author)
    ref = remote.create_git_ref("refs/heads/made", commit.sha)
    remote.get_git_ref("heads/made").edit(head.sha, force=True)
    assert [one.ref for one in remote.get_git_matching_refs("heads/ma")] == ["refs/heads/made", "refs/heads/main"]
    ref.delete()
    created = remote.create_file("new.yml", "Add", "1", branch="topic")["content"]
    updated = remote.update_file("new.yml", "Set", "2", created.sha, branch="topic")["content"]
    assert repo.text("new.yml", "topic") == "2"
    remote.delete_file("new.yml", "Remove", updated.sha, branch="topic")
    assert repo.text("new.yml", "topic") is None


def pulls_and_comments(both: Both) -> None:
    remote, repo = both.remote, both.repo
    for number in range(45):
        repo.comment(1, f"{number}")
    repo.review(1, by="mona")
    pull = remote.get_pull(1)
    assert [one.body for one in pull.get_issue_comments()] == [f"{number}" for number in range(45)]
    assert ([one.filename for one in pull.get_files()], pull.get_commits().totalCount) == (["services.yml"], 1)
    assert [one.state for one in pull.get_reviews()] == ["APPROVED"]
    comment = remote.get_issue(1).create_comment("one")
    comment.edit("two")
    assert pull.get_issue_comment(comment.id).body == "two"
    assert remote.get_issues_comments(direction="desc")[0].body == "two"
    comment.delete()
    assert [one.number for one in remote.get_pulls()] == [1]
    assert [one.number for one in remote.get_commit(repo.sha("topic")).get_pulls()] == [1]
    assert pull.merge(sha=pull.head.sha).merged
    repo.commit({"a": "1"}, "a", branch="back")
    opened = remote.create_pull(base="main", head="back", title="Put it back", body="why", draft=True)
    opened.edit(title="Put back")
    assert (repo.pulls[2].title, repo.pulls[2].draft) == ("Put back", True)


def statuses_and_deployments(both: Both) -> None:
    remote, repo = both.remote, both.repo
    sha = repo.sha()
    commit = remote.get_commit(sha)
    commit.create_status("success", "https://x.example", "fine", "deploygate/check")
    assert commit.get_combined_status().state == "success"
    assert [one["context"] for one in both.asks("GET", f"/commits/{sha}/statuses")] == ["deploygate/check"]
    made = remote.create_deployment(
        sha,
        task="deploygate:cart",
        auto_merge=False,
        required_contexts=[],
        payload={"run": "1-1"},
        environment="live/cart",
        description="says",
    )
    status = made.create_status("in_progress", "https://x.example/log", "halfway", environment_url="https://x.example")
    assert made.get_status(status.id).description == "halfway"
    assert [one.state for one in made.get_statuses()] == ["in_progress"]
    (found,) = remote.get_deployments(sha=sha, task="deploygate:cart", environment="live/cart")
    assert (found.payload, remote.get_deployment(found.id).environment) == ({"run": "1-1"}, "live/cart")
    assert [one.name for one in remote.get_environments()] == ["live/cart"]
    assert remote.get_environment("live/cart").name == "live/cart"
    made.create_status("inactive")
    both.asks("DELETE", f"/deployments/{made.id}")
    assert repo.deployments == {}


def workflows_and_runs(both: Both) -> None:
    remote, repo = both.remote, both.repo

    def run_through(dispatch: Dispatch) -> None:
        dispatch.run.start()
        dispatch.run.complete("success")

    repo.workflow("rollback.yml", inputs=["service"], on_dispatch=run_through)
    workflow = remote.get_workflow("rollback.yml")
    made: Any = workflow.create_dispatch("main", {"service": "cart"}, throw=True, return_run_details=True)
    both.hub.until(lambda: repo.runs[made.id].status == "completed")
    run = remote.get_workflow_run(made.id)
    assert (run.conclusion, run.event) == ("success", "workflow_dispatch")
    assert [one.id for one in workflow.get_runs(event="workflow_dispatch", created=">=2020-01-01")] == [run.id]
    assert [one.conclusion for one in run.jobs()] == ["success"]
    assert (run.rerun(), run.cancel()) == (True, True)
    assert [one.run_attempt for one in remote.get_workflow_runs()] == [2]
    assert run.get_attempt(1).conclusion == "success"
    assert both.asks("GET", f"/actions/runs/{run.id}/attempts/1/jobs")["total_count"] == 1
    assert [one.name for one in remote.get_workflows()] == ["rollback"]
    assert (workflow.disable(), workflow.enable()) == (True, True)
    assert workflow.create_dispatch("main", {"service": "cart"}) is True
    plain = repo.run(repo.workflow("ci.yml"))
    assert both.asks("POST", f"/actions/runs/{plain.number}/force-cancel") == {}


def the_caller(both: Both) -> None:
    person = signed_in(both.hub, both.hub.token(user="mona"))
    assert (person.get_user().login, person.get_rate_limit().rate.limit) == ("mona", 5000)


def people_and_teams(both: Both) -> None:
    both.hub.user("mona")
    both.hub.team("acme/ads", ["mona", "cory"])
    app = signed_in(both.hub, both.hub.token({"members": "read"}))
    assert app.get_user("Mona").login == "mona"
    team = app.requester.requestJsonAndCheck("GET", "/orgs/acme/teams/ads")[1]
    assert (team["slug"], team["members_count"], team["organization"]["login"]) == ("ads", 2, "acme")
    listed = app.requester.requestJsonAndCheck("GET", "/orgs/acme/teams/ads/members?per_page=100")[1]
    assert [one["login"] for one in listed] == ["mona", "cory"]


PARTS = (
    *(files_and_objects, pulls_and_comments, statuses_and_deployments, workflows_and_runs),
    *(the_caller, people_and_teams),
)


def test_pygithub_can_do_every_operation() -> None:
    done = set()
    for part in PARTS:
        with FakeGitHub() as hub:
            part(Both(hub))
            done |= {one.operation for one in hub.requests}
    assert done == set(Description().operations)


def test_an_older_server_makes_pygithub_s_dispatch_a_bare_false() -> None:
    with FakeGitHub(server="ghes-3.20") as hub:
        hub.repository("acme/shop").workflow("rollback.yml")
        workflow = signed_in(hub, hub.token()).get_repo("acme/shop").get_workflow("rollback.yml")
        told: list[object] = [workflow.create_dispatch("main", return_run_details=True)]
        assert [*told, workflow.create_dispatch("main")] == [False, True]


@pytest.mark.parametrize(
    ("operation", "path"),
    [
        ("repos/get", ""),
        ("pulls/get", "/pulls/1"),
        ("pulls/list", "/pulls"),
        ("issues/list-comments", "/issues/1/comments"),
        ("repos/get-content", "/contents/services.yml"),
        ("git/get-tree", "/git/trees/main"),
        ("git/get-commit", "/git/commits/{sha}"),
        ("repos/get-commit", "/commits/main"),
        ("repos/list-deployments", "/deployments"),
        ("repos/list-deployment-statuses", "/deployments/{deployment}/statuses"),
        ("repos/get-combined-status-for-ref", "/commits/main/status"),
        ("repos/list-commit-statuses-for-ref", "/commits/main/statuses"),
        ("actions/list-workflow-runs", "/actions/workflows/rollback.yml/runs"),
        ("actions/get-workflow", "/actions/workflows/rollback.yml"),
        ("actions/list-jobs-for-workflow-run", "/actions/runs/{run}/jobs"),
    ],
)
def test_an_answer_has_every_field_of_github_s_own_example(hub: FakeGitHub, operation: str, path: str) -> None:
    both = Both(hub)
    run = both.repo.run(both.repo.workflow("rollback.yml"))
    both.repo.comment(1, "one")
    both.repo.status(both.repo.sha(), "gate", "success")
    deployment = both.remote.create_deployment(both.repo.sha(), auto_merge=False)
    deployment.create_status("success")
    answer = both.asks("GET", path.format(sha=both.repo.sha(), run=run.number, deployment=deployment.id))
    examples = [one["value"] for one in EXAMPLES if (one["operation"], one["place"]) == (operation, "200")]
    wanted = next(one for one in examples if isinstance(one, type(answer)))
    assert fields(wanted) - fields(answer) == LEFT_OUT.get(operation, set())


def fields(answer: Any) -> set[str]:
    """Return the names at the top of an answer, and of the first in a list or in a page of a list."""
    one = answer[0] if isinstance(answer, list) else answer
    pages = [value[0] for value in one.values() if isinstance(value, list) and value and "total_count" in one]
    return set(one) | {name for page in pages for name in page}
