"""Approvals in a check, by an event and on the command line: demanded, shown, and never taken for granted."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import stepping

from deploygate.cli.acting.step import main_step
from deploygate.endings import EXIT_CODES, Ending
from deploygate.fake_github import FakeGitHub, Pull, Repository

SERVICES = stepping.SERVICES.replace(
    "services:\n", "people: {nathan: Nathan-D, cory: cory, obaid: acme/product}\nservices:\n", 1
)
NEWER = SERVICES.replace('version: "1.0"', 'version: "2.0"')
OTHER_PROBE = NEWER.replace("    deploy:", "    health: {path: /ready}\n    deploy:")
OTHER_PURPOSE = SERVICES.replace("purpose: Answers.", "purpose: Answers at once.")


@dataclass
class Shop:
    """A checkout with a runner's files around it, and the repository that it is of."""

    folder: Path
    hub: FakeGitHub
    repo: Repository
    environ: dict[str, str] = field(default_factory=dict)

    def event(self, name: str, payload: Mapping[str, object], sha: str) -> None:
        path = self.folder.parent / "event.json"
        path.write_text(json.dumps({"repository": {"full_name": "acme/shop", "default_branch": "main"}, **payload}))
        self.environ |= {"GITHUB_EVENT_NAME": name, "GITHUB_EVENT_PATH": str(path), "GITHUB_SHA": sha}

    def propose(self, text: str, *, by: str = "mallory", event: str = "pull_request") -> Pull:
        """Propose another inventory, and be called for it."""
        self.repo.commit({"services.yml": text}, "Change it", branch="change")
        pull = self.repo.pull("change", by=by)
        (self.folder / "services.yml").write_text(text)
        self.called(pull, event)
        return pull

    def called(self, pull: Pull, event: str = "pull_request") -> None:
        sides = {
            "head": {"sha": pull.head_sha, "repo": {"full_name": "acme/shop"}},
            "base": {"sha": self.repo.sha("main"), "repo": {"full_name": "acme/shop"}},
        }
        self.event(event, {"pull_request": {"number": pull.number, **sides}}, "0" * 40)

    def step(self, **given: str) -> int:
        for name in ("out", "state", "summary"):
            (self.folder.parent / name).write_text("")
        return main_step({"token": stepping.TOKEN, "reviews": "true", **given}, self.environ)

    @property
    def outputs(self) -> dict[str, str]:
        return {name: value for name, _, value in stepping.ENTRY.findall((self.folder.parent / "out").read_text())}

    @property
    def told(self) -> dict[str, Any]:
        result: dict[str, Any] = json.loads(self.outputs["result"])
        return result

    @property
    def verdict(self) -> tuple[str, str, str]:
        return self.outputs["decision"], self.outputs["reason_code"], self.outputs["exit_code"]

    def status(self, sha: str, context: str = "deploygate/check") -> tuple[str, str]:
        found = {one.context: (one.state, one.description or "") for one in self.repo.latest_statuses(sha)}
        return found[context]


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    folder = tmp_path / "workspace"
    folder.mkdir()
    monkeypatch.chdir(folder)
    with FakeGitHub() as hub:
        hub.accept(stepping.TOKEN)
        repo = hub.repository("acme/shop")
        repo.commit({"services.yml": SERVICES}, "The inventory")
        (folder / "services.yml").write_text(SERVICES)
        environ = {
            "GITHUB_REPOSITORY": "acme/shop", "GITHUB_API_URL": hub.url, "GITHUB_SERVER_URL": hub.web,
            "GITHUB_RUN_ID": "77", "GITHUB_RUN_ATTEMPT": "1", "GITHUB_ACTOR": "octocat", "GITHUB_REF": "refs/heads/x",
            "GITHUB_OUTPUT": str(tmp_path / "out"), "GITHUB_STATE": str(tmp_path / "state"),
            "GITHUB_STEP_SUMMARY": str(tmp_path / "summary"), "RUNNER_TEMP": str(tmp_path),
        }  # fmt: skip
        yield Shop(folder, hub, repo, environ)


