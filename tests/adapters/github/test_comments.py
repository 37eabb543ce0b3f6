"""One comment a key: found among all, kept to one when runs race, never put back by an older run, never too long."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import responses
from requests import PreparedRequest

from deploygate.adapters.github.client import Hub
from deploygate.adapters.github.comments import LONGEST, Sticky
from deploygate.adapters.github.trouble import Denied, GitHubTrouble, Unsent
from deploygate.names import Secret

REPO = "https://api.github.com/repos/acme/shop"
HEAD, OTHER = "1f" * 20, "2e" * 20
BOT = {"login": "github-actions[bot]", "id": 41898282, "type": "Bot"}
EVE = {"login": "eve", "id": 666, "type": "User"}
ADA = {"login": "ada", "id": 1, "type": "User"}
Reply = tuple[int, dict[str, str], str]


@dataclass
class Thread:
    """The comments of one pull request, on the wire; `once` is done before the next request of a verb is."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    author: dict[str, Any] | None = field(default_factory=lambda: dict(BOT))
    me: dict[str, Any] | None = None
    head: str = HEAD
    state: str = "open"
    refused: dict[str, int] = field(default_factory=dict)
    once: dict[str, Callable[[], object]] = field(default_factory=dict)

    def add(self, body: str, author: dict[str, Any] | None) -> dict[str, Any]:
        number = 100 + len(self.asked) * 1000 + len(self.rows)
        url = f"{REPO}/issues/comments/{number}"
        row = {"id": number, "url": url, "html_url": f"https://github.com/c/{number}", "body": body, "user": author}
        self.rows.append(row)
        return row

    def answer(self, request: PreparedRequest) -> Reply:
        verb, at = str(request.method), urlsplit(str(request.url))
        if verb in self.once:
            self.once.pop(verb)()
        self.asked.append(verb)
        if verb in self.refused:
            return self.refused[verb], {}, json.dumps({"message": "Resource not accessible by integration"})
        if at.path.endswith("/pulls/7"):
            return 200, {}, json.dumps({"number": 7, "state": self.state, "head": {"sha": self.head}})
        if at.path == "/user":
            return (200, {}, json.dumps(self.me)) if self.me else (403, {}, json.dumps({"message": "no"}))
        if at.path.endswith("/issues/7/comments"):
            return self._listed(at.query) if verb == "GET" else self._made(request)
        row = next((row for row in self.rows if row["url"].endswith(at.path)), None)
        if row is None:
            return 404, {}, json.dumps({"message": "Not Found"})
        if verb == "DELETE":
            self.rows.remove(row)
            return 204, {}, ""
        if verb == "GET":
            return 200, {}, json.dumps(row)
        row["body"] = json.loads(request.body or "")["body"]
        return 200, {}, json.dumps(row)

    def _listed(self, query: str) -> Reply:
        page = int(parse_qs(query).get("page", ["1"])[0])
        assert parse_qs(query)["per_page"] == ["100"]
        more = (
            {"Link": f'<{REPO}/issues/7/comments?page={page + 1}&per_page=100>; rel="next"'}
            if len(self.rows) > page * 100
            else {}
        )
        return 200, more, json.dumps(self.rows[(page - 1) * 100 : page * 100])

    def _made(self, request: PreparedRequest) -> Reply:
        row = self.add(json.loads(request.body or "")["body"], self.author)
        return 201, {}, json.dumps(row)

    @property
    def bodies(self) -> list[str]:
        return [row["body"].partition("\n")[2] for row in self.rows]

    @property
    def writes(self) -> list[str]:
        return [verb for verb in self.asked if verb != "GET"]


@pytest.fixture
def thread() -> Iterator[Thread]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as wire:
        one = Thread()
        for verb in ("GET", "POST", "PATCH", "DELETE"):
            wire.add_callback(verb, re.compile(r"https://api\.github\.com/.*"), one.answer)
        yield one


