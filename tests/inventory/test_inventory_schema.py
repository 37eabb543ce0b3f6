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
from keys import CONTRACT, Keys
from schema_keys import SCHEMA, properties

from deploygate.adapters.documents import read_document
from deploygate.cli.loading import load_inventory
from deploygate.fits import fit
from deploygate.inventory import Inventory

EXAMPLES = Path(__file__).parents[1] / "examples" / "inventory" / "valid"
DOCUMENTS = {
    one.stem: json.loads(json.dumps(getattr(read_document(one).document, "root", None)))
    for one in sorted(EXAMPLES.glob("*.yml"))
}


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


BARE = {
    "purpose": "Chooses.",
    "owners": {"ops": "a", "dev": "b", "pm": "c"},
    "version": "2.0",
    "provides": {"ad-request": [{"version": "1.2"}, {"version": "2.0"}]},
    "deploy": {"killstart": {"root": "/srv", "start": ["./run"], "ssh": {}}},
    "releases": {
        "1.2": {"provides": {"ad-request": [{"version": "1.2"}]}, "rollback": "forbidden", "reason": "It can't."}
    },
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
    if isinstance(value, dict) and "workflow" in value:
        node["version_probe"] = {"identity": {"json": "/boot"}}  # no inventory without it
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


@settings(max_examples=1_000)
@given(st.data())
def test_the_quick_yes_is_never_said_falsely(data: st.DataObject) -> None:
    document = copy.deepcopy(data.draw(st.sampled_from(list(DOCUMENTS.values()))))
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


@pytest.mark.parametrize("example", DOCUMENTS)
def test_the_quick_yes_is_said_of_every_valid_example(example: str) -> None:
    assert fit(SCHEMA, SCHEMA["$defs"])(DOCUMENTS[example])


@pytest.mark.parametrize("example", DOCUMENTS)
def test_every_valid_example_fits_the_schema(example: str) -> None:
    assert Draft202012Validator(SCHEMA).is_valid(DOCUMENTS[example])


ONE_OF = {"type": "object", "oneOf": [{"required": ["a"]}, {"required": ["b"]}], "additionalProperties": True}


@pytest.mark.parametrize("table", [{}, {"a": 1}, {"b": 1}, {"a": 1, "b": 1}, {"c": 1}, {"a": 1, "c": 1}, [], "a", None])
@pytest.mark.parametrize("schema_of_it", [ONE_OF, {"type": "object", "dependentRequired": {"a": ["b", "c"]}}])
def test_the_quick_yes_knows_which_keys_exclude_and_need_each_other(
    schema_of_it: dict[str, Any], table: object
) -> None:
    said = fit(schema_of_it | {"additionalProperties": True}, {})(table)
    assert said == Draft202012Validator(schema_of_it).is_valid(table)


def test_what_the_quick_yes_does_not_know_fits_nothing() -> None:
    assert not fit({"type": "object", "oneOf": [{"minProperties": 1}]}, {})({"a": 1})
    assert not fit({"type": "string", "format": "uri"}, {})("http://a")
