"""The script that makes the extract: what it keeps, closes and leaves out."""

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType

import click
import pytest

TOOL = Path(__file__).parents[2] / "tools" / "github_openapi.py"


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("github_openapi", TOOL)
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = made
    spec.loader.exec_module(made)
    return made


def schema(tool: ModuleType, about: object, **others: object) -> object:
    return tool.Extract({"components": {"schemas": others}}).schema(about)


def test_every_object_is_closed_but_those_that_are_open_on_purpose(tool: ModuleType) -> None:
    inner = {"type": "object", "properties": {"b": {"type": "string"}}}
    about = {"type": "object", "properties": {"a": inner, "c": {"type": "object", "additionalProperties": True}}}
    assert schema(tool, about) == {
        "type": "object",
        "properties": {
            "a": {"type": "object", "properties": {"b": {"type": "string"}}, "additionalProperties": False},
            "c": {"type": "object", "additionalProperties": True},
        },
        "additionalProperties": False,
    }


def test_what_may_be_null_is_said_in_the_types(tool: ModuleType) -> None:
    assert schema(tool, {"type": "string", "nullable": True}) == {"type": ["string", "null"]}
    about = {"type": "string", "enum": ["a"], "nullable": True}
    assert schema(tool, about) == {"type": ["string", "null"], "enum": ["a", None]}
    either = {"oneOf": [{"type": "string"}], "nullable": True}
    assert schema(tool, either) == {"anyOf": [{"anyOf": [{"type": "string"}]}, {"type": "null"}]}


def test_prose_is_left_out_and_properties_with_such_names_are_kept(tool: ModuleType) -> None:
    about = {
        "title": "T",
        "description": "prose",
        "type": "object",
        "properties": {"description": {"type": "string", "example": "x"}, "title": {"type": "string"}},
        "required": ["title"],
    }
    assert schema(tool, about) == {
        "type": "object",
        "properties": {"description": {"type": "string"}, "title": {"type": "string"}},
        "required": ["title"],
        "additionalProperties": False,
    }


def test_a_schema_that_reaches_itself_is_kept_once(tool: ModuleType) -> None:
    node = {"type": "object", "properties": {"next": {"$ref": "#/components/schemas/node"}}}
    extract = tool.Extract({"components": {"schemas": {"node": node}}})
    assert extract.schema({"$ref": "#/components/schemas/node"}) == {"$ref": "#/$defs/node"}
    assert extract.defs["node"]["properties"] == {"next": {"$ref": "#/$defs/node"}}


@pytest.mark.parametrize("about", [{"allOf": []}, {"properties": {}, "oneOf": []}])
def test_what_can_t_be_closed_stops_the_script(tool: ModuleType, about: object) -> None:
    with pytest.raises(click.ClickException, match="can't be closed"):
        schema(tool, about)


def test_the_shipped_extract_is_as_the_script_writes_it(tool: ModuleType) -> None:
    shipped = json.loads(tool.EXTRACT.read_text())
    assert list(shipped["operations"]) == list(tool.OPERATIONS) == sorted(tool.OPERATIONS)
    assert tool.line(shipped) == tool.EXTRACT.read_text()
    assert tool.EXTRACT.stat().st_size < 200_000