def sticky(run: str = "10", attempt: int = 1, sha: str = HEAD) -> Sticky:
    hub = Hub("https://api.github.com", Secret("ghs_x"), "acme/shop")
    return Sticky(hub, (run, attempt), sha, "https://github.com/acme/shop/actions/runs/10/attempts/1")


def test_the_first_comment_is_made_and_the_next_ones_replace_it(thread: Thread) -> None:
    shown = sticky()
    urls = {
        shown.show(7, "shop", "### one"),
        shown.show(7, "shop", "### two"),
        sticky("11").show(7, "shop", "### three"),
    }
    assert thread.bodies == ["### three"]
    assert thread.writes == ["POST", "PATCH", "PATCH"]
    assert urls == {thread.rows[0]["html_url"]}


def test_a_comment_costs_three_calls_and_one_that_says_the_same_costs_one(thread: Thread) -> None:
    costs = []
    for run, text in (("10", "### one"), ("10", "### two"), ("11", "### three"), ("11", "### three")):
        thread.asked.clear()
        sticky(run).show(7, "shop", text)
        costs.append(" ".join(thread.asked))
    assert costs == ["GET POST GET", "GET PATCH GET", "GET PATCH GET", "GET"]


def test_keys_have_a_comment_each(thread: Thread) -> None:
    shown = sticky()
    for key in ("shop", "shop/x y", "shop --> <!--", "Ünï\n"):
        shown.show(7, key, f"### {key!r}")
        shown.show(7, key, f"### {key!r}")
    assert thread.writes == ["POST"] * 4


def test_nothing_is_written_where_the_same_is_shown(thread: Thread) -> None:
    sticky().show(7, "shop", "### one\n")
    thread.rows[0]["body"] = thread.rows[0]["body"].replace("\n", "\r\n")
    sticky().show(7, "shop", "### one\n")
    assert thread.writes == ["POST"]


def test_f2_our_comment_is_found_behind_250_others(thread: Thread) -> None:
    for number in range(250):
        thread.add(f"comment {number}", EVE)
    sticky().show(7, "shop", "### one")
    sticky("11").show(7, "shop", "### two")
    assert (thread.writes, len(thread.rows), thread.bodies[-1]) == (["POST", "PATCH"], 251, "### two")


def test_trap_20_the_oldest_wins_and_the_loser_takes_its_own_back(thread: Thread) -> None:
    thread.once["POST"] = lambda: sticky("9").show(7, "shop", "### older run")
    url = sticky("10").show(7, "shop", "### newer run")
    assert (thread.bodies, url) == (["### newer run"], thread.rows[0]["html_url"])
    assert thread.writes == ["POST", "POST", "PATCH", "DELETE"]


def test_trap_20_the_loser_of_a_race_that_is_older_leaves_the_newer_run_s_as_it_is(thread: Thread) -> None:
    thread.once["POST"] = lambda: sticky("11").show(7, "shop", "### newer run")
    url = sticky("10").show(7, "shop", "### older run")
    assert (thread.bodies, url) == (["### newer run"], thread.rows[0]["html_url"])


def test_trap_20_whoever_comes_next_clears_what_a_killed_run_left_twice(thread: Thread) -> None:
    sticky("9").show(7, "shop", "### one")
    thread.rows.append(thread.rows[0] | {"id": 5000, "url": f"{REPO}/issues/comments/5000"})
    sticky("10").show(7, "shop", "### two")
    assert thread.bodies == ["### two"]


def test_trap_20_a_duplicate_that_another_run_deletes_first_is_gone_all_the_same(thread: Thread) -> None:
    sticky("9").show(7, "shop", "### one")
    thread.rows.append(thread.rows[0] | {"id": 5000, "url": f"{REPO}/issues/comments/5000"})
    thread.once["DELETE"] = thread.rows.pop
    sticky("10").show(7, "shop", "### two")
    assert thread.bodies == ["### two"]