PASS, REFUSED, UNTOLD = ("pass", "sound", "0"), ("fail", "refused", "4"), ("cannot_tell", "cannot_tell", "9")


def test_a_change_without_the_approval_that_it_needs_is_refused_and_says_whose(
    shop: Shop, capsys: pytest.CaptureFixture[str]
) -> None:
    pull = shop.propose(NEWER)
    assert shop.step() == EXIT_CODES[Ending.REFUSED]
    assert shop.verdict == REFUSED
    says = "1 approval of owners still needed: dev cory"
    assert shop.status(pull.head_sha) == ("failure", says)
    assert shop.status(pull.head_sha, "deploygate/production/Svc") == ("failure", says)
    (comment,) = pull.comments
    assert "❌ 1 approval of owners still needed: dev cory" in comment.body
    assert re.search(r"\| ❌ +\| dev +\| cory +\| Svc +\| the version +\| cory is to approve it +\|", comment.body)
    assert "Svc 1.0" in comment.body  # what merging would do is told all the same
    assert (
        "::error file=services.yml,line=5,col=3,title=unreviewed::dev of Svc: cory is to approve it"
        in capsys.readouterr().out
    )
    assert [(one["rule"], one["severity"]) for one in shop.told["findings"] if one["severity"] == "error"] == [
        ("unreviewed", "error")
    ]
    (approval,) = shop.told["reviews"]["approvals"]
    assert (approval["role"], approval["account"], approval["why"]) == ("dev", "cory", ["the version"])


def test_with_the_owner_s_approval_it_passes_and_says_by_whom(shop: Shop) -> None:
    pull = shop.propose(NEWER, event="pull_request_review")
    shop.repo.review(pull.number, by="Cory")
    assert shop.step() == 0
    assert shop.verdict == PASS
    assert shop.status(pull.head_sha)[0] == "success"
    assert re.search(r"\| ✅ +\| dev +\| cory +\| Svc +\| the version +\| approved by Cory +\|", pull.comments[0].body)
    assert shop.told["reviews"]["approvals"][0]["approved_by"] == ["Cory"]


def test_each_role_that_is_concerned_is_asked(shop: Shop) -> None:
    pull = shop.propose(OTHER_PROBE)
    shop.repo.review(pull.number, by="cory")
    shop.step()
    assert shop.verdict == REFUSED
    assert shop.status(pull.head_sha)[1] == "1 approval of owners still needed: ops nathan"
    shop.repo.review(pull.number, by="nathan-d")  # in other capitals than the inventory
    shop.step()
    assert shop.verdict == PASS


def test_the_two_hundred_and_fiftieth_review_counts(shop: Shop) -> None:
    pull = shop.propose(NEWER)
    for number in range(249):
        shop.repo.review(pull.number, by=f"reader-{number}", state="COMMENTED")
    shop.repo.review(pull.number, by="cory")
    assert shop.step() == 0


def test_what_is_pushed_after_an_approval_has_not_been_seen(shop: Shop) -> None:
    pull = shop.propose(NEWER)
    shop.repo.review(pull.number, by="cory")
    shop.repo.commit({"other": "x"}, "One more", branch="change")
    shop.called(pull)
    shop.step()
    assert shop.verdict == REFUSED
    assert "cory approved an earlier commit" in pull.comments[0].body


def test_an_approval_of_a_newer_commit_than_the_one_that_was_checked_does_not_count(shop: Shop) -> None:
    pull = shop.propose(NEWER)
    checked = pull.head_sha
    shop.repo.commit({"other": "x"}, "One more", branch="change")
    shop.repo.review(pull.number, by="cory")
    shop.step()  # still for the commit before
    assert shop.verdict == REFUSED
    assert shop.status(checked)[0] == "failure"


@pytest.mark.parametrize("state", ["CHANGES_REQUESTED", "DISMISSED"])
def test_an_approval_that_is_taken_back_is_none(shop: Shop, state: str) -> None:
    pull = shop.propose(NEWER)
    given = shop.repo.review(pull.number, by="cory")
    if state == "DISMISSED":
        shop.repo.dismiss(pull.number, given)
    else:
        shop.repo.review(pull.number, by="cory", state=state)
    shop.step()
    assert shop.verdict == REFUSED


