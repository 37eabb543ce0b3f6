"""GitHub's own description of its API: which operation a request asks for, and what breaks the description."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from importlib.resources import files
from typing import Any
from urllib.parse import urlsplit

from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import best_match

from deploygate.fake_github.answers import Json
from deploygate.wording import dotted, plain

_FORMATS = FormatChecker(formats=())
_FIELD = re.compile(r"\{(\w+)\}")
_ANY_ERROR: Json = {"anyOf": [{"$ref": "#/$defs/basic-error"}, {"$ref": "#/$defs/validation-error"}]}


@_FORMATS.checks("date-time", raises=ValueError)
def _moment(value: object) -> bool:
    return not isinstance(value, str) or datetime.fromisoformat(value).tzinfo is not None


@_FORMATS.checks("uri", raises=ValueError)
def _address(value: object) -> bool:
    if not isinstance(value, str) or not value:  # "" is what GitHub says where there is none
        return True
    return bool(urlsplit(value).scheme) and not re.search(r'[\s{}<>"]', value)


@dataclass(frozen=True)
class Operation:
    """One operation, by GitHub's name of it."""

    name: str
    about: Json

    @property
    def docs(self) -> str:
        """The page that explains it."""
        return str(self.about["docs"])

    @property
    def method(self) -> str:
        """Its method, in capitals."""
        return str(self.about["method"])

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """What its paths look like: a value ends at the next slash, but for those that may have some, or nothing."""
        many = {one["name"] for one in self.about["parameters"] if one.get("segments")}
        parts = _FIELD.split(self.about["path"])
        made = (
            re.escape(part) if number % 2 == 0 else f"(?P<{part}>{'.*' if part in many else '[^/]+'})"
            for number, part in enumerate(parts)
        )
        return re.compile("".join(made))

    def parameters(self, place: str) -> dict[str, Json]:
        """Return what may stand in the path or in the query, by name."""
        return {one["name"]: one for one in self.about["parameters"] if one["in"] == place}


class Description:
    """The extract that this package ships, and what breaks it."""

    def __init__(self) -> None:
        text = files("deploygate.fake_github").joinpath("openapi.json").read_text(encoding="utf-8")
        document = json.loads(text)
        self.source: Json = document["source"]
        self._defs: Json = document["$defs"]
        self.operations = {name: Operation(name, about) for name, about in document["operations"].items()}
        self._neighbours = [Operation("", {**one, "parameters": []}) for one in document["neighbours"]]
        self._validators: dict[str, Draft202012Validator] = {}

    def find(self, method: str, path: str) -> tuple[Operation, dict[str, str]] | None:
        """Return the operation of a path, and the values in it; the one with the most words of its own is meant.

        None is returned for what is not in the extract, also where a value with slashes could swallow it.
        """
        found = [
            (operation, match.groupdict())
            for operation in (*self.operations.values(), *self._neighbours)
            if operation.method == method and (match := operation.pattern.fullmatch(path))
        ]
        best = max(found, key=lambda one: len(_FIELD.sub("", one[0].about["path"])), default=None)
        return best if best and best[0].name else None

    def misasked(
        self, operation: Operation, values: Mapping[str, str], query: Mapping[str, str], body: Any
    ) -> tuple[str, ...]:
        """Return what a request has that the description does not allow, or lacks that it demands."""
        return (
            *self._misplaced(operation, "path", values),
            *self._misplaced(operation, "query", query),
            *self._misfit_body(operation, body),
        )

    def misanswered(self, operation: Operation, status: int, body: Any) -> tuple[str, ...]:
        """Return what an answer has that the description does not allow, or lacks that it demands."""
        answers = operation.about["answers"]
        if str(status) not in answers and status < 400:
            return (f"the description knows no answer {status}: it has {', '.join(answers)}",)
        schema = answers.get(str(status))
        if schema is not None:
            return tuple(self._misfits(f"{operation.name} {status}", schema, body, "answer"))
        if status < 400:
            return () if body is None else (f"the description knows no body of an answer {status}",)
        if str(status) in answers or not isinstance(body, dict):
            return ()
        return tuple(self._misfits("error", _ANY_ERROR, body, "answer"))

    def _misplaced(self, operation: Operation, place: str, given: Mapping[str, str]) -> Iterator[str]:
        known = operation.parameters(place)
        for name, value in given.items():
            if name not in known:
                yield f"{place}: the description knows no {plain(name)}"
            elif all(
                list(self._misfits(f"{operation.name} {place} {name}", known[name]["schema"], one, name))
                for one in _readings(value)
            ):
                yield f"{place}: {name} can't be {plain(value, 60)}"
        for name, about in known.items():
            if about.get("required") and name not in given:
                yield f"{place}: {name} is missing"

    def _misfit_body(self, operation: Operation, body: Any) -> Iterator[str]:
        schema = operation.about.get("body")
        if schema is None:
            if body not in (None, {}):
                yield "the description knows no body of this request"
        elif body is not None:
            yield from self._misfits(f"{operation.name} body", schema, body, "body")
        elif operation.about["body_required"]:
            yield "the body is missing"

    def _misfits(self, name: str, schema: Json, value: Any, place: str) -> Iterator[str]:
        validator = self._validators.get(name)
        if validator is None:
            whole = schema | {"$defs": self._defs}
            validator = self._validators[name] = Draft202012Validator(whole, format_checker=_FORMATS)
        for error in validator.iter_errors(value):
            worst = best_match([error])
            where = dotted(tuple(worst.absolute_path)) if worst.absolute_path else ""
            yield f"{place}{f'.{where}' if where else ''}: {plain(worst.message, 240)}"


def _readings(value: str) -> Iterator[Any]:
    """Give what the text of a path or a query may mean."""
    yield value
    if re.fullmatch(r"-?\d+", value):
        yield int(value)
    if value in {"true", "false"}:
        yield value == "true"
