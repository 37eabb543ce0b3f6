"""Whatever stands in a file, loading it ends in an inventory or in findings."""

import json
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from deploygate.adapters.documents.events import events
from deploygate.cli.loading import load_inventory
from deploygate.findings import errors

VALID = (Path(__file__).parents[1] / "examples" / "inventory" / "valid" / "full.yml").read_text(encoding="utf-8")
SPAN = st.integers(0, len(VALID))
PIECES = st.sampled_from(
    ["{", "}", "[", "]", ": ", "- ", "\n", "&a ", "*a", "!!str ", "<<: ", "|\n", "'", '"', "null", "on", "1.10", "0_"],
)


def load(data: bytes) -> None:
    with TemporaryDirectory() as folder:
        file = Path(folder) / "services.yml"
        file.write_bytes(data)
        loaded = load_inventory(file)
    assert (loaded.inventory is None) == bool(errors(loaded.findings))
    assert all(one.says.isprintable() and one.help for one in loaded.findings)


@settings(deadline=None)
@given(st.text())
def test_no_text_makes_loading_crash(text: str) -> None:
    load(text.encode("utf-8", "surrogatepass"))


@settings(deadline=None)
@given(st.binary())
def test_no_bytes_make_loading_crash(data: bytes) -> None:
    load(data)


@settings(deadline=None, max_examples=300)
@given(start=SPAN, length=st.integers(0, 30), put=PIECES | st.text(max_size=10))
def test_no_edit_of_a_valid_inventory_makes_loading_crash(start: int, length: int, put: str) -> None:
    load((VALID[:start] + put + VALID[start + length :]).encode("utf-8", "surrogatepass"))


@settings(deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(
                st.sampled_from(["schema", "environments", "services", "defaults", "chains", "limits", "health"])
                | st.text(),
                inner,
                max_size=5,
            )
        ),
    )
)
def test_no_json_value_makes_loading_crash(value: object) -> None:

    load(json.dumps(value).encode())


def test_both_parsers_give_the_same_events() -> None:
    def seen(get: Callable[[], object]) -> list[str]:
        return [repr(event) for event in iter(get, None)]

    assert seen(events(VALID, python=True).get_event) == seen(events(VALID).get_event)
