"""Whatever stands in a file, loading it ends in an inventory or in findings."""

import json
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deploygate.adapters.documents.events import events
from deploygate.cli.loading import load_inventory
from deploygate.findings import errors

EXAMPLES = sorted((Path(__file__).parents[1] / "examples" / "inventory" / "valid").glob("*.yml"))
VALID = [one.read_text(encoding="utf-8") for one in EXAMPLES]
SPAN = st.integers(0, max(map(len, VALID)))
# Ways to deploy and balancers, whole; one key more or less, and an odd value, make other ones of them.
KILLSTART: dict[str, object] = {
    "root": "/srv",
    "grace": "1m",
    "keep": 3,
    "ssh": {"user": "a", "port": 22},
}
DRIVERS: list[dict[str, dict[str, object]]] = [
    {"killstart": KILLSTART | {"start": ["./run"], "stop": "./stop", "pid": ["./pid"], "secrets": ["A"]}},
    {"killstart": KILLSTART | {"systemd": {"unit": "a@{version}.service"}}},
    {"command": {"start": ["a"], "stop": ["a"], "status": ["a"], "prove": "a", "timeout": "9s", "grace": "5s"}},
    {"workflow": {"file": "a.yml", "ref": "main", "inputs": {"a": "1"}, "timeout": "9m", "begin": "1m"}},
    {"plugin": {"name": "a", "settings": {"a": [{"b": 1}]}, "grace": "1m"}},
]
BALANCERS: list[dict[str, dict[str, object]]] = [
    {"haproxy": {"sockets": ["/a", "a:9999"], "backend": "a", "server": "a-{instance}"}},
    {"nginx": {"file": "/a", "upstream": "a", "test": ["a"], "hosts": ["a"], "ssh": {}}},
    {"command": {"drain": ["a"], "restore": ["a"], "timeout": "9s"}},
    {"plugin": {"name": "a", "settings": {"a": [{"b": 1}]}}},
]
ODD: st.SearchStrategy[object] = st.sampled_from([
    None, True, 0, -1, 1.5, 10**30, "", "srv", "9m", "{instance}", "2024-01-02", [], [None], [["a"]], {}, {"a": [{}]},
])  # fmt: skip
WAVES = st.lists(st.sampled_from([1, 2, "25%", "100%"]), max_size=4).map(lambda sizes: [1, *sizes])


@st.composite
def tables(draw: st.DrawFn, whole: list[dict[str, dict[str, object]]]) -> dict[str, object]:
    """Give a driver or a balancer: sound, short of a key, with an odd value, or of two kinds."""
    kinds: dict[str, object] = {}
    for one in draw(
        st.one_of(*[st.sampled_from(whole).map(lambda one: [one])] * 4, st.lists(st.sampled_from(whole), max_size=2))
    ):
        ((kind, table),) = one.items()
        left = dict(table)
        match draw(st.sampled_from(["sound", "sound", "short", "odd"])):
            case "short":
                del left[draw(st.sampled_from(list(left)))]
            case "odd":
                left[draw(st.sampled_from(list(left)))] = draw(ODD)
        kinds[kind] = left
    return kinds


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


@given(st.text())
def test_no_text_makes_loading_crash(text: str) -> None:
    load(text.encode("utf-8", "surrogatepass"))


@given(st.binary())
def test_no_bytes_make_loading_crash(data: bytes) -> None:
    load(data)


@settings(max_examples=300)
@given(valid=st.sampled_from(VALID), start=SPAN, length=st.integers(0, 30), put=PIECES | st.text(max_size=10))
def test_no_edit_of_a_valid_inventory_makes_loading_crash(valid: str, start: int, length: int, put: str) -> None:
    load((valid[:start] + put + valid[start + length :]).encode("utf-8", "surrogatepass"))


@settings(max_examples=300)
@given(
    deploy=tables(DRIVERS),
    balancer=st.builds(
        lambda kinds, beside: kinds | beside,
        tables(BALANCERS),
        st.fixed_dictionaries(
            {}, optional={"drain": st.just("90s"), "environments": st.just(["production", "canary"])}
        ),
    ),
    rollout=st.fixed_dictionaries(
        {}, optional={"waves": st.one_of(WAVES, WAVES, WAVES, ODD), "floor": st.integers(0, 3)}
    ),
    hosts=st.lists(st.sampled_from(["web-1", "web-2", "::1"]), min_size=1, max_size=4),
)
def test_no_way_to_deploy_makes_loading_crash(
    deploy: dict[str, object], balancer: dict[str, object], rollout: dict[str, object], hosts: list[object]
) -> None:
    service = {
        "purpose": "Chooses.",
        "owners": {"ops": "a", "dev": "b", "pm": "c"},
        "version": "2.0",
        "rollout": rollout,
        "deploy": deploy,
        "balancer": balancer,
        "instances": {
            "production": [
                {"name": f"i{number}", "address": f"http://a{number}", "host": host}
                for number, host in enumerate(hosts)
            ]
        },
        "waive": {"no-twin": "A trial."},
    }
    load(json.dumps({"schema": 1, "environments": ["production"], "services": {"Svc": service}}).encode())


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


@pytest.mark.parametrize("valid", VALID, ids=[one.stem for one in EXAMPLES])
def test_both_parsers_give_the_same_events(valid: str) -> None:
    def seen(get: Callable[[], object]) -> list[str]:
        return [repr(event) for event in iter(get, None)]

    assert seen(events(valid, python=True).get_event) == seen(events(valid).get_event)


def test_the_reason_of_a_waiver_is_shown_as_one_line_that_prints() -> None:
    valid = next(one for one in VALID if "Runs once a night" in one)
    load(valid.replace("Runs once a night", "\ud7fcRuns once a night").encode())
