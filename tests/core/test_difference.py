"""What an edit of the inventory means, in words; what takes something away, or a guard, comes first."""

from dataclasses import replace
from typing import Any

import pytest
from made import NEW, PLACES, interfaces, inventory, release, service

from deploygate import report
from deploygate.difference import Danger, Difference, differences
from deploygate.foreseen import edit_of, foresee
from deploygate.inventory import Chain, Inventory, OnFailure, Owners, Rollout, Service, Wave
from deploygate.names import PARALLEL_CHAIN, PRODUCTION, Environment, ServiceName
from deploygate.past import Past
from deploygate.probe import HealthProbe
from deploygate.ways import Argv, Balancing, HAProxy, KillStart

BEHIND = Balancing(HAProxy(("/run/haproxy",), "svc"))


def said(before: Inventory, after: Inventory) -> list[tuple[Danger, str, str]]:
    return [(one.danger, one.part, one.says) for one in differences(before, after)]


def edited(**changes: Any) -> list[tuple[Danger, str, str]]:
    """Return what is said of a service of which this was changed."""
    return said(inventory(service()), inventory(service(**changes)))


def test_the_same_inventory_is_no_difference_wherever_it_was_read() -> None:
    one = service()
    moved = replace(one, where=replace(one.where, file="elsewhere.yml", line=7))
    assert differences(inventory(one), replace(inventory(moved), folder="/somewhere")) == ()


@pytest.mark.parametrize(
    ("changes", "danger", "part", "says"),
    [
        ({"wanted": NEW}, Danger.DEPLOYS, "version",
         "goes from 1.0 to 2.0, on 1 parallel-chain instance and 3 production instances"),
        ({"owners": Owners("nathan", "cory", "dana")}, Danger.CHANGES, "owners",
         "is answered for by pm dana (was obaid)"),
        ({"purpose": "Answers well."}, Danger.WORDS, "purpose", "is for: Answers well."),
        ({"waive": {"floor": "just once"}}, Danger.DANGEROUS, "waive", "waives floor: just once"),
        ({"health": HealthProbe(path="/h")}, Danger.CHANGES, "health", "is asked for its health in another way"),
        ({"artifact": "dist/x"}, Danger.CHANGES, "artifact", "is built from somewhere else"),
        ({"balancer": BEHIND}, Danger.CHANGES, "balancer", "gets a balancer, which it is taken out of first"),
        ({"deploy": KillStart("other", Argv(("./run", "{port}")))}, Danger.CHANGES, "deploy",
         "lives in other, and did in srv: what is installed there is not found here"),
        ({"places": {**PLACES, "i4": PRODUCTION}}, Danger.DEPLOYS, "instances",
         "gets 1 production instance more (i4)"),
    ],
)  # fmt: skip
def test_each_part_of_a_service_is_told_in_words(changes: dict[str, Any], danger: Danger, part: str, says: str) -> None:
    assert edited(**changes) == [(danger, part, says)]


@pytest.mark.parametrize(
    ("rollout", "says"),
    [
        (Rollout(bake=1.0), "watches its first instance for 1 s (was 7 s)"),
        (Rollout(bake=7.0, failure_budget=2), "lets 2 instances fail (was 0)"),
        (Rollout(bake=7.0, floor=1), "keeps 1 instances serving"),
        (Rollout(bake=7.0, on_failure=OnFailure.HALT), "on failure: halt"),
        (Rollout(bake=7.0, waves=(Wave(1), Wave(50, percent=True))), "rolls in waves of 1, 50%"),
    ],
)
def test_a_roll_that_is_less_careful_is_dangerous(rollout: Rollout, says: str) -> None:
    first, *_ = edited(rollout=rollout)
    assert first == (Danger.DANGEROUS, "rollout", says)


def test_a_more_careful_roll_is_not() -> None:
    assert [one[0] for one in edited(rollout=Rollout(bake=60.0))] == [Danger.CHANGES]


def test_instances_that_leave_run_on_unwatched_and_those_of_production_are_dangerous() -> None:
    left = {name: place for name, place in PLACES.items() if name != "i3"}
    ((danger, _, says),) = edited(places=left)
    assert danger is Danger.DANGEROUS
    assert says == "loses 1 production instance (i3), which run on unwatched; 2 production instances stay"


def test_an_instance_that_changes_its_environment_is_dangerous() -> None:
    assert edited(places={**PLACES, "i1": PARALLEL_CHAIN})[0] == (
        Danger.DANGEROUS, "instances", "has instances in another environment: i1 in parallel-chain",
    )  # fmt: skip