def test_trap_20_what_an_older_run_writes_over_at_the_same_moment_is_written_again(thread: Thread) -> None:
    sticky("8").show(7, "shop", "### before")
    older = thread.rows[0]["body"].replace("run=8", "run=9").replace("before", "older")

    def overwritten() -> None:
        thread.once["GET"] = lambda: thread.rows[0].update(body=older)

    thread.once["PATCH"] = overwritten
    sticky("10").show(7, "shop", "### newer")
    assert (thread.bodies, thread.writes) == (["### newer"], ["POST", "PATCH", "PATCH"])


def test_trap_20_a_newer_run_that_writes_at_the_same_moment_has_the_last_word(thread: Thread) -> None:
    sticky("8").show(7, "shop", "### before")
    newer = thread.rows[0]["body"].replace("run=8", "run=11").replace("before", "newer")

    def overwritten() -> None:
        thread.once["GET"] = lambda: thread.rows[0].update(body=newer)

    thread.once["PATCH"] = overwritten
    sticky("10").show(7, "shop", "### older")
    assert (thread.bodies, thread.writes) == (["### newer"], ["POST", "PATCH"])


def test_a_comment_that_is_written_is_shown_though_it_can_t_be_looked_at_again(thread: Thread) -> None:
    sticky("8").show(7, "shop", "### before")

    def unreadable() -> None:
        thread.refused["GET"] = 403

    thread.once["PATCH"] = unreadable
    assert sticky("10").show(7, "shop", "### now") == thread.rows[0]["html_url"]
    assert thread.bodies == ["### now"]


def test_trap_20_writing_over_each_other_has_an_end(thread: Thread) -> None:
    sticky("8").show(7, "shop", "### before")
    older = thread.rows[0]["body"]

    def overwritten() -> None:
        thread.once["PATCH"] = overwritten
        thread.once["GET"] = lambda: thread.rows[0].update(body=older)

    thread.once["PATCH"] = overwritten
    sticky("10").show(7, "shop", "### newer")
    assert thread.writes == ["POST", "PATCH", "PATCH", "PATCH"]


def test_a_duplicate_that_can_t_be_deleted_is_folded(thread: Thread) -> None:
    sticky("9").show(7, "shop", "### one")
    thread.rows.append(thread.rows[0] | {"id": 5000, "url": f"{REPO}/issues/comments/5000"})
    thread.refused["DELETE"] = 403
    sticky("10").show(7, "shop", "### two")
    assert thread.bodies == ["### two", "*This comment is there twice: see the one above.*"]


@pytest.mark.parametrize(("older", "newer"), [(("9", 1), ("10", 1)), (("10", 1), ("10", 2)), (("999", 9), ("1000", 1))])
def test_f3_an_older_run_never_overwrites_a_newer_one(
    thread: Thread, older: tuple[str, int], newer: tuple[str, int]
) -> None:
    first = sticky(*newer).show(7, "shop", "### newer")
    assert sticky(*older).show(7, "shop", "### older") == first
    assert thread.bodies == ["### newer"]
    sticky(*newer).show(7, "shop", "### newest")
    assert thread.bodies == ["### newest"]


def test_f3_a_comment_on_the_head_is_not_overwritten_by_a_run_on_another_commit(thread: Thread) -> None:
    sticky("10", sha=HEAD).show(7, "shop", "### head")
    sticky("11", sha=OTHER).show(7, "shop", "### a late re-run of an older commit")
    assert thread.bodies == ["### head"]


def test_f3_a_known_head_costs_no_call(thread: Thread) -> None:
    sticky("10", sha=HEAD).show(7, "shop", "### head")
    thread.asked.clear()
    sticky("11", sha=OTHER).show(7, "shop", "### other", head_sha=HEAD)
    assert (thread.asked, thread.bodies) == (["GET"], ["### head"])


@pytest.mark.parametrize(("head", "state"), [(OTHER, "open"), (HEAD, "closed")], ids=["pushed", "merged"])
def test_f3_a_commit_that_is_the_head_or_comes_after_the_merge_has_the_word(
    thread: Thread, head: str, state: str
) -> None:
    sticky("10", sha=HEAD).show(7, "shop", "### before")
    thread.head, thread.state = head, state
    sticky("11", sha=OTHER).show(7, "shop", "### now")
    assert thread.bodies == ["### now"]


