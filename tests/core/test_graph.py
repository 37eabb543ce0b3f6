"""The picture of an inventory: who consumes what of whom, what fails, and that names are data in both languages."""

import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made import inventory, release, service

from deploygate.graph import graph
from deploygate.interfaces import Running
from deploygate.inventory import Chain, Inventory
from deploygate.names import PARALLEL_CHAIN, PRODUCTION, ServiceName, Version
from deploygate.report import graph_dot, graph_markdown, graph_mermaid

CASTER = service(
    "Caster",
    provides=("ads 1", "ads 2"),
    consumes=("ids 1", "rows 7"),
    wanted=Version("2.0"),
    releases=(release("1.0", provides=("ads 1",), consumes=("rows 6",)),),
)
SPREADER = service("Spreader", consumes=("ads 2",))
BROKER = service("Broker", provides=("ids 1",), consumes=("rows 7",))
STORE = service("Store", provides=("rows 7",))
CHAIN = Chain(
    "serving",
    (SPREADER.name, CASTER.name, BROKER.name, STORE.name),
    {PARALLEL_CHAIN: "http://127.0.0.1:9", PRODUCTION: "http://127.0.0.1:8"},
)
WHOLE = replace(inventory(SPREADER, CASTER, BROKER, STORE), chains=(CHAIN,))


def links(of: Inventory, *seen: Running) -> list[tuple[str, str | None, str, bool]]:
    return [
        (one.consumer, one.provider, ", ".join(map(str, one.interfaces)), one.failing)
        for one in graph(of, None, seen or None).links
    ]


def running(**versions: str) -> Running:
    told = {
        ServiceName(name): frozenset(map(Version, text.split(",") if text else ())) for name, text in versions.items()
    }
    return Running(PRODUCTION, told)


def test_an_arrow_goes_from_who_consumes_to_who_provides() -> None:
    assert links(WHOLE) == [
        ("Spreader", "Caster", "ads 2", False),
        ("Caster", "Broker", "ids 1", False),
        ("Caster", "Store", "rows 7", False),
        ("Broker", "Store", "rows 7", False),
    ]


def test_a_chain_goes_along_the_arrows_it_has_and_is_drawn_where_it_has_none() -> None:
    assert [one.chains for one in graph(WHOLE).links] == [("serving",), ("serving",), (), ("serving",)]
    apart = replace(WHOLE, chains=(replace(CHAIN, order=(BROKER.name, SPREADER.name)),))
    assert (BROKER.name, SPREADER.name, "", False) in links(apart)
    assert graph(apart).links[-1].chains == ("serving",)


def test_a_chain_ends_in_its_sinks_and_the_copy_s_is_harmless() -> None:
    assert [(one.after, one.sink, one.harmless) for one in graph(WHOLE).ends] == [
        ("Store", "http://127.0.0.1:9", True),
        ("Store", "http://127.0.0.1:8", False),
    ]


def test_a_chain_begins_at_its_source_where_it_has_one() -> None:
    fed = replace(WHOLE, chains=(replace(CHAIN, source="http://127.0.0.1:7"),))
    assert [(one.before, one.source) for one in graph(fed).beginnings] == [("Spreader", "http://127.0.0.1:7")]
    assert 'a0 == "serving" ==> n0' in graph_mermaid(fed)
    assert graph(fed, STORE.name).beginnings == graph(WHOLE).beginnings == ()


def test_an_interface_that_nobody_provides_at_that_version_fails_towards_who_provides_others() -> None:
    old = replace(WHOLE, services={**WHOLE.services, CASTER.name: replace(CASTER, wanted=Version("1.0"))})
    assert ("Spreader", "Caster", "ads 2", True) in links(old)
    lost = service("Lost", consumes=("moon 1", "rows 7"))
    assert links(inventory(lost, STORE)) == [("Lost", "Store", "rows 7", False), ("Lost", None, "moon 1", True)]


def test_what_comes_from_outside_as_waived_does_not_fail() -> None:
    lost = service("Lost", consumes=("moon 1",), waive={"unprovided": "The moon is not ours."})
    (link,) = graph(inventory(lost)).links
    assert (link.provider, link.failing, link.outside) == (None, False, True)
    assert '-. "moon 1" .-> x0' in graph_mermaid(inventory(lost))


def test_what_runs_in_the_middle_of_a_roll_fails_where_it_does_not_fit() -> None:
    mixed = running(Spreader="1.0", Caster="1.0,2.0", Broker="1.0", Store="1.0")
    assert [one for one in links(WHOLE, mixed) if one[3]] == [
        ("Spreader", "Caster", "ads 2", True),
        ("Caster", "Store", "rows 6", True),
    ]


def test_a_service_fails_that_does_not_answer_or_runs_another_version_than_wanted() -> None:
    told = graph(WHOLE, None, (running(Spreader="1.0", Caster="2.0", Broker="", Store="1.0,1.1"),))
    assert [(one.service.name, one.seen, one.failing) for one in told.nodes] == [
        ("Spreader", ("production: 1.0",), False),
        ("Caster", ("production: 2.0",), False),
        ("Broker", ("production: no answer",), True),
        ("Store", ("production: 1.0, 1.1",), True),
    ]


