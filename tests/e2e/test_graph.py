"""The picture of an inventory is drawn by Graphviz, whatever the names in it are."""

import subprocess
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from made import inventory, service

from deploygate.cli.loading import load_inventory
from deploygate.inventory import Inventory
from deploygate.names import ServiceName
from deploygate.report import graph_dot

from .parts import found

TALK = Path(__file__).resolve().parents[2] / "examples" / "talk" / "services.yml"
HOSTILE = 'x"]; <b>&amp;</b> \\N \\"} {| #35; `y` é end'

pytestmark = pytest.mark.needs("dot")


def drawn(of: Inventory) -> list[str]:
    """Return the texts of the picture; a warning of Graphviz fails the test."""
    done = subprocess.run(
        [found("dot"), "-Tsvg"], input=graph_dot(of), capture_output=True, check=True, text=True, timeout=60
    )
    assert done.stderr == ""
    return [one.text or "" for one in ET.fromstring(done.stdout).iter("{http://www.w3.org/2000/svg}text")]


def test_the_talk_s_fleet_is_drawn() -> None:
    loaded = load_inventory(TALK).inventory
    assert loaded is not None
    texts = drawn(loaded)
    assert {"AdCaster 1.2", "ScheduledTaskRunner 3.4", "ad-request 1.2", "ad-serving", "Legend"} <= set(texts)
    assert texts.count("atlas-query 7") == 3


def test_a_hostile_name_is_drawn_to_the_letter() -> None:
    odd = replace(service("Odd", consumes=("moon 1",)), name=ServiceName(HOSTILE))
    assert [text.replace("\xa0", " ") for text in drawn(inventory(odd))].count(f"{HOSTILE} 1.0") == 1
