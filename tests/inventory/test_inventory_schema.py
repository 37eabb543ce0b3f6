"""The schema is a good one, explains itself, and is read by the parser to its last key."""

import copy
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from deploygate.adapters.documents import read_document
from deploygate.adapters.schemas import schema
from deploygate.cli.loading import load_inventory
from deploygate.fits import fit
from deploygate.inventory import Inventory

SCHEMA = schema()
FULL = Path(__file__).parents[1] / "examples" / "inventory" / "valid" / "full.yml"
DOCUMENT = json.loads(json.dumps(getattr(read_document(FULL).document, "root", None)))

Keys = tuple[str, ...]


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


def leaves() -> set[Keys]:
    paths = [path for path, _ in properties(SCHEMA)]
    return {one for one in paths if not any(other[: len(one)] == one and other != one for other in paths)}


def test_the_schema_is_valid_2020_12() -> None:
    Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize(("path", "node"), list(properties(SCHEMA)), ids=lambda one: ".".join(one) if one else "")
def test_every_key_has_title_description_and_examples_that_fit(path: Keys, node: dict[str, Any]) -> None:
    assert path
    assert node["title"]
    assert node["description"].endswith(".")
    whole = Draft202012Validator({**node, "$defs": SCHEMA["$defs"]})
    partial = {"services", "chains", "defaults"} & set(path[-1:])
    assert all(partial or whole.is_valid(example) for example in node["examples"])


def test_no_table_takes_unknown_keys() -> None:
    def tables(node: object) -> Iterator[dict[str, Any]]:
        if isinstance(node, dict):
            if node.get("type") == "object":
                yield node
            for inner in node.values():
                yield from tables(inner)

    assert all("additionalProperties" in table for table in tables(SCHEMA))


HEALTH: dict[Keys, tuple[Any, Any]] = {
    ("path",): ({"path": "/a"}, {"path": "/b"}),
    ("convention",): ({"convention": "status"}, {"convention": "actuator"}),
    ("json",): ({"json": "/a", "expect": ["ok"]}, {"json": "/b", "expect": ["ok"]}),
    ("header",): ({"header": "A", "expect": ["ok"]}, {"header": "B", "expect": ["ok"]}),
    ("text",): ({"text": True, "expect": ["ok"]}, {"json": "/a", "expect": ["ok"]}),
    ("regex",): ({"regex": "a", "expect": ["ok"]}, {"regex": "b", "expect": ["ok"]}),
    ("expect",): ({"text": True, "expect": ["ok"]}, {"text": True, "expect": ["ready"]}),
    ("interval",): ({"interval": "1s"}, {"interval": "1500ms"}),
    ("timeout",): ({"timeout": "1s"}, {"timeout": "3s"}),
    ("passes",): ({"passes": 2}, {"passes": 4}),
    ("fails",): ({"fails": 2}, {"fails": 4}),
    ("min_healthy",): ({"min_healthy": "1s"}, {"min_healthy": "3s"}),
    ("deadline",): ({"deadline": "1m"}, {"deadline": "3m"}),
}
VERSION: dict[Keys, tuple[Any, Any]] = {
    ("path",): ({"path": "/a"}, {"path": "/b"}),
    ("convention",): ({"convention": "health+json"}, {"convention": "actuator"}),
    ("json",): ({"json": "/a"}, {"json": "/b"}),
    ("header",): ({"header": "A"}, {"header": "B"}),
    ("text",): ({"text": True}, {"json": "/a"}),
    ("regex",): ({"regex": "a"}, {"regex": "b"}),
    ("identity", "json"): ({"identity": {"json": "/a"}}, {"identity": {"json": "/b"}}),
    ("identity", "header"): ({"identity": {"header": "A"}}, {"identity": {"header": "B"}}),
}
ROLLOUT: dict[Keys, tuple[Any, Any]] = {
    ("bake",): ({"bake": "1s"}, {"bake": "0s"}),
    ("on_failure",): ({"on_failure": "undo"}, {"on_failure": "halt"}),
    ("failure_budget",): ({"failure_budget": 0}, {"failure_budget": 1}),
    ("floor",): ({"floor": 0}, {"floor": 1}),
}
KILLSTART = ("services", "*", "deploy", "killstart")
INSTANCE = ("services", "*", "instances", "*", "*")
CHANGES: dict[Keys, tuple[Any, Any]] = {
    ("environments",): (["parallel-chain", "production"], ["parallel-chain", "staging", "production"]),
    ("limits", "job"): ("3h", "4h"),
    ("services", "*", "purpose"): ("One.", "Another."),
    ("services", "*", "owners", "ops"): ("a", "b"),
    ("services", "*", "owners", "dev"): ("a", "b"),
    ("services", "*", "owners", "pm"): ("a", "b"),
    ("services", "*", "version"): ("1.0", "1.10"),
    ("services", "*", "artifact"): ("a-{version}", "b-{version}"),
    ("services", "*", "provides"): ({"a": "1"}, {"a": ["1", "2"]}),
    ("services", "*", "consumes"): ({"ad-request": "1.2"}, {"ad-request": ["1.2", "2.0"]}),
    ("services", "*", "releases", "*", "provides"): ({"a": "1"}, {"a": "2"}),
    ("services", "*", "releases", "*", "consumes"): ({"a": "1"}, {"a": "2"}),
    ("services", "*", "waive"): ({"job-limit": "This."}, {"job-limit": "That."}),
    (*KILLSTART, "root"): ("/a", "/b"),
    (*KILLSTART, "start"): (["./run"], "./run"),
    (*KILLSTART, "stop"): (["./stop"], "./stop"),
    (*KILLSTART, "grace"): ("1s", "2s"),
    (*KILLSTART, "keep"): (2, 3),
    (*INSTANCE, "name"): ("a", "b"),
    (*INSTANCE, "address"): ("http://a", "http://b"),
    ("chains", "*", "order"): (["AdCaster"], ["Other"]),
    ("chains", "*", "sinks"): (
        {"parallel-chain": "http://a", "production": "http://b"},
        {"parallel-chain": "http://c", "production": "http://b"},
    ),
}
PROBES = (
    (("defaults", "health"), HEALTH),
    (("defaults", "version"), VERSION),
    (("defaults", "rollout"), ROLLOUT),
    (("services", "*", "health"), HEALTH),
    (("services", "*", "version_probe"), VERSION),
    (("services", "*", "rollout"), ROLLOUT),
)
CONTRACT: dict[Keys, tuple[Keys, tuple[Any, Any]]] = {
    **{path: (path, values) for path, values in CHANGES.items()},
    **{(*at, *key): (at, values) for at, table in PROBES for key, values in table.items()},
}
BARE = {
    "purpose": "Chooses.",
    "owners": {"ops": "a", "dev": "b", "pm": "c"},
    "version": "2.0",
    "provides": {"ad-request": ["1.2", "2.0"]},
    "deploy": {"killstart": {"root": "/srv", "start": ["./run"]}},
    "releases": {"1.2": {}},
}


