"""GitHub's expressions, as far as the workflows here use them: names, texts, comparisons, and, or."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

_WHOLE = re.compile(r"\$\{\{(.*?)\}\}", re.DOTALL)
_TOKEN = re.compile(r"\s*('(?:[^']|'')*'|&&|\|\||==|!=|!|\(|\)|[\w.-]+)")

Contexts = Mapping[str, Mapping[str, Any]]


def filled(text: Any, contexts: Contexts) -> str:
    """Return a value of a workflow with its expressions worked out, as the text that an input becomes."""
    return _WHOLE.sub(lambda found: said(_Expression(found[1], contexts).value()), said(text))


def said(value: Any) -> str:
    """Return a value as GitHub writes it into a text."""
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


class _Expression:
    def __init__(self, text: str, contexts: Contexts) -> None:
        self._tokens = [*self._read(text), ""]
        self._contexts = contexts

    @staticmethod
    def _read(text: str) -> Iterator[str]:
        at, text = 0, text.strip()
        while at < len(text):
            found = _TOKEN.match(text, at)
            assert found, f"this expression is beyond the tests: {text}"
            yield found[1]
            at = found.end()

    def value(self) -> Any:
        value = self._any()
        assert self._tokens == [""], f"more than an expression: {self._tokens}"
        return value

    def _any(self) -> Any:
        value = self._all()
        while self._tokens[0] == "||":
            self._tokens.pop(0)
            other = self._all()
            value = value or other
        return value

    def _all(self) -> Any:
        value = self._compared()
        while self._tokens[0] == "&&":
            self._tokens.pop(0)
            other = self._compared()
            value = value and other
        return value

    def _compared(self) -> Any:
        value = self._one()
        if self._tokens[0] not in {"==", "!="}:
            return value
        same = self._tokens.pop(0) == "=="
        return (value == self._one()) is same

    def _one(self) -> Any:
        token = self._tokens.pop(0)
        if token == "(":
            value = self._any()
            assert self._tokens.pop(0) == ")"
            return value
        if token == "!":
            return not self._one()
        if token.startswith("'"):
            return token[1:-1].replace("''", "'")
        if token in {"true", "false"}:
            return token == "true"
        context, _, name = token.partition(".")
        return self._contexts[context].get(name)
