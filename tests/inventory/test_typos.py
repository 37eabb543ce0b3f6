"""A misspelt key is found wherever it stands, and the right one is named: all of them, and the famous ones."""

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from keys import Keys
from schema_keys import SCHEMA, properties, resolved

from deploygate.adapters.documents import read_document
from deploygate.cli.loading import load_inventory
from deploygate.findings import Finding

EXAMPLES = Path(__file__).parents[1] / "examples" / "inventory" / "valid"
PATHS = [path for path, _ in properties(SCHEMA)]


def swapped(key: str) -> str:
    """Return a key with two neighbouring letters in the wrong order, or where there is only a pair, with one twice."""
    middle = len(key) // 2
    turned = key[: middle - 1] + key[middle] + key[middle - 1] + key[middle + 1 :]
    return turned if turned != key and len(key) > 3 else key + key[-1]


def holding(path: Keys, key: str) -> dict[str, Any]:
    """Return a document whose only table at `path` has `key`; what it lacks otherwise is told as well."""
    document: dict[str, Any] = {"schema": 1, "environments": ["production"], "services": {}}
    node: Any = document
    for number, part in enumerate(path):
        inner = path[number + 1] if number + 1 < len(path) else key
        made: Any = [] if inner == "*" and is_list(path[: number + 1]) else {}
        if isinstance(node, list):
            node.append(made)
        else:
            node["any" if part == "*" else part] = made
        node = made
    node[key] = "x"
    return document


def is_list(path: Keys) -> bool:
    """Tell whether what stands at a path is a list rather than a table."""
    node = SCHEMA
    for part in path:
        whole = resolved(node)
        if part == "*":
            inner = whole.get("additionalProperties")
            node = inner if isinstance(inner, dict) else whole["items"]
        else:
            node = whole["properties"][part]
    return "items" in resolved(node)


def found(document: dict[str, Any], folder: Path) -> tuple[Finding, ...]:
    file = folder / "services.yml"
    file.write_text(json.dumps(document), encoding="utf-8")
    return load_inventory(file).findings


@pytest.mark.parametrize("path", PATHS, ids=".".join)
def test_a_misspelt_key_is_told_with_the_right_one(path: Keys, tmp_path: Path) -> None:
    wrong = swapped(path[-1])
    told = [one for one in found(holding(path[:-1], wrong), tmp_path) if one.rule == "unknown-key"]
    (one,) = [finding for finding in told if f'"{wrong}"' in finding.says]
    assert one.help == f"Did you mean `{path[-1]}`?"


FAMOUS = (
    ("services.*.owner", "owners"),
    ("services.*.onwers", "owners"),
    ("services.*.provide", "provides"),
    ("services.*.consume", "consumes"),
    ("services.*.dependson", None),
    ("services.*.healthcheck", "health"),
    ("services.*.instance", "instances"),
    ("services.*.versions", "version"),
    ("services.*.waivers", "waive"),
    ("services.*.release", "releases"),
    ("services.*.rollout.on-failure", "on_failure"),
    ("services.*.rollout.failureBudget", "failure_budget"),
    ("services.*.rollout.failure-budget", "failure_budget"),
    ("services.*.health.minHealthy", "min_healthy"),
    ("services.*.health.min-healthy", "min_healthy"),
    ("services.*.health.time_out", "timeout"),
    ("services.*.health.retries", None),
    ("services.*.releases.*.rollbak", "rollback"),
    ("services.*.releases.*.roll_back", "rollback"),
    ("services.*.deploy.kill-start", "killstart"),
    ("services.*.deploy.commands", "command"),
    ("services.*.instances.*.*.adress", "address"),
    ("services.*.instances.*.*.hosts", "host"),
    ("chains.*.sink", "sinks"),
    ("chains.*.sources", "source"),
    ("service", "services"),
    ("environment", "environments"),
    ("default", "defaults"),
    ("poeple", "people"),
)


@pytest.mark.parametrize(("dotted", "meant"), FAMOUS)
def test_famous_typos_are_caught(dotted: str, meant: str | None, tmp_path: Path) -> None:
    *path, wrong = dotted.split(".")
    told = [one for one in found(holding(tuple(path), wrong), tmp_path) if one.rule == "unknown-key"]
    (one,) = [finding for finding in told if f'"{wrong}"' in finding.says]
    assert one.help.startswith(f"Did you mean `{meant}`?" if meant else "The keys that can stand here: ")


def tables(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        yield node
        for inner in node.values():
            yield from tables(inner)
    elif isinstance(node, list):
        for inner in node:
            yield from tables(inner)


@pytest.mark.parametrize("example", ["full", "plug-ins", "fleet-over-ssh"])
def test_a_typo_in_a_whole_inventory_is_never_passed_over(example: str, tmp_path: Path) -> None:
    keys = {path[-1] for path in PATHS}
    read = read_document(EXAMPLES / f"{example}.yml").document
    assert read is not None
    whole = json.loads(json.dumps(read.root))
    number = 0
    while True:
        document = copy.deepcopy(whole)
        places = [(table, key) for table in tables(document) for key in table if key in keys]
        if number == len(places):
            break
        table, key = places[number]
        table[swapped(key)] = table.pop(key)
        assert found(document, tmp_path), key
        number += 1