def test_a_service_that_leaves_names_those_who_need_it() -> None:
    giver, taker = service("Giver", provides=("rows 1",)), service("Taker", consumes=("rows 1",))
    ((danger, part, says),) = said(inventory(giver, taker), inventory(taker))
    assert (danger, part) == (Danger.DANGEROUS, "service")
    assert says.endswith("nobody watches it; Taker still consumes what it provides")


def test_a_new_service_names_its_size_and_its_owners() -> None:
    ((danger, _, says),) = said(inventory(), inventory(service()))
    assert danger is Danger.DEPLOYS
    assert says == (
        "is new, at 1.0, on 1 parallel-chain instance and 3 production instances; ops nathan, dev cory, pm obaid"
    )


def test_a_dropped_interface_names_who_still_consumes_it() -> None:
    caster = service("AdCaster", provides=("ad-request 1.2",), consumes=())
    after = replace(caster, wanted=NEW, provides=interfaces("ad-request 2.0"), releases={})
    broker = service("IDBroker", consumes=("ad-request 1.2",))
    first, *_ = said(inventory(caster, broker), inventory(after, broker))
    assert first == (
        Danger.DANGEROUS, "provides", "drops interface ad-request 1.2, which IDBroker still consumes",
    )  # fmt: skip


def talk() -> tuple[Inventory, Inventory]:
    """Return the example of the talk: AdCaster goes to 2.0, which adds an interface, and its callers stay."""
    old = release("1.2", provides=("ad-request 1.2",))
    caster = service("AdCaster", provides=("ad-request 1.2", "ad-request 2.0"), releases=(old,))
    callers = [service(name, consumes=("ad-request 1.2",)) for name in ("IDBroker", "DMLoadBalancer")]
    before = replace(caster, wanted=old.version)
    return inventory(before, *callers), inventory(replace(caster, wanted=NEW), *callers)


def test_a_deploy_is_told_in_one_sentence_with_sizes_pace_time_interfaces_callers_and_way_back() -> None:
    before, after = talk()
    edit = edit_of(before, after, lambda change, now: foresee(after, change, Past(), now))
    (data,) = report.merging_data((), edit)["changes"]
    assert data["says"] == (
        "AdCaster 1.2 -> 2.0: 1 parallel-chain instance and 3 production instances, one at a time, about 23 s, "
        "at most 9 min with the way back; adds interface ad-request 2.0; "
        "IDBroker and DMLoadBalancer keep ad-request 1.2; the way back is 1.2, proven before the first change"
    )


def test_the_comment_begins_with_the_verdict_and_then_the_dangerous() -> None:
    before, after = talk()
    careless = replace(after.services[ServiceName("AdCaster")], waive={"floor": "no @time"}, purpose="Picks <ads>.")
    after = replace(after, services={**after.services, careless.name: careless})
    edit = edit_of(before, after, lambda change, now: foresee(after, change, Past(), now))
    text = report.merging_markdown((), edit)
    lines = [line for line in text.splitlines() if line]
    assert lines[0].startswith("### ✅ Merging deploys AdCaster")
    assert lines[1] == "- ⚠️ **AdCaster** waives floor: no @\u200btime"
    assert "1 other change of the inventory" in text
    assert "<ads>" not in text


def test_a_chain_that_ends_somewhere_else_is_dangerous() -> None:
    sinks = {PARALLEL_CHAIN: "http://sink:1", PRODUCTION: "http://sink:2"}
    chain = Chain("ads", (ServiceName("Svc"),), sinks)
    before = replace(inventory(service()), chains=(chain,))
    other = replace(before, chains=(replace(chain, sinks=sinks | {PARALLEL_CHAIN: "http://sink:3"}),))
    ((danger, part, says),) = said(before, other)
    assert (danger, part) == (Danger.DANGEROUS, "chains")
    assert "parallel-chain in http://sink:3" in says


def test_the_dangerous_come_first() -> None:
    before = replace(inventory(service()), environments=(PARALLEL_CHAIN, PRODUCTION))
    after = inventory(service(purpose="Other.", wanted=NEW, waive={"floor": "x"}))
    dangers = [one.danger for one in differences(before, replace(after, environments=(Environment("q"), PRODUCTION)))]
    assert dangers == sorted(dangers)
    assert dangers[0] is Danger.DANGEROUS


def test_nothing_of_the_inventory_becomes_markup() -> None:
    before = inventory(service())
    after: Service = service(waive={"floor": "</details> [x](http://evil) @all"})
    edit = edit_of(before, inventory(after), lambda change, now: foresee(before, change, Past(), now))
    text = report.merging_markdown((), edit)
    assert "](http" not in text
    assert "@all" not in text
    assert "</details> [" not in text
    assert isinstance(edit.differences[0], Difference)
