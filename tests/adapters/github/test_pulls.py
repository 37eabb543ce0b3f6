"""Which pull request a commit came with, and one that puts the inventory back: opened once, and never over a change."""

import base64
import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import responses
from requests import PreparedRequest

from deploygate.adapters.github.client import Hub
from deploygate.adapters.github.pulls import PullRequest, PutBack, open_put_back, pulls_of
from deploygate.adapters.github.trouble import Absent, Denied, GitHubTrouble, Unsent
from deploygate.names import Secret

REPO = "https://api.github.com/repos/acme/shop"
SHA, TIP = "1f" * 20, "2e" * 20
URL = "https://github.com/acme/shop/pull/12"
CHANGE = PutBack(
    "main", "deploygate/put-back/shop-1.4", "services.yml", "version: 1.5\n", "version: 1.4\n", "Put shop back", "why"
)
Reply = tuple[int, dict[str, str], str]


def hub() -> Hub:
    return Hub("https://api.github.com", Secret("ghs_x"), "acme/shop")


def named(text: str) -> str:
    return hashlib.sha1(b"blob %d\0" % len(text.encode()) + text.encode(), usedforsecurity=False).hexdigest()


def pull(number: int, *, merged: str | None, commit: str, state: str = "closed") -> dict[str, Any]:
    head = {"sha": f"{number:040x}", "ref": "x"}
    return {"number": number, "merged_at": merged, "merge_commit_sha": commit, "state": state, "head": head}


@responses.activate
def test_the_pull_request_whose_merge_a_commit_is_comes_first() -> None:
    rows = [
        pull(1, merged=None, commit=TIP, state="open"),
        pull(2, merged="2026-01-01T00:00:00Z", commit=TIP),
        pull(3, merged="2026-01-02T00:00:00Z", commit=SHA),
        pull(4, merged=None, commit=SHA, state="closed"),
    ]
    responses.get(f"{REPO}/commits/{SHA}/pulls", json=rows)
    asked = hub()
    assert pulls_of(asked, SHA) == (
        PullRequest(3, merged=True, head_sha=f"{3:040x}"),
        PullRequest(2, merged=True, head_sha=f"{2:040x}"),
        PullRequest(1, merged=False, head_sha=f"{1:040x}"),
    )
    assert asked.calls == 1


@responses.activate
def test_a_commit_of_which_nothing_is_told_is_not_one_without_pull_requests() -> None:
    responses.get(f"{REPO}/commits/{SHA}/pulls", status=403, json={"message": "Resource not accessible by integration"})
    with pytest.raises(Denied) as caught:
        pulls_of(hub(), SHA)
    assert caught.value.permission == "pull-requests: read"


