"""No file makes a check hang, or take memory beyond a bound, however it is made to."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deploygate.adapters.documents.files import LARGEST
from deploygate.adapters.documents.loader import MOST_NODES
from deploygate.cli.loading import load_inventory
from deploygate.findings import errors

EXAMPLES = sorted((Path(__file__).parents[1] / "examples" / "inventory").glob("*/*.yml"))
VALID = [one.read_bytes() for one in EXAMPLES]
MEBIBYTES = 1536  # of addresses, the program's own among them
SECONDS = 120  # of CPU, on a busy machine; a check that hangs takes them all
BEGIN = "schema: 1\nenvironments: [production]\n"
ONE = (
    '{purpose: Chooses., owners: {ops: a, dev: b, pm: c}, version: "1", deploy: {plugin: {name: a}}, '
    "instances: {production: [{name: a, address: 'http://a-AT'}, {name: b, address: 'http://b-AT'}]}}"
)
NASTY: dict[str, tuple[Callable[[], str], str]] = {
    "tables": (lambda: f"[{'{},' * MOST_NODES}]", "too-large"),
    "brackets": (lambda: "[" * (LARGEST - 1), "too-deep"),
    "question marks": (lambda: "? " * (LARGEST // 2), "key-not-text"),
    "one long text": (lambda: f"schema: {'x' * (LARGEST - 10)}", "missing-key schema-version"),
    "the same key": (lambda: "a: 1\n" * 1_000_000, "duplicate-key"),
    "unknown keys": (
        lambda: BEGIN + "".join(f"k{at}: 1\n" for at in range(50_000)),
        "missing-key too-many unknown-key",
    ),
    "no services": (
        lambda: f"{BEGIN}services:\n" + "".join(f"  k{at}: 1\n" for at in range(20_000)),
        "too-many wrong-type",
    ),
    "unknown services": (
        lambda: (
            f"{BEGIN}services:\n"
            + "".join(f"  service-{at}: {ONE.replace('AT', str(at))}\n" for at in range(5_000))
            + "chains:\n"
            + "".join(
                f"  c{at}: {{order: [{', '.join(f'servixe-{at}{one}' for one in range(100))}], sinks: {{}}}}\n"
                for at in range(100)
            )
        ),
        "chain-sink chain-source no-twin unknown-service",
    ),
    "many environments": (
        lambda: (
            f"schema: 1\nenvironments: [{', '.join(f'environment-{at}' for at in range(50_000))}, production]\n"
            "services:\n"
            + "".join(f"  s{at}: {ONE.replace('AT', str(at)).replace('production', 'other')}\n" for at in range(2_000))
        ),
        "unknown-environment",
    ),
    "aliases of aliases": (
        lambda: "a0: &a0 [x, x, x, x]\n" + "".join(f"a{at}: &a{at} [{f'*a{at - 1}, ' * 9}]\n" for at in range(1, 30)),
        "alias",
    ),
    "aliases in aliases": (
        lambda: "a0: &a0 x\n" + "".join(f"a{at}: &a{at} {'[' * 30}*a{at - 1}{']' * 30}\n" for at in range(1, 70)),
        "too-deep",
    ),
}


@pytest.mark.parametrize("name", NASTY)
def test_a_nasty_file_is_refused_within_bounds(tmp_path: Path, name: str) -> None:
    made, rules = NASTY[name]
    file = tmp_path / "services.yml"
    file.write_text(made(), encoding="utf-8")
    words = [sys.executable, str(Path(__file__).with_name("bounded.py")), str(MEBIBYTES), str(SECONDS), str(file)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, rules), done.stderr


@pytest.mark.parametrize("name", NASTY)
def test_what_is_nasty_is_no_larger_than_a_file_may_be(name: str) -> None:
    assert len(NASTY[name][0]()) <= LARGEST


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """Give an example after a few edits: bytes taken out, put in, doubled or moved."""
    data = bytearray(draw(st.sampled_from(VALID)))
    for _ in range(draw(st.integers(1, 6))):
        at, length = draw(st.integers(0, len(data))), draw(st.integers(0, 40))
        piece = bytes(data[at : at + length])
        match draw(st.sampled_from(["out", "put", "double", "move", "flip"])):
            case "out":
                del data[at : at + length]
            case "put":
                data[at:at] = draw(st.binary(max_size=8))
            case "double":
                data[at:at] = piece * draw(st.integers(1, 50))
            case "move":
                del data[at : at + length]
                to = draw(st.integers(0, len(data)))
                data[to:to] = piece
            case _ if at < len(data):
                data[at] ^= 1 << draw(st.integers(0, 7))
    return bytes(data)


@settings(max_examples=300)
@given(mutated())
def test_no_bytes_near_an_inventory_make_loading_crash(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    file = tmp_path_factory.getbasetemp() / "mutated.yml"
    file.write_bytes(data)
    loaded = load_inventory(file)
    assert (loaded.inventory is None) == bool(errors(loaded.findings))
    assert all(one.says.isprintable() and one.help for one in loaded.findings)
