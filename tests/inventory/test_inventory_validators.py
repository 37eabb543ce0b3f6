"""Our quick yes, jsonschema and jsonschema-rs say the same of a document, whether it is valid or broken."""

import copy
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from deploygate.adapters.documents import read_document
from deploygate.adapters.schemas import schema
from deploygate.document import Moment
from deploygate.fits import doubtful, fit

SCHEMA = schema()
PYTHON = Draft202012Validator(SCHEMA)
RUST = jsonschema_rs.Draft202012Validator(SCHEMA)
QUICK = fit(SCHEMA, SCHEMA["$defs"])
EXAMPLES = Path(__file__).parents[1] / "examples" / "inventory"
DATE = {"a date": "which YAML makes of an unquoted one"}  # as JSON has it: nothing that a schema knows


def as_json(value: object) -> Any:
    match value:
        case dict():
            return {key: as_json(one) for key, one in value.items()}
        case list():
            return [as_json(one) for one in value]
        case Moment():
            return DATE
        case _:
            return value


def documents() -> dict[str, Any]:
    read = {one: read_document(one).document for one in sorted(EXAMPLES.glob("*/*.yml"))}
    return {f"{file.parent.name}-{file.stem}": as_json(one.root) for file, one in read.items() if one is not None}


DOCUMENTS = documents()
ODD: st.SearchStrategy[object] = st.sampled_from([
    None, True, 0, 1, -1, 3.0, 1.5, 2**70, "", " ", "1.10", "2s", "0s", "x\n", "é", "\u0660", "http://a", "a" * 200,
    [], {}, ["a", "a"], [1, 1.0], {"a": "b"}, {"": ""}, {"killstart": {}, "plugin": {}},
])  # fmt: skip


@st.composite
def broken(draw: st.DrawFn) -> Any:
    """Give an example with one to three of its values lost, odd or beside a key that nobody knows."""
    document = copy.deepcopy(draw(st.sampled_from(list(DOCUMENTS.values()))))
    for _ in range(draw(st.integers(1, 3))):
        node = document
        while isinstance(node, dict | list) and node:
            key: Any = draw(st.sampled_from(list(node) if isinstance(node, dict) else list(range(len(node)))))
            inner = node[key]
            if isinstance(inner, dict | list) and inner and draw(st.integers(0, 4)):
                node = inner
                continue
            match draw(st.sampled_from(["lost", "odd", "odd", "beside"])):
                case "lost":
                    del node[key]
                case "beside" if isinstance(node, dict):
                    node[draw(st.sampled_from(["unknown", "x y", "systemd", "version"]))] = copy.deepcopy(draw(ODD))
                case _:
                    node[key] = copy.deepcopy(draw(ODD))
            break
    return document


def said(errors: Iterable[Any]) -> list[str]:
    """Return what does not fit and where, in an order to compare."""
    return sorted(f"{list(one.absolute_path)} {one.validator} {list(one.relative_schema_path)}" for one in errors)


@settings(max_examples=500)
@given(broken())
def test_a_broken_document_is_told_from_a_valid_one_by_all_three_alike(document: Any) -> None:
    valid = PYTHON.is_valid(document)
    assert RUST.is_valid(document) == valid
    assert not QUICK(document) or valid


@settings(max_examples=300)
@given(broken())
def test_what_is_left_out_as_surely_fitting_has_no_misfit_in_it(document: Any) -> None:
    assert said(PYTHON.iter_errors(doubtful(document, SCHEMA))) == said(PYTHON.iter_errors(document))


@pytest.mark.parametrize("example", DOCUMENTS)
def test_every_example_is_judged_alike(example: str) -> None:
    document = DOCUMENTS[example]
    valid = PYTHON.is_valid(document)
    assert (RUST.is_valid(document), QUICK(document)) == (valid, valid)
