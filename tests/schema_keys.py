"""The keys of the inventory's schema, each with its path and what the schema says of it."""

from collections.abc import Iterator
from typing import Any

from keys import Keys

from deploygate.adapters.schemas import schema

SCHEMA = schema()


def resolved(node: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in node:
        return node
    return {**SCHEMA["$defs"][node["$ref"].removeprefix("#/$defs/")], **node}


def properties(node: dict[str, Any], path: Keys = ()) -> Iterator[tuple[Keys, dict[str, Any]]]:
    whole = resolved(node)
    for key, inner in whole.get("properties", {}).items():
        yield (*path, key), resolved(inner)
        yield from properties(inner, (*path, key))
    if isinstance(whole.get("additionalProperties"), dict):
        yield from properties(whole["additionalProperties"], (*path, "*"))
    if "items" in whole:
        yield from properties(whole["items"], (*path, "*"))
