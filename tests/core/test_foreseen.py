"""What merging would do, told from what is recorded or declared, before anything is asked of an instance."""

from dataclasses import replace

import pytest
from made import NEW, OLD, inventory, past, plan, run, service

from deploygate import report
from deploygate.changes import changed
from deploygate.endings import Ending
from deploygate.findings import Finding, Where
from deploygate.foreseen import Edit, Foreseen, Source, assumed, edit_of, foresee
from deploygate.inventory import Inventory, Service
from deploygate.names import PARALLEL_CHAIN, PRODUCTION, ServiceName, Version
from deploygate.past import Past
from deploygate.plan import Plan


def wants(one: Service, version: Version = NEW) -> Service:
    return replace(one, wanted=version)


def foreseen(before: Inventory, after: Inventory, known: Past | None = None) -> tuple[Foreseen, ...]:
    """Foresee each change, in order, as a check does."""
    return edit(before, after, known).foreseen


def edit(before: Inventory, after: Inventory, known: Past | None = None) -> Edit:
    return edit_of(before, after, lambda change, now: foresee(after, change, known or Past(), now))


def planned(one: Foreseen) -> Plan:
    assert isinstance(one.planned, Plan)
    return one.planned


def test_the_order_is_the_parallel_chain_then_one_that_is_watched_for_longer_then_the_rest() -> None:
    (one,) = foreseen(inventory(service()), inventory(wants(service())))
    moves = planned(one).moves
    assert [(move.instance, move.environment, move.was, move.to, move.bake) for move in moves] == [
        ("p1", PARALLEL_CHAIN, OLD, NEW, 0.0),
        ("i1", PRODUCTION, OLD, NEW, 7.0),
        ("i2", PRODUCTION, OLD, NEW, 0.0),
        ("i3", PRODUCTION, OLD, NEW, 0.0),
    ]
    assert one.source is Source.DECLARED


def test_what_is_recorded_is_believed_before_what_was_declared() -> None:
    other = Version("0.9")
    known = past(run("r1", plan(version=other), Ending.DEPLOYED))
    (one,) = foreseen(inventory(service()), inventory(wants(service())), known)
    assert (one.source, {move.was for move in planned(one).moves}) == (Source.RECORDED, {other})


def test_a_version_that_failed_would_be_refused() -> None:
    known = past(run("r1", plan(), Ending.ROLLED_BACK, "i1", bad=True, cause="i1: ill"))
    (one,) = foreseen(inventory(service()), inventory(wants(service())), known)
    assert isinstance(one.planned, tuple)
    assert [finding.rule for finding in one.planned] == ["bad-version"]


def test_an_interface_that_a_neighbour_needs_is_missed_before_the_deploy() -> None:
    giver = service("Giver", provides=("rows 1",))
    taker = service("Taker", consumes=("rows 1",))
    without = wants(service("Giver", provides=("rows 2",)))
    (one,) = foreseen(inventory(giver, taker), inventory(without, taker))
    assert isinstance(one.planned, tuple)
    assert {finding.rule for finding in one.planned} == {"interface-lost"}


def test_a_neighbour_that_is_changed_before_is_taken_to_be_at_its_new_version() -> None:
    before = inventory(service("A"), service("B"))
    after = inventory(wants(service("A")), wants(service("B")))
    changes = changed(before, after)
    assert assumed(before, after, changes[:1]) == {ServiceName("A"): NEW, ServiceName("B"): OLD}


def test_a_new_service_has_no_version_to_come_back_to_and_that_is_said() -> None:
    a, b = service("A"), service("B")
    text = report.merging_markdown((), edit(inventory(a), inventory(a, b)))
    assert "none for p1, i1, i2 and others" in text
    assert "no version to come back to" in text


@pytest.mark.parametrize(
    ("findings", "told", "good", "says"),
    [
        ((), Edit((), ()), True, "the inventory is sound, and merging deploys nothing"),
        ((), None, True, "the inventory is sound; what merging changes can't be told here"),
        ((Finding("r", Where(), "says", "help"),), None, False, "the inventory has 1 error"),
    ],
)
def test_the_verdict_comes_first(
    findings: tuple[Finding, ...],
    told: Edit | None,
    good: bool,  # noqa: FBT001 - a parameter of a table
    says: str,
) -> None:
    assert report.merging_headline(findings, told) == (good, says)
    first = report.merging_markdown(findings, told).partition("\n")[0]
    assert first == f"### {'✅' if good else '❌'} {report.escaped(says.capitalize())}"


def test_the_comment_has_one_table_and_the_steps_folded_below_it() -> None:
    before = inventory(service("A"), service("B"))
    text = report.merging_markdown((), edit(before, inventory(wants(service("A")), wants(service("B")))))
    shown, _, folded = text.partition("<details>")
    assert shown.count("|---") == len(report_head())
    assert folded.count("<summary>") == 2
    assert text.index("| 1 ") < text.index("| 2 ")


def report_head() -> list[str]:
    return ["order", "service", "from", "to", "instances", "time", "way back"]


def test_a_refused_change_makes_the_verdict_and_the_data_say_no() -> None:
    known = past(run("r1", plan(), Ending.ROLLED_BACK, "i1", bad=True, cause="i1: ill"))
    data = report.merging_data((), edit(inventory(service()), inventory(wants(service())), known))
    assert data["decision"] == "fail"
    assert data["says"] == "merging would be refused for Svc 2.0"
    assert [one["rule"] for one in data["changes"][0]["refusals"]] == ["bad-version"]
