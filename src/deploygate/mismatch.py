"""What a mismatch between a value and its schema is called, in sentences for people."""

from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from deploygate.document import Document, Moment, Path, Row, Table
from deploygate.findings import Finding, Where
from deploygate.wording import dotted, plain, quoted

_OWNERS = "Every service is answered for by three people: `owners: {ops: ..., dev: ..., pm: ...}`."
_PURPOSE = "Say in a sentence what the service is for; if that is hard, the service will be hard to change."
_NAMED = {
    "owners": ("three-owners", _OWNERS),
    "ops": ("three-owners", _OWNERS),
    "dev": ("three-owners", _OWNERS),
    "pm": ("three-owners", _OWNERS),
    "purpose": ("no-purpose", _PURPOSE),
}
_RULE_OF_TITLE = {
    "name": "bad-name",
    "version": "bad-version",
    "interface version": "bad-version",
    "duration": "bad-duration",
    "duration above zero": "bad-duration",
    "address": "bad-address",
    "login or team": "bad-login",
    "schema version": "schema-version",
}
_RULE_OF_CHOICE = {"deploy": "one-driver", "balancer": "one-balancer", "kill and start": "one-start"}
_TYPES = {"string": "text", "array": "a list", "object": "a table", "integer": "a whole number"}


@dataclass(frozen=True, slots=True)
class Mismatch:
    """What jsonschema found: which keyword of which schema the value at `path` does not keep.

    Where the `value` is itself a key, `path` is that of its table.
    """

    path: Path
    keyword: str
    wants: Any
    value: Any
    schema: dict[str, Any]
    is_key: bool

    @property
    def title(self) -> str:
        """What the schema calls a value that fits."""
        return str(self.schema.get("title", "value that fits"))

    @property
    def advice(self) -> str:
        """What the schema says of a value that fits, with an example."""
        about = str(self.schema.get("description", "Its schema says what fits."))
        example = next((one for one in self.schema.get("examples", ()) if type(one) in {str, int}), None)
        if example is None:
            return about
        return f"{about} For example {quoted(example) if isinstance(example, str) else example}."


def _kinds(types: str | list[str]) -> tuple[str, ...]:
    return (types,) if isinstance(types, str) else tuple(types)


def missing(document: Document, error: Mismatch, key: str, *, by: str = "") -> Finding:
    """Say that a key is missing, and `by` which other one; its table's key is the place."""
    about = error.schema.get("properties", {}).get(key, {})
    rule, advice = _NAMED.get(key, ("missing-key", about.get("description", "Add it.")))
    says = f"{dotted((*error.path, key))} is missing"
    if by:
        says, advice = f"{says}, and {by} makes no sense without it", f"Add it, or take `{by}` out. {advice}"
    return Finding(rule, document.key(*error.path), says, advice)


def one_key(document: Document, error: Mismatch) -> Finding:
    """Say that none, or more than one, of some keys is there, where there must be exactly one."""
    path, rule = error.path, _RULE_OF_CHOICE[error.title]
    choices = [str(key) for choice in error.wants for key in choice["required"]]
    given = [key for key in error.value if key in choices]
    if given:
        says = f"{dotted(path)} has {' and '.join(given)}, and must have one of them"
        return Finding(rule, document.key(*path, given[1]), says, "Keep the one that is meant, and take the rest out.")
    if rule == "one-start":
        return missing(document, error, "start")
    return Finding(rule, document.key(*path), f"{dotted(path)} has none of {', '.join(choices)}", error.advice)


def wrong_type(document: Document, error: Mismatch) -> Finding:
    """Say that a value is of another kind; where quotes are all that is missing, say that."""
    path, value, wanted = error.path, error.value, _kinds(error.wants)
    written = document.written(path)
    if isinstance(value, int | float) and _RULE_OF_TITLE.get(error.title) == "bad-duration":
        return Finding(
            "bad-duration",
            document.value(*path),
            f"{dotted(path)}: {plain(str(written))} has no unit",
            error.advice,
        )
    if written and "string" in wanted:
        return _unquoted(document, path, value, written)
    where = document.key(*path) if isinstance(value, Table | Row) else document.value(*path)
    must = " or ".join(_TYPES[one] for one in wanted)
    named = _NAMED.get(str(path[-1])) if path and value is None else None
    rule, advice = named or ("wrong-type", f"Write {must} here.")
    return Finding(rule, where, f"{dotted(path)} must be {must}, and is {_made(value)}", advice)


def _unquoted(document: Document, path: Path, value: object, written: str) -> Finding:
    return Finding(
        "unquoted",
        document.value(*path),
        f"{dotted(path)} must be text, and YAML reads the unquoted {plain(written)} as {_read_as(value)}",
        f"Write {quoted(written)} in quotes.",
    )


def _read_as(value: object) -> str:
    return "nothing" if value is None else _made(value)


def _made(value: object) -> str:
    match value:
        case None:
            return "empty"
        case bool():
            return "true" if value else "false"
        case int() | float():
            return f"the number {plain(str(value))}"
        case Moment():
            return "a date"
        case Table():
            return "a table"
        case Row():
            return "a list"
        case _:
            return f"the text {quoted(str(value))}"


def one_of(document: Document, error: Mismatch) -> Finding:
    """Say which values there are to choose from."""
    path = error.path
    wanted = error.wants if error.keyword == "enum" else [error.wants]
    written = document.written(path)
    if written and isinstance(wanted[0], str):
        return _unquoted(document, path, error.value, written)
    choices = ", ".join(str(one).lower() if isinstance(one, bool) else str(one) for one in wanted)
    words = [one for one in wanted if isinstance(one, str)]
    near = get_close_matches(error.value, words, n=1) if isinstance(error.value, str) else []
    rule = _RULE_OF_TITLE.get(error.title, "bad-value")
    return Finding(
        rule,
        document.value(*path),
        f"{dotted(path)} is {_made(error.value)}, and can be: {choices}",
        f"Did you mean `{near[0]}`?" if near else error.advice,
    )


def malformed(error: Mismatch, where: Where, subject: str) -> Finding:
    """Say that a text is not of the form that its key wants."""
    title = error.title
    last = error.path[-1] if error.path else ""
    if title in {"person or team", "sentence"} and last in _NAMED and not error.value.strip():
        rule, advice = _NAMED[str(last)]
        return Finding(rule, where, f"{subject} is blank", advice)
    article = "an" if title[0] in "aeiou" else "a"
    return Finding(
        _RULE_OF_TITLE.get(title, "bad-value"),
        where,
        f"{subject}: {quoted(_without_user(error.value))} is not {article} {title}",
        error.advice,
    )


def _without_user(text: str) -> str:
    """Return a text without what may be a user's name and password in an address."""
    scheme, slashes, rest = text.partition("://")
    return f"{scheme}://***@{rest.rpartition('@')[2]}" if slashes and "@" in rest else text


def out_of_bounds(document: Document, error: Mismatch) -> Finding:
    """Say that there is too little, too much, or the same thing twice."""
    limit = error.wants
    match error.keyword:
        case "minimum":
            says = f"is {plain(str(error.value))}, and must be at least {limit}"
        case "maximum":
            says = f"is {plain(str(error.value))}, and must be at most {limit}"
        case "uniqueItems":
            says = "names the same thing twice"
        case "minItems" | "minProperties":
            says = f"must have at least {limit} in it"
        case "maxItems" | "maxProperties":
            says = f"must have at most {limit} in it"
        case _:
            says = "does not fit"
    return Finding("bad-value", document.key(*error.path), f"{dotted(error.path)} {says}", error.advice)
