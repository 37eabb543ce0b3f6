"""Faults to inject: answers that GitHub gives on a bad day, slow ones, and connections that are cut."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from http import HTTPStatus
from re import sub
from typing import Any, TypedDict

from deploygate.fake_github.answers import Answer

SECONDARY = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."


class Options(TypedDict, total=False):
    """What a fault may say besides which requests it is for; see Fault."""

    status: int
    body: Any
    headers: Mapping[str, str]
    times: int | None
    skip: int
    delay: float
    cut: bool
    after_handling: bool


@dataclass(slots=True)
class Fault:
    """What happens to the next requests of a kind.

    In `path`, which begins where the API does, a `*` or a name in braces is anything. It is for `times` requests, None
    is all, after as many as `skip` says, which go well. A `delay`, in seconds, is before the request is handled, or
    after it where `after_handling` is set. That also lets GitHub do what it was asked before the answer is replaced by
    another `status`, or the connection is `cut`.
    """

    method: str
    path: str
    status: int | None = None
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    times: int | None = 1
    skip: int = 0
    delay: float = 0.0
    cut: bool = False
    after_handling: bool = False
    met: int = 0

    def meets(self, method: str, path: str) -> bool:
        """Whether it is for this request."""
        if self.times is not None and self.met >= self.times:
            return False
        pattern = sub(r"\{\w+\}", "*", self.path)
        if not (self.method in {"*", method} and fnmatchcase(path, pattern)):
            return False
        self.skip -= 1
        return self.skip < 0

    @property
    def replaces(self) -> bool:
        """Whether the caller hears something else than GitHub's own answer."""
        return self.cut or self.status is not None

    def answer(self, docs: str) -> Answer:
        """Return what the caller hears; without a body it is what GitHub says with that status."""
        status = self.status or 500
        limited = status in {403, 429} and any(name.lower() == "retry-after" for name in self.headers)
        message = SECONDARY if limited else HTTPStatus(status).phrase
        usual = {"message": message, "documentation_url": docs}
        return Answer(status, usual if self.body is None else self.body, self.headers)
