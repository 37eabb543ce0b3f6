"""The fake GitHub as tests use it: `with FakeGitHub() as hub`, then repositories, tokens and faults."""

import secrets
import time
from collections.abc import Callable, Iterable, Mapping
from types import TracebackType
from typing import Self, Unpack

from deploygate.fake_github.desk import CLOUD, Desk, Received
from deploygate.fake_github.faults import Fault, Options
from deploygate.fake_github.serving import Server
from deploygate.fake_github.state.people import ACTIONS
from deploygate.fake_github.state.repository import Repository
from deploygate.fake_github.state.site import Clock, Site
from deploygate.fake_github.tokens import AREAS, Token, levels

LOOK = 0.05  # seconds from one look of `until` to the next, at most
FUSE = 10.0  # seconds that `until` waits, and that dispatched work has to end at the end


class FakeGitHub:
    """A GitHub on loopback; `server` is "github.com", or "ghes-3.20" for a server of one's own that knows less."""

    def __init__(
        self,
        *,
        server: str = CLOUD,
        host: str = "127.0.0.1",
        port: int = 0,
        limit: int = 5000,
        clock: Clock | None = None,
    ) -> None:
        self._site = Site(clock)
        self._desk = Desk(self._site, server, limit)
        self._server = Server(self._desk, host, port)
        self._site.web = f"http://{host}:{self._server.server_address[1]}"
        self._site.api = self._site.web + self._desk.base

    def __enter__(self) -> Self:
        self._server.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for run in self._desk.runs():
            run.cancelling.set()
        self._site.settle(FUSE)
        self._server.stop()
        if error is None:
            self.check()

    @property
    def url(self) -> str:
        """Where the API is: what GITHUB_API_URL is in a job."""
        return self._site.api

    @property
    def web(self) -> str:
        """Where people look: what GITHUB_SERVER_URL is in a job."""
        return self._site.web

    @property
    def requests(self) -> list[Received]:
        """Everything received, in order."""
        return self._desk.requests

    @property
    def violations(self) -> list[str]:
        """What has broken GitHub's description, in requests or in answers; empty it where that was meant."""
        return self._desk.violations

    def check(self) -> None:
        """Raise where anything has broken the description.

        Raises:
            AssertionError: It has; the message has all of it.
        """
        wrong = [*self._desk.violations, *self._site.broken]
        if wrong:
            raise AssertionError("GitHub's description was broken, or the fake was:\n" + "\n".join(wrong))

    def repository(self, full_name: str, *, private: bool = True, default_branch: str = "main") -> Repository:
        """Return a repository by its name, which is made with a first commit where there is none."""
        with self._site.changed:
            known = self._desk.repositories.get(full_name.lower())
            if known is None:
                known = Repository(self._site, full_name, private=private, default_branch=default_branch)
                known.commit({"README.md": f"# {known.name}\n"}, "Begin")
                self._desk.repositories[full_name.lower()] = known
            return known

    def user(self, login: str) -> str:
        """Let somebody have an account, and return the login; whoever does anything has one."""
        with self._site.changed:
            return self._site.user(login).login

    def team(self, full_name: str, members: Iterable[str] = ()) -> None:
        """Make a team, `acme/ads`, of these people; only a token with `members: read` knows of it."""
        with self._site.changed:
            self._site.team(full_name, members)

    def token(
        self, permissions: Mapping[str, str] | None = None, *, user: str = ACTIONS, repositories: Iterable[str] = ()
    ) -> str:
        """Return a new token, with the permissions that a workflow names, or with all."""
        value = f"fake_{secrets.token_hex(16)}"
        seen = frozenset(one.lower() for one in repositories)
        with self._site.changed:
            self._desk.tokens[value] = Token(value, self._site.user(user), levels(permissions), seen)
        return value

    def fork_token(self) -> str:
        """Return a token as a job has it that a pull request from a fork, or Dependabot, has started: it may read."""
        return self.token(dict.fromkeys(AREAS, "read"))

    def accept(self, value: str, permissions: Mapping[str, str] | None = None, *, user: str = ACTIONS) -> str:
        """Let a token of one's own choice be good, and return it."""
        with self._site.changed:
            self._desk.tokens[value] = Token(value, self._site.user(user), levels(permissions), frozenset())
        return value

    def fault(self, method: str, path: str, **what: Unpack[Options]) -> Fault:
        """Let the next requests of a kind go wrong; see Fault for what there is."""
        made = Fault(method, path, **what)
        with self._site.changed:
            self._desk.faults.append(made)
        return made

    def secondary_limit(self, method: str = "*", path: str = "*", *, retry_after: int = 1, times: int = 1) -> Fault:
        """Let the next requests of a kind meet the secondary rate limit."""
        return self.fault(method, path, status=403, headers={"Retry-After": str(retry_after)}, times=times)

    def until(self, holds: Callable[[], object], within: float = FUSE) -> None:
        """Wait until something holds; it is looked at after every change that was heard of, and now and then.

        Raises:
            TimeoutError: It does not, and the fuse has burnt.
        """
        end = time.monotonic() + within
        with self._site.changed:
            while not holds():
                if time.monotonic() > end:
                    raise TimeoutError(f"it did not come to that within {within:g} s")
                self._site.changed.wait(LOOK)