def test_the_author_s_own_approval_is_none_and_another_owner_s_is_one(shop: Shop) -> None:
    pull = shop.propose(NEWER, by="Cory")
    shop.repo.review(pull.number, by="cory")
    shop.step()
    assert shop.verdict == REFUSED
    shop.repo.review(pull.number, by="nathan-d")
    shop.step()
    assert shop.verdict == PASS


def test_whoever_puts_themselves_in_charge_needs_the_owner_who_was(shop: Shop) -> None:
    pull = shop.propose(NEWER.replace("cory: cory", "cory: eve"))
    for who in ("eve", "nathan-d"):
        shop.repo.review(pull.number, by=who)
    shop.step()
    assert shop.verdict == REFUSED
    needed = [one["account"] for one in shop.told["reviews"]["approvals"] if one["standing"] == "needed"]
    assert needed == ["cory"]


def test_a_team_s_approval_cannot_be_told_with_a_job_s_token_and_that_is_no_pass(shop: Shop) -> None:
    shop.hub.team("acme/product", ["mona"])
    pull = shop.propose(OTHER_PURPOSE)
    shop.step()
    assert shop.verdict == REFUSED  # nobody at all has approved
    shop.repo.review(pull.number, by="mona")
    assert shop.step() == EXIT_CODES[Ending.CANNOT_TELL]
    assert shop.verdict == UNTOLD
    assert shop.status(pull.head_sha)[0] == "error"
    assert "could not verify that mona is in acme/product" in pull.comments[0].body


def test_a_token_that_may_know_the_members_of_a_team_tells_whose_approval_it_is(shop: Shop) -> None:
    shop.hub.team("acme/product", ["mona"])
    areas = ("contents", "statuses", "deployments", "pull-requests")
    app = shop.hub.token({**dict.fromkeys(areas, "write"), "members": "read"}, user="gate[bot]")
    pull = shop.propose(OTHER_PURPOSE)
    shop.repo.review(pull.number, by="eve")
    shop.step(token=app)
    assert shop.verdict == REFUSED
    shop.repo.review(pull.number, by="Mona")
    shop.step(token=app)
    assert shop.verdict == PASS


def test_reviews_that_cannot_be_read_are_no_pass(shop: Shop) -> None:
    pull = shop.propose(NEWER)
    shop.repo.review(pull.number, by="cory")
    token = shop.hub.token(dict.fromkeys(("contents", "statuses"), "write"))
    shop.step(token=token)
    assert shop.verdict == UNTOLD
    assert "pull-requests: read" in json.dumps(shop.told)
    assert shop.status(pull.head_sha)[0] == "error"


def test_without_a_token_nothing_is_known_of_reviews_and_that_is_no_pass(shop: Shop) -> None:
    shop.propose(NEWER)
    shop.step(token="")
    assert shop.verdict == UNTOLD


def test_a_change_that_concerns_nobody_needs_nobody(shop: Shop) -> None:
    shop.propose(SERVICES.replace("schema: 1\n", "schema: 1\n# a comment\n"))
    assert shop.step() == 0
    assert shop.told["reviews"]["approvals"] == []


def test_approvals_are_not_asked_for_unless_they_are(shop: Shop) -> None:
    pull = shop.propose(NEWER)
    assert shop.step(reviews="false") == 0
    assert shop.told["reviews"] is None
    assert not any("/reviews" in one.path for one in shop.hub.requests)
    assert pull.comments


def test_an_inventory_that_is_new_is_asked_for_in_all_three_roles(shop: Shop) -> None:
    shop.repo.commit({"services.yml": None}, "Begin again")
    shop.repo.branch("change")
    pull = shop.propose(SERVICES)
    shop.step()
    assert shop.verdict == REFUSED
    assert {one["role"] for one in shop.told["reviews"]["approvals"]} == {"ops", "dev", "pm"}
    assert pull.comments