def base() -> dict[str, Any]:
    services = {
        name: {
            **copy.deepcopy(BARE),
            "instances": {
                "parallel-chain": [{"name": "p1", "address": f"http://{name}-p"}],
                "production": [{"name": f"i{n}", "address": f"http://{name}-{n}"} for n in (1, 2)],
            },
        }
        for name in ("AdCaster", "Other")
    }
    sinks = {"parallel-chain": "http://sink-p", "production": "http://sink"}
    return {
        "schema": 1,
        "environments": ["parallel-chain", "production"],
        "services": services,
        "chains": {"ads": {"order": ["AdCaster"], "sinks": sinks}},
    }


def changed(path: Keys, value: object, folder: Path) -> Inventory:
    document = base()
    node: Any = document
    for key in path[:-1]:
        if isinstance(node, list):
            node = node[0]
        elif key == "*":
            node = next(iter(node.values()))
        else:
            node = node.setdefault(key, {})
    node[path[-1]] = value
    file = folder / "services.yml"
    file.write_text(json.dumps(document), encoding="utf-8")
    loaded = load_inventory(file)
    assert loaded.inventory is not None, loaded.findings
    return loaded.inventory


def without_places(inventory: Inventory) -> str:
    return re.sub(r"Where\(.*?\)", "Where()", repr(inventory))


def test_the_contract_covers_every_key_of_the_schema() -> None:
    assert set(CONTRACT) | {("schema",)} == leaves()


@pytest.mark.parametrize("path", CONTRACT, ids=".".join)
def test_every_key_of_the_schema_is_read(path: Keys, tmp_path: Path) -> None:
    at, (one, other) = CONTRACT[path]
    assert without_places(changed(at, one, tmp_path)) != without_places(changed(at, other, tmp_path))


ODD = st.sampled_from([None, True, 0, 1, 3.0, "", " ", "1.10", "2s", "0s", "x\n", [], {}, ["a", "a"], {"a": "b"}])


@settings(deadline=None, max_examples=500)
@given(st.data())
def test_the_quick_yes_is_never_said_falsely(data: st.DataObject) -> None:
    document = copy.deepcopy(DOCUMENT)
    node = document
    while True:
        keys = list(node) if isinstance(node, dict) else list(range(len(node)))
        key = data.draw(st.sampled_from([*keys, "unknown"] if isinstance(node, dict) else keys))
        if key == "unknown" or not isinstance(node[key], dict | list) or not node[key] or data.draw(st.booleans()):
            break
        node = node[key]
    if data.draw(st.booleans()) and key != "unknown":
        del node[key]
    else:
        node[key] = data.draw(ODD)
    if fit(SCHEMA, SCHEMA["$defs"])(document):
        assert Draft202012Validator(SCHEMA).is_valid(document)


def test_the_quick_yes_is_said_at_all() -> None:
    assert fit(SCHEMA, SCHEMA["$defs"])(DOCUMENT)
    assert not fit({"type": "string", "format": "uri"}, {})("http://a")
