"""The one comment of a key on a pull request: found among all, kept to one, and never put back to an older run's."""

import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import quote

from github.IssueComment import IssueComment

from deploygate.adapters.github.client import Hub
from deploygate.adapters.github.trouble import Absent, GitHubTrouble, Unsent
from deploygate.report import cut

LONGEST = 65_000  # bytes; GitHub takes 65,536 characters
_NEEDS = "pull-requests: write"
_OVER = 3  # times that a comment is written at the most, where an older run keeps writing over it
_MARKER = re.compile(
    r"\A<!-- deploygate key=([!-=?-~]{1,600}) run=([0-9]{1,20}) attempt=([0-9]{1,9}) sha=([0-9a-f]{0,64}) -->"
)
_SHA = re.compile(r"[0-9a-f]{40,64}")


@dataclass(frozen=True, slots=True)
class _Marked:
    """A comment that carries a marker of ours; `person` is the id of an author who is no app, 0 for an app."""

    number: int
    url: str
    body: str
    key: str
    run: tuple[int, int]
    sha: str
    person: int


class Sticky:
    """Shows comments of one run, `(run id, attempt)`, about one commit; `run_url` is where a long one goes on."""

    def __init__(self, hub: Hub, run: tuple[str, int], sha: str, run_url: str = "") -> None:
        self._hub = hub
        self._run = (int(run[0]) if run[0].isdecimal() else 0, run[1])
        self._sha = sha if _SHA.fullmatch(sha) else ""
        self._run_url = run_url
        self._me: int | None = None

    def show(
        self, number: int, key: str, markdown: str, head_sha: str | None = None, *, giving_way: bool = False
    ) -> str:
        """Show a comment in place of the earlier one with this key, and return its address.

        Where a newer run has written it, or one about the pull request's head while this run is about another commit,
        it is left as it is. `head_sha` saves the call that finds the head. With `giving_way`, one that another run has
        written about the same commit is left as it is too.

        Raises:
            GitHubTrouble: It is not shown, or that is not known.
        """
        body = self._body(key, markdown)
        earlier = self._marked(number, key)
        if giving_way and earlier and earlier[0].run[0] != self._run[0] and earlier[0].sha == self._sha:
            return earlier[0].url
        if not earlier:
            made = self._create(number, key, body)
            earlier = self._marked(number, key) or [made]  # another run may have been as fast
        first, *twice = earlier
        if any(one.run > self._run for one in earlier) or self._is_behind(number, earlier, head_sha):
            self._drop(one for one in twice if one.run == self._run)
            return first.url
        if first.body != body:
            self._put(first, body)
        self._drop(twice)
        return first.url

    def _body(self, key: str, markdown: str) -> str:
        run, attempt = self._run
        marker = f"<!-- deploygate key={_coded(key)} run={run} attempt={attempt} sha={self._sha} -->\n"
        return marker + cut(markdown, LONGEST - len(marker.encode()), self._run_url)

    def _marked(self, number: int, key: str) -> list[_Marked]:
        """Return all comments of ours with this key, the oldest first."""
        with self._hub.asking(_NEEDS, f"GET /repos/{self._hub.repository}/issues/{number}/comments"):
            found = list(_marked(self._hub.repo.get_issue(number).get_comments()))
        ours = [one for one in found if one.key == _coded(key) and self._wrote(one)]
        return sorted(ours, key=lambda one: one.number)

    def _wrote(self, one: _Marked) -> bool:
        """Tell whether a comment is ours: an app's, or of the person whose token this is. A job's token is an app's."""
        if not one.person:
            return True
        if self._me is None:
            self._me = self._person()
        return one.person == self._me

    def _person(self) -> int:
        try:
            with self._hub.asking("", "GET /user"):
                _, data = self._hub.repo.requester.requestJsonAndCheck("GET", "/user")
                return int(data["id"])
        except GitHubTrouble:  # an app is told nothing there, so the comment is somebody else's
            return 0

    def _create(self, number: int, key: str, body: str) -> _Marked:
        """Add a comment; where it is not known whether it arrived, look for it instead of sending it twice."""
        try:
            with self._hub.asking(_NEEDS, f"POST /repos/{self._hub.repository}/issues/{number}/comments"):
                (made,) = _marked([self._hub.repo.get_issue(number).create_comment(body)])
                return made
        except Unsent:
            arrived = [one for one in self._marked(number, key) if (one.run, one.sha) == (self._run, self._sha)]
            if not arrived:
                raise
            return arrived[-1]

    def _put(self, one: _Marked, body: str) -> None:
        """Write over a comment, and again where an older run that was as fast has written over that.

        GitHub has no way to write only where nothing has changed, so this keeps the last word, not every word.
        """
        for _ in range(_OVER):
            self._edit(one, body)
            try:
                with self._hub.asking(_NEEDS, f"GET /repos/{self._hub.repository}/issues/comments/{one.number}"):
                    now = list(_marked([self._comment(one).complete()]))
            except GitHubTrouble:
                return  # it is written; nobody can tell what became of it
            if not now or now[0].run >= self._run:
                return

    def _edit(self, one: _Marked, body: str) -> None:
        with self._hub.asking(_NEEDS, f"PATCH /repos/{self._hub.repository}/issues/comments/{one.number}"):
            self._comment(one).edit(body)

    def _drop(self, twice: Iterable[_Marked]) -> None:
        """Delete what is there twice; what can't be deleted is folded, and the next run tries again."""
        for one in twice:
            try:
                with self._hub.asking(_NEEDS, f"DELETE /repos/{self._hub.repository}/issues/comments/{one.number}"):
                    self._comment(one).delete()
            except Absent:
                pass  # the run that wrote it was faster
            except GitHubTrouble:
                with suppress(GitHubTrouble):  # what counts is shown
                    self._edit(one, self._body(one.key, "*This comment is there twice: see the one above.*"))

    def _comment(self, one: _Marked) -> IssueComment:
        url = f"/repos/{self._hub.repository}/issues/comments/{one.number}"
        return IssueComment(self._hub.repo.requester, url=url)

    def _is_behind(self, number: int, earlier: Iterable[_Marked], head_sha: str | None) -> bool:
        """Tell whether a comment is about the head of a pull request that is open, and this run is not."""
        about = {one.sha for one in earlier if one.sha and one.sha != self._sha}
        if not about:
            return False
        head = self._head(number) if head_sha is None else head_sha
        return head in about

    def _head(self, number: int) -> str:
        with self._hub.asking("pull-requests: read", f"GET /repos/{self._hub.repository}/pulls/{number}"):
            pull = self._hub.repo.get_pull(number)
            return pull.head.sha if pull.state == "open" else ""


def _coded(key: str) -> str:
    """Return a key as a marker holds it: without a space or `>`, so that it ends where the marker does."""
    return quote(key, safe="/")


def _marked(comments: Iterable[IssueComment]) -> Iterable[_Marked]:
    """Yield the comments that begin with a marker; one whose author is gone, or unknown, is nobody's."""
    for comment in comments:
        found = _MARKER.match(comment.body or "")
        if found and comment.user is not None:
            yield _Marked(
                comment.id,
                comment.html_url,
                comment.body.replace("\r\n", "\n"),
                found[1],
                (int(found[2]), int(found[3])),
                found[4],
                0 if comment.user.type == "Bot" else comment.user.id,
            )