def test_one_instance_that_does_not_answer_is_shown() -> None:
    some = Running(PRODUCTION, {STORE.name: frozenset({Version("1.0")})}, frozenset({STORE.name}))
    assert graph(inventory(STORE), None, (some,)).nodes[0].seen == ("production: 1.0, no answer",)


def test_the_picture_of_one_service_has_those_that_it_is_linked_with() -> None:
    told = graph(WHOLE, BROKER.name)
    assert [node.service.name for node in told.nodes] == ["Caster", "Broker", "Store"]
    assert [(one.consumer, one.provider) for one in told.links] == [("Caster", "Broker"), ("Broker", "Store")]
    assert told.ends == ()
    assert len(graph(WHOLE, STORE.name).ends) == 2
    alone = graph(inventory(STORE, SPREADER), STORE.name)
    assert [node.service.name for node in alone.nodes] == ["Store"]


def test_mermaid_has_a_box_a_service_an_arrow_an_interface_and_what_fails_in_red() -> None:
    lines = graph_mermaid(WHOLE, None, (running(Spreader="1.0", Caster="1.0", Broker="1.0", Store="1.0"),)).splitlines()
    assert lines[0] == "flowchart LR"
    assert '    n1["Caster 2.0<br/>production: 1.0"]:::failing' in lines
    assert '    n0 == "ads 2" ==> n1' in lines
    assert '    n3 == "serving" ==> z0' in lines
    arrows = [line for line in lines if re.search(r"--?>|==>|\.->", line)]
    red = next(line for line in lines if line.startswith("    linkStyle"))
    numbers = [int(one) for one in red.split()[1].split(",")]
    assert [arrows[number].strip() for number in numbers[:-1]] == ['n0 == "ads 2" ==> n1', 'n1 -- "rows 6" --> n3']
    assert arrows[numbers[-1]].strip() == "l1 --> l4"  # the legend's own


def test_the_legend_explains_only_what_is_there() -> None:
    assert "chain" not in graph_mermaid(inventory(STORE))
    assert "red" not in graph_mermaid(WHOLE)
    assert "red: fails" in graph_mermaid(inventory(service("Lost", consumes=("moon 1",))))


def test_markdown_is_one_fenced_block() -> None:
    assert graph_markdown(WHOLE) == f"```mermaid\n{graph_mermaid(WHOLE)}```\n"


def test_dot_has_the_same_boxes_and_arrows() -> None:
    lines = graph_dot(WHOLE).splitlines()
    assert (lines[0], lines[-1]) == ("digraph inventory {", "}")
    assert '  n0 -> n1 [label="ads 2" penwidth=3];' in lines
    assert '  n1 -> n3 [label="rows 7"];' in lines


@pytest.mark.parametrize("show", [graph_mermaid, graph_dot, graph_markdown])
def test_the_same_inventory_gives_the_same_bytes(show: object) -> None:
    assert callable(show)
    assert len({show(WHOLE) for _ in range(5)}) == 1


@given(st.text(max_size=30), st.text(max_size=12))
@settings(max_examples=500)
def test_a_name_whatever_it_is_stays_within_its_label(name: str, interface: str) -> None:
    odd = service("X", consumes=("rows 7",))
    odd = replace(odd, name=ServiceName(name), wanted=Version(interface))
    told = inventory(odd, STORE)
    plain = inventory(service("Odd", consumes=("rows 7",)), STORE)
    assert _without_labels(graph_mermaid(told)) == _without_labels(graph_mermaid(plain))
    assert _without_strings(graph_dot(told)) == _without_strings(graph_dot(plain))


def _without_labels(mermaid: str) -> str:
    """Return a picture without its labels, in which nothing may stand but letters, numbers and harmless signs."""
    labels = re.findall(r'"([^"\n]*)"', mermaid)
    for label in labels:
        bare = re.sub(r"#\d+;|<br/>", "", label)
        assert all(char.isalnum() or char in " .,:/()-" for char in bare), label
    return re.sub(r'"[^"\n]*"', '""', mermaid)


def _without_strings(dot: str) -> str:
    return re.sub(r'"(?:[^"\\\n]|\\.)*"', '""', dot)


HOSTILE = 'end"] --> x["<img src=x onerror=alert(1)> @octocat `code` %%{init: {}}%% \\N ```'


def test_a_hostile_name_is_shown_and_does_nothing() -> None:
    told = replace(WHOLE, chains=(replace(CHAIN, name=HOSTILE),))
    shown = graph_markdown(told)
    assert shown.count("```") == 2
    for harmful in ("<img", "@octocat", "%%{", 'x["'):
        assert harmful not in shown
    assert '\\"] --> x[\\"' in graph_dot(told)
    assert "\\\\N" in graph_dot(told)
