"""Every YAML that the docs show is what it is taken for: an inventory, a part of one, or a workflow."""

import copy
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator
from schema_keys import SCHEMA

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"^```yaml\n(.*?)^```$", re.MULTILINE | re.DOTALL)
WORKFLOW = {"on", True, "jobs", "steps", "uses", "run", "env", "permissions", "with", "concurrency"}
WHOLE = {"required", "oneOf", "minProperties", "dependentRequired"}  # what holds for a whole table only


def relaxed(node: Any) -> Any:
    """Return a schema that parts of a table fit as well."""
    if isinstance(node, dict):
        return {key: relaxed(inner) for key, inner in node.items() if key not in WHOLE or key == "properties"}
    return [relaxed(inner) for inner in node] if isinstance(node, list) else node


RELAXED = relaxed(copy.deepcopy(SCHEMA))


def tables(node: Any) -> Iterator[dict[str, Any]]:
    """Give the schema of each table with keys of its own, and that of the instances by environment."""
    if isinstance(node, dict):
        if isinstance(node.get("properties"), dict) or node.get("title") == "instances":
            yield {**node, "$defs": RELAXED["$defs"]}
        for inner in node.values():
            yield from tables(inner)


TABLES = [Draft202012Validator(one) for one in tables(RELAXED)]


def blocks() -> Iterator[Any]:
    for page in PAGES:
        for number, block in enumerate(BLOCK.findall(page.read_text(encoding="utf-8"))):
            yield pytest.param(block, id=f"{page.relative_to(ROOT)}-{number}")


def is_workflow(shown: Any) -> bool:
    """Tell whether what is shown is a workflow, a job of one, or steps; a step is a table in a list."""
    if isinstance(shown, list):
        return all(isinstance(one, dict) and {"uses", "run"} & one.keys() for one in shown)
    inner = shown.values() if isinstance(shown, dict) else ()
    jobs = any(isinstance(one, dict) and {"runs-on", "steps", "uses"} & one.keys() for one in inner)
    return isinstance(shown, dict) and (jobs or bool(WORKFLOW & shown.keys()))


@pytest.mark.parametrize("block", list(blocks()))
def test_what_is_shown_fits(block: str) -> None:
    shown = yaml.safe_load(block)
    if shown is None:
        assert block.startswith("# yaml-language-server: $schema=")
        return
    if is_workflow(shown):
        return
    value = json.loads(json.dumps(shown))
    if "schema" in value:
        assert Draft202012Validator(SCHEMA).is_valid(value)
    else:
        assert any(one.is_valid(value) for one in TABLES)


@pytest.mark.parametrize(
    "wrong",
    [
        {"rolout": {"bake": "30s"}},
        {"rollout": {"bake": 30}},
        {"deploy": {"killstart": {"root": "/srv", "strat": ["./run"]}}},
        {"services": {"Nightly": {"waive": {"single-instance": True}}}},
    ],
)
def test_what_does_not_fit_is_found(wrong: Any) -> None:
    assert not is_workflow(wrong)
    assert not any(one.is_valid(wrong) for one in TABLES)


def test_the_docs_show_many() -> None:
    assert len(list(blocks())) > 30
