"""A quick yes to whether a value fits a JSON Schema; a no may be wrong, and is jsonschema's to explain.

A valid inventory then needs no jsonschema at all, whose import and walk cost more than all the rest of reading.
"""

import re
from collections.abc import Callable, Mapping
from itertools import islice
from typing import Any

Fit = Callable[[Any], bool]

_NOTES = frozenset({"$schema", "$id", "$defs", "title", "description", "examples"})
_TABLE = frozenset({"properties", "additionalProperties", "propertyNames", "required"})
_CLASSES = {"string": str, "array": list, "object": dict, "integer": int}
_Schema = Mapping[str, Any]


def fit(schema: _Schema, defs: _Schema) -> Fit:
    """Return a function that says yes only to values that fit; a keyword that is not known here fits nothing."""
    tests = [_KEYWORDS.get(key, _never)(schema, defs) for key in schema if key not in _NOTES | _TABLE]
    if schema.keys() & _TABLE:
        tests.append(_table(schema, defs))

    def fits(value: Any) -> bool:
        for test in tests:  # noqa: SIM110 - a generator takes twice as long, a million times over
            if not test(value):
                return False
        return True

    return tests[0] if len(tests) == 1 else fits


def doubtful(root: Any, schema: _Schema) -> Any:
    """Return the root of a document without the entries of its tables that surely fit, but one of each."""
    if not isinstance(root, dict):
        return root
    kept = dict(root)
    for part, about in schema.get("properties", {}).items():
        if isinstance(root.get(part), dict) and isinstance(about.get("additionalProperties"), dict):
            fits = fit(about, schema.get("$defs", {}))
            entries = {key: value for key, value in root[part].items() if not fits({key: value})}
            kept[part] = entries or dict(islice(root[part].items(), 1))
    return kept


def _never(_schema: _Schema, _defs: _Schema) -> Fit:
    return lambda _value: False


def _reference(schema: _Schema, defs: _Schema) -> Fit:
    return fit(defs[schema["$ref"].removeprefix("#/$defs/")], defs)


def _type(schema: _Schema, _defs: _Schema) -> Fit:
    named = schema["type"]
    classes = tuple(_CLASSES[one] for one in ([named] if isinstance(named, str) else named))
    return lambda value: isinstance(value, classes) and not isinstance(value, bool)


def _pattern(schema: _Schema, _defs: _Schema) -> Fit:
    search = re.compile(schema["pattern"]).search
    return lambda value: not isinstance(value, str) or search(value) is not None


def _const(schema: _Schema, _defs: _Schema) -> Fit:
    wanted = schema["const"]
    return lambda value: type(value) is type(wanted) and value == wanted


def _enum(schema: _Schema, _defs: _Schema) -> Fit:
    wanted = schema["enum"]
    return lambda value: isinstance(value, str) and value in wanted


def _minimum(schema: _Schema, _defs: _Schema) -> Fit:
    least = schema["minimum"]
    return lambda value: not isinstance(value, int) or value >= least


def _maximum(schema: _Schema, _defs: _Schema) -> Fit:
    most = schema["maximum"]
    return lambda value: not isinstance(value, int) or value <= most


def _at_least(kind: type[list[Any] | dict[str, Any]], keyword: str) -> Callable[[_Schema, _Schema], Fit]:
    return lambda schema, _defs: lambda value: not isinstance(value, kind) or len(value) >= schema[keyword]


def _at_most(kind: type[list[Any] | dict[str, Any]], keyword: str) -> Callable[[_Schema, _Schema], Fit]:
    return lambda schema, _defs: lambda value: not isinstance(value, kind) or len(value) <= schema[keyword]


def _unique(_schema: _Schema, _defs: _Schema) -> Fit:
    def fits(value: Any) -> bool:
        if not isinstance(value, list):
            return True
        kept = [one if isinstance(one, str) else _hashable(one) for one in value]
        return None not in kept and len(set(kept)) == len(kept)

    return fits


def _hashable(one: Any) -> frozenset[tuple[str, str]] | None:
    """Return a table of texts as a value that can be told from others; None for whatever else."""
    texts = isinstance(one, dict) and all(isinstance(inner, str) for inner in one.values())
    return frozenset(one.items()) if texts else None


def _one_of(schema: _Schema, _defs: _Schema) -> Fit:
    if any(choice.keys() != {"required"} for choice in schema["oneOf"]):
        return lambda _value: False
    choices = [frozenset(choice["required"]) for choice in schema["oneOf"]]
    return lambda value: not isinstance(value, dict) or sum(one <= value.keys() for one in choices) == 1


def _dependent(schema: _Schema, _defs: _Schema) -> Fit:
    needed = {key: frozenset(others) for key, others in schema["dependentRequired"].items()}
    return lambda value: (
        not isinstance(value, dict) or all(others <= value.keys() for key, others in needed.items() if key in value)
    )


def _items(schema: _Schema, defs: _Schema) -> Fit:
    each = fit(schema["items"], defs)
    return lambda value: not isinstance(value, list) or all(map(each, value))


def _table(schema: _Schema, defs: _Schema) -> Fit:
    known = {key: fit(one, defs) for key, one in schema.get("properties", {}).items()}
    other = schema.get("additionalProperties", False)
    rest = fit(other, defs) if isinstance(other, dict) else lambda _value: other is True
    names = fit(schema["propertyNames"], defs) if "propertyNames" in schema else None
    required = frozenset(schema.get("required", ()))

    def fits(value: Any) -> bool:
        if not isinstance(value, dict):
            return True
        if not required <= value.keys() or not (names is None or all(map(names, value))):
            return False
        for key, one in value.items():  # noqa: SIM110 - as above
            if not known.get(key, rest)(one):
                return False
        return True

    return fits


_KEYWORDS: dict[str, Callable[[_Schema, _Schema], Fit]] = {
    "$ref": _reference,
    "type": _type,
    "pattern": _pattern,
    "const": _const,
    "enum": _enum,
    "minimum": _minimum,
    "maximum": _maximum,
    "minItems": _at_least(list, "minItems"),
    "minProperties": _at_least(dict, "minProperties"),
    "maxItems": _at_most(list, "maxItems"),
    "maxProperties": _at_most(dict, "maxProperties"),
    "uniqueItems": _unique,
    "items": _items,
    "oneOf": _one_of,
    "dependentRequired": _dependent,
}