def test_where_the_inventory_before_cannot_be_read_nothing_can_be_told(shop: Shop) -> None:
    """Whoever is named in the change has approved it; who was asked before, nobody knows."""
    pull = shop.propose(NEWER.replace("acme/product", "obaid"))
    for who in ("cory", "nathan-d", "obaid"):
        shop.repo.review(pull.number, by=who)
    token = shop.hub.token({"statuses": "write", "pull-requests": "write"})
    shop.step(token=token)
    assert shop.verdict == UNTOLD


def push(shop: Shop, sha: str, ref: str = "refs/heads/change") -> None:
    shop.event("push", {"before": shop.repo.sha("main"), "ref": ref}, sha)


def test_a_push_does_not_turn_the_pull_request_of_its_commit_green(shop: Shop) -> None:
    pull = shop.propose(NEWER)
    push(shop, pull.head_sha)
    shop.step()
    assert shop.verdict == REFUSED
    shop.repo.review(pull.number, by="cory")
    shop.step()
    assert shop.verdict == PASS


def test_a_push_without_a_pull_request_has_nobody_s_approval(shop: Shop) -> None:
    sha = shop.repo.commit({"services.yml": NEWER}, "Change it", branch="change")
    (shop.folder / "services.yml").write_text(NEWER)
    push(shop, sha)
    shop.step()
    assert shop.verdict == REFUSED
    assert "no pull request has this change" in json.dumps(shop.told)


def test_in_a_merge_queue_the_reviews_are_the_pull_request_s(shop: Shop) -> None:
    pull = shop.propose(NEWER)
    queued = shop.repo.commit({"services.yml": NEWER}, "Queued", branch="queue")
    group = {"head_sha": queued, "base_sha": shop.repo.sha("main")}
    group["head_ref"] = f"refs/heads/gh-readonly-queue/main/pr-{pull.number}-{queued}"
    shop.event("merge_group", {"merge_group": group}, queued)
    shop.step()
    assert shop.verdict == REFUSED
    shop.repo.review(pull.number, by="cory")
    shop.step()
    assert shop.verdict == PASS
    assert shop.status(queued)[0] == "success"


def test_of_one_service_only_its_owners_are_asked(shop: Shop) -> None:
    other = SERVICES.split("services:\n")[1].replace("Svc", "Other").replace("srv", "srv2").replace("71", "72")
    other = other.replace("p-1", "o-p").replace("s-1", "o-1").replace("s-2", "o-2")
    shop.repo.commit({"services.yml": SERVICES + other}, "Two services")
    shop.repo.branch("change")
    shop.propose(NEWER + other.replace('version: "1.0"', 'version: "2.0"'))
    shop.step(service="Other")
    assert [one["services"] for one in shop.told["reviews"]["approvals"]] == [["Other"]]


def test_an_inventory_with_errors_is_that_first(shop: Shop) -> None:
    shop.propose(NEWER.replace("purpose: Answers.", "purpose: ''"))
    shop.step()
    assert shop.verdict == ("fail", "inventory_error", "3")


def test_names_in_a_comment_call_nobody(shop: Shop) -> None:
    pull = shop.propose(NEWER)
    shop.step()
    assert not re.search(r"@[A-Za-z]", pull.comments[0].body)


# --- owners ---