@dataclass
class Home:
    """A repository with one file, on the wire; `refused` are answers in place of the usual ones."""

    files: dict[str, str] = field(default_factory=lambda: {TIP: CHANGE.before})
    branches: dict[str, str] = field(default_factory=lambda: {"main": TIP})
    pulls: list[dict[str, Any]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    refused: dict[str, tuple[int, str]] = field(default_factory=dict)

    def answer(self, request: PreparedRequest) -> Reply:
        at = urlsplit(str(request.url))
        path = at.path.removeprefix("/repos/acme/shop/")
        asked = f"{request.method} {path.partition('/')[0]}"
        self.asked.append(asked)
        if asked in self.refused:
            status, message = self.refused[asked]
            return status, {}, json.dumps({"message": "Validation Failed", "errors": [{"message": message}]})
        body = json.loads(request.body) if request.body else {}
        status, answered = getattr(self, asked.replace(" ", "_").lower())(path, parse_qs(at.query), body)
        return status, {}, json.dumps(answered)

    def get_pulls(self, _: str, query: dict[str, list[str]], __: object) -> tuple[int, object]:
        assert (query["state"], query["base"], query["head"]) == (["open"], ["main"], [f"acme:{CHANGE.branch}"])
        return 200, self.pulls

    def get_git(self, path: str, _: object, __: object) -> tuple[int, object]:
        ref = path.removeprefix("git/ref/heads/")
        if ref not in self.branches:
            return 404, {"message": "Not Found"}
        return 200, {"ref": f"refs/heads/{ref}", "object": {"sha": self.branches[ref], "type": "commit"}}

    def get_contents(self, _: str, query: dict[str, list[str]], __: object) -> tuple[int, object]:
        ref = query["ref"][0]
        text = self.files[self.branches.get(ref, ref)]
        content = base64.b64encode(text.encode()).decode()
        return 200, {"type": "file", "sha": named(text), "encoding": "base64", "content": content, "size": len(text)}

    def post_git(self, _: str, __: object, body: dict[str, str]) -> tuple[int, object]:
        branch = body["ref"].removeprefix("refs/heads/")
        if branch in self.branches:
            return 422, {"message": "Reference already exists"}
        self.branches[branch] = body["sha"]
        return 201, {"ref": body["ref"], "object": {"sha": body["sha"], "type": "commit"}}

    def put_contents(self, _: str, __: object, body: dict[str, str]) -> tuple[int, object]:
        if body["sha"] != named(self.files[self.branches[body["branch"]]]):
            return 409, {"message": f"services.yml does not match {body['sha']}"}
        self.branches[body["branch"]] = "3d" * 20
        self.files["3d" * 20] = base64.b64decode(body["content"]).decode()
        return 200, {"commit": {"sha": "3d" * 20}, "content": {"sha": body["sha"]}}

    def post_pulls(self, _: str, __: object, body: dict[str, str]) -> tuple[int, object]:
        self.pulls.append({"number": 12, "html_url": URL, "state": "open"} | body)
        return 201, self.pulls[-1]


@pytest.fixture
def home() -> Iterator[Home]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as wire:
        one = Home()
        for verb in ("GET", "POST", "PUT"):
            wire.add_callback(verb, re.compile(r"https://api\.github\.com/.*"), one.answer)
        yield one


def test_a_put_back_is_a_branch_of_the_base_one_file_and_a_pull_request(home: Home) -> None:
    assert open_put_back(hub(), CHANGE) == URL
    assert home.files[home.branches[CHANGE.branch]] == CHANGE.after
    assert home.pulls == [
        {
            "number": 12,
            "html_url": URL,
            "state": "open",
            "base": "main",
            "head": CHANGE.branch,
            "title": "Put shop back",
            "body": "why",
        }
    ]
    assert home.asked == ["GET pulls", "GET git", "GET contents", "POST git", "PUT contents", "POST pulls"]


def test_one_that_is_open_already_is_found_and_not_opened_twice(home: Home) -> None:
    assert [open_put_back(hub(), CHANGE) for _ in range(2)] == [URL, URL]
    assert len(home.pulls) == 1
    assert home.asked[-1] == "GET pulls"


def test_a_branch_that_an_earlier_run_left_is_gone_on_with(home: Home) -> None:
    home.refused["POST pulls"] = (502, "")
    with pytest.raises(Unsent):
        open_put_back(hub(), CHANGE)
    del home.refused["POST pulls"]
    home.asked.clear()
    assert open_put_back(hub(), CHANGE) == URL
    assert home.asked.count("PUT contents") == 0


def test_a_branch_made_but_not_written_is_written(home: Home) -> None:
    home.branches[CHANGE.branch] = TIP
    assert open_put_back(hub(), CHANGE) == URL
    assert home.files[home.branches[CHANGE.branch]] == CHANGE.after


def test_a_branch_with_something_else_on_it_is_not_touched(home: Home) -> None:
    home.branches[CHANGE.branch] = SHA
    home.files[SHA] = "version: 9\n"
    with pytest.raises(GitHubTrouble, match="is not as this run read it"):
        open_put_back(hub(), CHANGE)
    assert "PUT contents" not in home.asked


def test_a_file_that_has_changed_since_is_not_put_back(home: Home) -> None:
    home.files[TIP] = "version: 1.6\n"
    with pytest.raises(GitHubTrouble, match=r'^"services\.yml" on "main" is not as this run read it$'):
        open_put_back(hub(), CHANGE)
    assert [asked for asked in home.asked if not asked.startswith("GET")] == []


@pytest.mark.parametrize("status", [409, 422])
def test_a_file_that_changes_at_the_last_moment_is_not_overwritten(home: Home, status: int) -> None:
    home.refused["PUT contents"] = (status, "services.yml does not match")
    with pytest.raises(GitHubTrouble, match="is not as this run read it"):
        open_put_back(hub(), CHANGE)
    assert home.pulls == []


@pytest.mark.parametrize(
    ("call", "permission"),
    [("POST git", "contents: write"), ("PUT contents", "contents: write"), ("POST pulls", "pull-requests: write")],
)
def test_f1_each_step_names_the_permission_that_it_needs(home: Home, call: str, permission: str) -> None:
    home.refused[call] = (403, "Resource not accessible by integration")
    with pytest.raises(Denied) as caught:
        open_put_back(hub(), CHANGE)
    assert caught.value.permission == permission


def test_where_workflows_may_not_open_pull_requests_the_setting_is_named(home: Home) -> None:
    home.refused["POST pulls"] = (403, "GitHub Actions is not permitted to create or approve pull requests.")
    with pytest.raises(Denied) as caught:
        open_put_back(hub(), CHANGE)
    assert caught.value.says == (
        'pull requests by workflows are switched off; the change is on the branch "deploygate/put-back/shop-1.4"'
    )
    assert "Workflow permissions" in caught.value.help


def test_another_run_that_was_faster_is_enough(home: Home) -> None:
    seen = iter([[], [{"number": 12, "html_url": URL, "state": "open"}]])
    home.get_pulls = lambda *_: (200, next(seen))  # type: ignore[method-assign] # the second look finds it
    home.refused["POST pulls"] = (422, "A pull request already exists for acme:deploygate/put-back/shop-1.4.")
    assert open_put_back(hub(), CHANGE) == URL


def test_a_base_that_is_gone_is_absent(home: Home) -> None:
    home.branches.clear()
    with pytest.raises(Absent):
        open_put_back(hub(), CHANGE)
