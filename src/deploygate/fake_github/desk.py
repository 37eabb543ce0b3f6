"""What happens to one request: it is held to the description, to the faults, to its token, and so is the answer."""

import json
import traceback
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from deploygate.fake_github.answers import Answer, RefusedError, absent
from deploygate.fake_github.call import Call, SiteCall
from deploygate.fake_github.description import Description, Operation
from deploygate.fake_github.endpoints import OPERATIONS, PEOPLE
from deploygate.fake_github.faults import Fault
from deploygate.fake_github.shown.people import private_user
from deploygate.fake_github.state.repository import Repository
from deploygate.fake_github.state.site import Site
from deploygate.fake_github.state.workflows import Run
from deploygate.fake_github.tokens import Token, areas, hold

VERSION = "X-Github-Api-Version"  # as `receive` is given it
CLOUD = "github.com"
HOME = "https://docs.github.com/rest"


@dataclass(slots=True)
class Received:
    """A request as it came; `status` is what was answered, None where the connection was cut or nothing yet."""

    method: str
    target: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    text: str
    body: Any = None
    operation: str = ""
    user: str = ""
    status: int | None = None


class Desk:
    """Everything that one fake GitHub knows, and how it answers; `handle` is called by one thread at a time."""

    def __init__(self, site: Site, server: str, limit: int) -> None:
        self.site, self.server, self.limit = site, server, limit
        self.description = Description()
        self.tokens: dict[str, Token] = {}
        self.repositories: dict[str, Repository] = {}
        self.faults: list[Fault] = []
        self.requests: list[Received] = []
        self.violations: list[str] = []
        self._used: Counter[str] = Counter()

    @property
    def base(self) -> str:
        """Where the API begins: at the root, or below a path on a server of one's own."""
        return "" if self.server == CLOUD else "/api/v3"

    def runs(self) -> Iterator[Run]:
        """Give the runs of all repositories."""
        for repo in self.repositories.values():
            yield from repo.runs.values()

    def receive(self, method: str, target: str, headers: Mapping[str, str], text: str) -> Received:
        """Note a request, with everything but its token."""
        url = urlsplit(target)
        kept = {name: "***" if name == "Authorization" else value for name, value in headers.items()}
        made = Received(method, target, url.path, dict(parse_qsl(url.query, keep_blank_values=True)), kept, text)
        self.requests.append(made)
        return made

    def fault(self, received: Received) -> Fault | None:
        """Return the fault that a request meets, which is used up by that."""
        path = received.path.removeprefix(self.base)
        met = next((one for one in self.faults if one.meets(received.method, path)), None)
        if met is not None:
            met.met += 1
        return met

    def faulty(self, received: Received, fault: Fault) -> Answer:
        """Return the answer that a fault gives, held to the description where that knows it."""
        found = self.description.find(received.method, received.path.removeprefix(self.base))
        answer = fault.answer(found[0].docs if found else HOME)
        if found:
            self._judge(received, self.description.misanswered(found[0], answer.status, answer.body), "injected")
        return answer

    def handle(self, received: Received, headers: Mapping[str, str]) -> Answer:
        """Answer a request."""
        found = self.description.find(received.method, received.path.removeprefix(self.base))
        if found is None or not received.path.startswith(self.base):
            self._judge(received, ("no operation of the extract is there",), "asked")
            return Answer(404, {"message": "fake GitHub: no operation is there", "documentation_url": HOME})
        operation, values = found[0], {name: unquote(value) for name, value in found[1].items()}
        received.operation = operation.name
        try:
            answer = self._answered(received, operation, values, headers)
        except RefusedError as refusal:
            answer = refusal.answer(operation.docs, with_status=True)
            if self.description.misanswered(operation, answer.status, answer.body):
                answer = refusal.answer(operation.docs, with_status=False)  # some errors have none in the description
        except Exception:  # noqa: BLE001 - a defect of the fake is a violation with its trace, and never a silent 500
            self._judge(received, (traceback.format_exc(),), "broke")
            return Answer(500, {"message": "fake GitHub: it broke", "documentation_url": HOME})
        wrong = self.description.misanswered(operation, answer.status, answer.body)
        if wrong:
            self._judge(received, wrong, "answered")
            return Answer(500, {"message": f"fake GitHub: {wrong[0]}", "documentation_url": HOME})
        return answer

    def budget(self, headers: Mapping[str, str]) -> dict[str, str]:
        """Return what every answer says of the caller's rate limit."""
        about = self._rate(_bearer(headers))
        return {f"X-RateLimit-{name.title()}": str(value) for name, value in about.items()} | {
            "X-RateLimit-Resource": "core"
        }

    def _answered(
        self, received: Received, operation: Operation, values: dict[str, str], headers: Mapping[str, str]
    ) -> Answer:
        try:
            received.body = json.loads(received.text or "null")
        except ValueError:
            self._judge(received, ("the body is no JSON",), "asked")
            raise RefusedError(400, "Problems parsing JSON") from None
        wrong = self.description.misasked(operation, values, received.query, received.body)
        self._judge(received, wrong, "asked")
        bearer = _bearer(headers)
        token = self.tokens.get(bearer)
        if bearer and token is None:
            raise RefusedError(401, "Bad credentials")
        received.user = token.user.login if token else ""
        self._versions(received, headers)
        if operation.name == "rate-limit/get":
            rate = self._rate(bearer)
            return Answer(200, {"resources": {"core": rate, "search": rate}, "rate": rate})
        self._count(bearer)
        if operation.name == "users/get-authenticated":
            return self._me(token)
        if operation.name in PEOPLE:
            return self._about_people(token, received, operation, values)
        repo = self._visible(token, values, operation)
        if wrong:
            raise RefusedError(422, f"Invalid request.\n\n{wrong[0]}")
        url = self._url(received)
        user = token.user if token else self.site.user("ghost")
        call = Call(url, values, received.query, received.body or {}, user, repo, self.server)
        return OPERATIONS[operation.name](call)

    def _visible(self, token: Token | None, values: Mapping[str, str], operation: Operation) -> Repository:
        """Return the repository, if the token may do that there; without one, what is public may be read."""
        name = f"{values['owner']}/{values['repo']}".lower()
        repo = self.repositories.get(name)
        reads = operation.method == "GET"
        if repo is None or (repo.private and (token is None or not token.sees(name))):
            raise absent()
        if token is None and not reads:
            raise RefusedError(401, "Requires authentication")
        if token is not None and (repo.private or not reads):
            hold(token if token.sees(name) else _stranger(token), operation.name, operation.method)
        return repo

    def _about_people(
        self, token: Token | None, received: Received, operation: Operation, values: dict[str, str]
    ) -> Answer:
        if token is not None:
            hold(token, operation.name, operation.method)
        elif areas(operation.name):
            raise RefusedError(401, "Requires authentication")
        return PEOPLE[operation.name](SiteCall(self._url(received), values, received.query, self.site))

    def _url(self, received: Received) -> str:
        return f"{self.site.api}{received.path.removeprefix(self.base)}"

    def _me(self, token: Token | None) -> Answer:
        if token is None:
            raise RefusedError(401, "Requires authentication")
        if token.user.kind == "Bot":
            raise RefusedError(403, "Resource not accessible by integration")
        return Answer(200, private_user(self.site, token.user))

    def _versions(self, received: Received, headers: Mapping[str, str]) -> None:
        """Refuse a version of the API that the extract does not describe."""
        known = self.description.source["api_version"]
        asked = headers.get(VERSION, known)
        if asked == known:
            return
        if self.server == CLOUD:
            self._judge(received, (f"{VERSION} is {asked}, and the extract describes {known}",), "asked")
        raise RefusedError(400, f"The version {asked} of the API is not supported.")

    def _count(self, bearer: str) -> None:
        if self._used[bearer] >= self.limit:
            raise RefusedError(403, "API rate limit exceeded for installation.")
        self._used[bearer] += 1

    def _rate(self, bearer: str) -> dict[str, int]:
        used, now = self._used[bearer], self.site.now()
        reset = (now + timedelta(hours=1)).replace(minute=0, second=0)
        return {
            "limit": self.limit,
            "remaining": max(self.limit - used, 0),
            "used": used,
            "reset": int(reset.timestamp()),
        }

    def _judge(self, received: Received, wrong: tuple[str, ...], what: str) -> None:
        self.violations += (f"{received.method} {received.path} {what}: {one}" for one in wrong)


def _stranger(token: Token) -> Token:
    return Token(token.value, token.user, {}, token.repositories)


def _bearer(headers: Mapping[str, str]) -> str:
    kind, _, value = headers.get("Authorization", "").partition(" ")
    return value.strip() if kind.lower() in {"bearer", "token"} else ""