def test_a_marker_in_somebody_else_s_comment_is_not_ours(thread: Thread) -> None:
    sticky().show(7, "shop", "### one")
    forged = thread.rows[0]["body"].replace("run=10", "run=99999")
    thread.rows[:] = []
    for author in (EVE, None):
        thread.add(forged, author)
    thread.add(f"> {forged}", BOT)
    sticky().show(7, "shop", "### one")
    assert (len(thread.rows), thread.rows[-1]["user"]) == (4, BOT)
    assert [row["body"] for row in thread.rows[:2]] == [forged, forged]


def test_the_comment_of_a_person_s_token_is_found_again(thread: Thread) -> None:
    thread.author = thread.me = ADA
    sticky("10").show(7, "shop", "### one")
    shown = sticky("11")
    shown.show(7, "shop", "### two")
    shown.show(7, "shop", "### three")
    assert thread.bodies == ["### three"]


def test_f7_a_comment_that_may_have_arrived_is_looked_for_and_not_sent_twice(thread: Thread) -> None:
    def arrive() -> None:
        body = thread_body(thread)
        thread.refused["POST"] = 502
        thread.add(body, BOT)

    thread.once["POST"] = arrive
    url = sticky().show(7, "shop", "### one")
    assert (thread.bodies, thread.writes, url) == (["### one"], ["POST"], thread.rows[0]["html_url"])


def thread_body(thread: Thread) -> str:
    """Return what `sticky()` sends, as a thread of its own has it."""
    assert not thread.rows
    return f"<!-- deploygate key=shop run=10 attempt=1 sha={HEAD} -->\n### one"


def test_f7_a_comment_that_did_not_arrive_is_reported_as_unsent(thread: Thread) -> None:
    thread.refused["POST"] = 502
    with pytest.raises(Unsent):
        sticky().show(7, "shop", "### one")
    assert (thread.rows, thread.writes) == ([], ["POST"])


@pytest.mark.parametrize("verb", ["GET", "POST"])
def test_f1_a_comment_that_is_not_allowed_names_the_permission(thread: Thread, verb: str) -> None:
    thread.refused[verb] = 403
    with pytest.raises(Denied) as caught:
        sticky().show(7, "shop", "### one")
    assert caught.value.permission == "pull-requests: write"


def test_pages_that_can_t_be_read_are_not_taken_for_no_comment(thread: Thread) -> None:
    thread.refused["GET"] = 404
    with pytest.raises(GitHubTrouble):
        sticky().show(7, "shop", "### one")
    assert thread.writes == []


def test_f5_a_long_text_is_cut_when_it_is_made_and_when_it_is_changed(thread: Thread) -> None:
    rows = [f"| instance-{number} | ✅ healthy |" for number in range(5000)]
    text = "\n".join(["### ✅ deployed", "", "| instance | health |", "|---|---|", *rows])
    for run in ("10", "11"):
        sticky(run).show(7, "shop", text)
        body = thread.rows[0]["body"]
        assert len(body.encode()) <= LONGEST < 65_536
        assert body.splitlines()[1] == "### ✅ deployed"
        left_out = re.search(r"\n\n\*([0-9,]+) lines left out, see \[the run\]\(https://github\.com/\S+\)\*\n\Z", body)
        kept = sum(line.startswith("| instance-") for line in body.splitlines())
        assert left_out is not None
        assert kept + int(left_out[1].replace(",", "")) == 5000
    assert thread.writes == ["POST", "PATCH"]


def test_a_commit_of_another_form_does_not_break_the_marker(thread: Thread) -> None:
    for _ in range(2):
        sticky(sha="main -->").show(7, "shop", "### one")
    assert thread.writes == ["POST"]


def test_a_run_without_a_number_is_older_than_all(thread: Thread) -> None:
    sticky("").show(7, "shop", "### local")
    sticky("10").show(7, "shop", "### run")
    sticky("").show(7, "shop", "### local")
    assert thread.bodies == ["### run"]
