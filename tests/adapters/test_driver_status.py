"""What a status program may print is one thing, in its schema and in what reads it."""

import json
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploygate.adapters.hosts.status import LONGEST, read_status
from deploygate.adapters.schemas import DRIVER_STATUS, schema
from deploygate.names import Version
from deploygate.ports import Process

VALIDATOR = jsonschema.Draft202012Validator(schema(DRIVER_STATUS))

WORDS = st.one_of(
    st.text(max_size=10),
    st.sampled_from(
        ["2.0", "2..0", "2.0\n", ".0", "a b", "", "x" * 128, "x" * 129, "x" * 200, "x" * 201, "a\x7f", "\n"]
    ),
)
VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(-2, 2), st.floats(allow_nan=False, allow_infinity=False), WORDS
)
KEYS = ("schema", "alive", "release", "identity", "says", "other")
SOUND = st.fixed_dictionaries(
    {"schema": st.just(1), "alive": st.sampled_from([True, False, None])},
    optional={"release": WORDS | st.none(), "identity": WORDS | st.none(), "says": st.text(), "other": VALUES},
)
STATUSES = SOUND | st.dictionaries(st.sampled_from(KEYS), VALUES) | st.lists(VALUES, max_size=2) | VALUES


def readable(printed: bytes) -> bool:
    try:
        read_status(printed)
    except ValueError:
        return False
    return True


@given(STATUSES)
def test_the_schema_and_the_reader_agree(status: Any) -> None:
    assert readable(json.dumps(status).encode()) == VALIDATOR.is_valid(status)


def test_the_schema_is_one_and_its_examples_fit() -> None:
    whole = schema(DRIVER_STATUS)
    jsonschema.Draft202012Validator.check_schema(whole)
    for example in whole["examples"]:
        VALIDATOR.validate(example)
        assert readable(json.dumps(example).encode())
    for key, about in whole["properties"].items():
        for example in about["examples"]:
            VALIDATOR.validate({"schema": 1, "alive": True} | {key: example})


def test_a_status_becomes_what_the_gate_knows() -> None:
    printed = b'{"schema": 1, "alive": true, "release": "2.0", "identity": "4-1", "says": "up", "since": [1]}'
    assert read_status(printed) == Process(alive=True, release=Version("2.0"), identity="4-1", says="up")


@pytest.mark.parametrize("alive", ["false", "null"])
def test_what_does_not_live_has_no_identity(alive: str) -> None:
    printed = f'{{"schema": 1, "alive": {alive}, "release": "2.0", "identity": "4-1"}}'.encode()
    assert read_status(printed).identity is None


def test_what_a_status_says_is_one_harmless_line() -> None:
    said = read_status(
        json.dumps({"schema": 1, "alive": False, "says": "::error::\n\x1b[1m" + "x" * 999}).encode()
    ).says
    assert said.startswith(": :error:: \\x1b[1mx")
    assert len(said) == 300


@pytest.mark.parametrize(
    "printed", [b"", b" \n", b"\xff\xfe", b"[" * 100, b'{"a":' * 3000 + b"1", b" " * LONGEST + b"{}"]
)
def test_what_is_no_status_tells_nothing(printed: bytes) -> None:
    with pytest.raises(ValueError, match="printed"):
        read_status(printed)


def test_deep_nesting_is_no_status() -> None:
    deep = b'{"schema": 1, "alive": true, "other": ' + b"[" * 7000 + b"]" * 7000 + b"}"
    assert not readable(deep)
