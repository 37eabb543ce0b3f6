"""What GitHub answers: a status, a body, headers; and how it says no."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer; a body of None is no body at all."""

    status: int
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


class RefusedError(Exception):
    """GitHub says no, with a status and its own words."""

    def __init__(self, status: int, message: str, errors: Sequence[Any] = (), **headers: str) -> None:
        super().__init__(message)
        self.status, self.message, self.errors = status, message, tuple(errors)
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}

    def answer(self, docs: str, *, with_status: bool) -> Answer:
        """Return it as an answer that names the page of the operation's documentation."""
        body: Json = {"message": self.message, "documentation_url": docs}
        if self.errors:
            body["errors"] = list(self.errors)
        if with_status:
            body["status"] = str(self.status)
        return Answer(self.status, body, self.headers)


def absent() -> RefusedError:
    """Return what is said of a thing that is not there, or that the token may not see."""
    return RefusedError(404, "Not Found")


def invalid(resource: str, code: str, field_name: str = "", message: str = "") -> RefusedError:
    """Return what is said of a field that is misused."""
    error = {"resource": resource, "code": code}
    if field_name:
        error["field"] = field_name
    if message:
        error["message"] = message
    return RefusedError(422, "Validation Failed", [error])