def test_owners_are_looked_up_where_that_is_wanted(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    for login in ("nathan-d", "cory"):
        shop.hub.user(login)
    pull = shop.propose(SERVICES)
    assert shop.step(reviews="false", verify_owners="true") == 0
    rules = [(one["rule"], one["line"]) for one in shop.told["findings"] if one["rule"] == "unverified-owner"]
    assert rules == [("unverified-owner", 3)]
    assert "::warning file=services.yml,line=3" in capsys.readouterr().out
    assert pull.comments


def test_an_owner_who_is_not_on_github_is_an_error_of_the_inventory(shop: Shop) -> None:
    shop.hub.user("nathan-d")
    shop.propose(NEWER.replace("cory: cory", "cory: c0ry"))
    shop.step(reviews="false", verify_owners="true")
    assert shop.verdict == ("fail", "inventory_error", "3")
    assert [one["says"] for one in shop.told["findings"] if one["rule"] == "unknown-login"] == [
        'cory is "c0ry" on GitHub, and GitHub knows nobody of that name'
    ]


def test_owners_cannot_be_verified_without_a_token_and_that_is_a_warning(shop: Shop) -> None:
    shop.propose(SERVICES)
    shop.step(reviews="false", verify_owners="true", token="")
    assert shop.verdict == PASS
    assert "unverified-owner" in [one["rule"] for one in shop.told["findings"]]


# --- on the command line ---


def called(shop: Shop, *words: str, **environ: str) -> "subprocess.CompletedProcess[str]":
    whole = [sys.executable, "-m", "deploygate", "check", *words]
    given = {
        "GITHUB_TOKEN": stepping.TOKEN,
        "GITHUB_REPOSITORY": "acme/shop",
        "GITHUB_API_URL": shop.hub.url,
        **environ,
    }
    return subprocess.run(
        whole, cwd=shop.folder, capture_output=True, text=True, check=False, env={**os.environ, **given}, timeout=60
    )


def test_the_command_line_demands_the_same(shop: Shop) -> None:
    pull = shop.propose(NEWER)
    words = ("--reviews", "--pull", str(pull.number))
    done = called(shop, *words)
    assert done.returncode == EXIT_CODES[Ending.REFUSED], done.stderr
    assert "dev of Svc: cory is to approve it [unreviewed]" in done.stdout
    assert "✘ 1 approval of owners still needed: dev cory" in done.stdout
    shop.repo.review(pull.number, by="cory")
    done = called(shop, *words, "--format", "json")
    assert done.returncode == 0
    told = json.loads(done.stdout)
    assert (told["decision"], told["reviews"]["standing"]) == ("pass", "approved")
    assert [(one["service"], one["to"]) for one in told["changes"]] == [("Svc", "2.0")]


def test_an_approval_that_is_missing_is_a_result_for_code_scanning(shop: Shop) -> None:
    pull = shop.propose(NEWER)
    done = called(shop, "--reviews", "--pull", str(pull.number), "--format", "sarif")
    assert done.returncode == EXIT_CODES[Ending.REFUSED]
    (result,) = [one for one in json.loads(done.stdout)["runs"][0]["results"] if one["level"] == "error"]
    assert result["ruleId"] == "unreviewed"


def test_on_the_command_line_what_cannot_be_told_is_no_pass_either(shop: Shop) -> None:
    pull = shop.propose(OTHER_PURPOSE)
    shop.repo.review(pull.number, by="mona")
    done = called(shop, "--reviews", "--pull", str(pull.number), "--format", "markdown")
    assert done.returncode == EXIT_CODES[Ending.CANNOT_TELL]
    assert "❔" in done.stdout


@pytest.mark.parametrize(
    ("words", "environ", "says"),
    [
        (("--reviews",), {}, "--reviews and --pull belong together"),
        (("--pull", "1"), {}, "--reviews and --pull belong together"),
        (("--reviews", "--pull", "1"), {"GITHUB_TOKEN": ""}, "there is no repository on GitHub to ask"),
        (("--reviews", "--pull", "99"), {}, "GitHub finds nothing at GET /repos/acme/shop/pulls/99"),
        (("--verify-owners",), {"GITHUB_REPOSITORY": ""}, "there is no repository on GitHub to ask"),
    ],
)
def test_what_cannot_be_asked_for_says_so(
    shop: Shop, words: tuple[str, ...], environ: Mapping[str, str], says: str
) -> None:
    done = called(shop, *words, **environ)
    assert done.returncode == EXIT_CODES[Ending.USAGE_ERROR]
    assert says in done.stderr


def test_the_command_line_looks_owners_up(shop: Shop) -> None:
    done = called(shop, "--verify-owners")
    assert done.returncode == EXIT_CODES[Ending.INVENTORY_ERROR]
    assert done.stdout.count("[unknown-login]") == 2
    assert "services.yml:3:18: error: nathan is" in done.stdout
