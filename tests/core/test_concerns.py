"""Whom an edit concerns: every part of a service has its role, and nobody puts themselves in charge."""

from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
from made import NEW, interfaces, inventory, release, service

from deploygate.concerns import PARTS, WHOLE, Owner, Role, concerns
from deploygate.findings import Where
from deploygate.inventory import BackKind, Chain, Instance, Interface, Inventory, Owners, Rollout, Service, WayBack
from deploygate.names import PARALLEL_CHAIN, PRODUCTION, InstanceName, ServiceName, Version
from deploygate.probe import HealthProbe, VersionProbe
from deploygate.ways import Argv, Balancing, KillStart, Plugin

PEOPLE = {"nathan": "nathan-d", "cory": "Cory", "obaid": "acme/product", "mona": "mona", "eve": "eve"}
PAGE = Path(__file__).parents[2] / "docs" / "review.md"


def whole(*services: Service, people: Mapping[str, str] = PEOPLE, **more: Any) -> Inventory:
    return replace(inventory(*services), people=people, **more)


def asked(before: Inventory, after: Inventory) -> dict[str, dict[str, set[str]]]:
    """Return the accounts that are asked, by service and role."""
    found: dict[str, dict[str, set[str]]] = {}
    for one in concerns(before, after):
        found.setdefault(one.service, {})[one.role] = {owner.account for owner in one.owners}
    return found


def why(before: Inventory, after: Inventory) -> dict[str, tuple[str, ...]]:
    return {one.role.value: one.why for one in concerns(before, after)}


ELSEWHERE = Instance(InstanceName("i9"), PRODUCTION, "http://127.0.0.1:7900")
CHANGES: list[tuple[str, Any, set[str], str]] = [
    ("purpose", "Answers twice.", {"pm"}, "the purpose"),
    ("wanted", NEW, {"dev"}, "the version"),
    ("provides", interfaces("ad 1.0"), {"dev"}, "the interfaces"),
    ("consumes", interfaces("ad 1.0"), {"dev"}, "the interfaces"),
    ("digests", {Interface("ad", "1.0"): "sha256:" + "0" * 64}, {"dev"}, "the interfaces"),
    ("releases", {NEW: release("2.0", provides=("ad 2.0",))}, {"dev"}, "the releases"),
    ("artifact", "dist/other", {"dev"}, "the artifact"),
    ("deploy", KillStart("elsewhere", Argv(("./run",))), {"ops"}, "how it is deployed"),
    ("instances", (ELSEWHERE,), {"ops"}, "the instances"),
    ("health", HealthProbe(path="/ill"), {"ops"}, "the probes"),
    ("version", VersionProbe(path="/v"), {"ops"}, "the probes"),
    ("rollout", Rollout(bake=1.0), {"ops"}, "the rollout"),
    ("balancer", Balancing(Plugin("lb")), {"ops"}, "the balancer"),
    ("waive", {"single-instance": "It is one."}, {"ops"}, "the waivers"),
    ("waive", {"unprovided": "It comes from elsewhere."}, {"dev"}, "the waivers"),
    ("waive", {"unprovided": "Elsewhere.", "no-twin": "None."}, {"ops", "dev"}, "the waivers"),
    ("owners", Owners("mona", "cory", "obaid"), {"ops", "dev", "pm"}, "the owners"),
]


@pytest.mark.parametrize(("part", "value", "roles", "says"), CHANGES)
def test_each_part_concerns_the_role_that_answers_for_it(part: str, value: Any, roles: set[str], says: str) -> None:
    before, after = whole(service()), whole(replace(service(), **{part: value}))
    found = why(before, after)
    assert set(found) == roles
    assert all(one == (says,) for one in found.values())
    assert set(why(after, before)) == roles  # taking it back is a change of the same kind


def test_every_part_of_a_service_and_of_an_inventory_has_its_role() -> None:
    assert {one.name for one in fields(Service)} - {"name", "where"} <= set(PARTS)
    assert {one.name for one in fields(Inventory)} - {"services", "folder"} <= set(WHOLE)
    assert {part for part, *_ in CHANGES} == set(PARTS) - {"address"}


def test_the_page_has_the_same_table() -> None:
    text = PAGE.read_text()
    for part, (roles, says) in {**PARTS, **WHOLE}.items():
        row = next((line for line in text.splitlines() if line.startswith("| ") and says in line.split("|")[1]), "")
        assert row.split("|")[2].strip() == ", ".join(roles), part


def test_a_part_that_is_not_in_the_table_concerns_all_three(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("deploygate.concerns.PARTS", {})
    assert set(asked(whole(service()), whole(service(artifact="dist/x")))["Svc"]) == {"ops", "dev", "pm"}


def test_what_only_moves_to_another_line_concerns_nobody() -> None:
    before = service()
    moved = tuple(replace(one, where=Where("services.yml", 99, 1)) for one in before.instances)
    chain = Chain("ads", (ServiceName("Svc"),), {PRODUCTION: "http://127.0.0.1:1"})
    after = replace(before, instances=moved, where=Where("services.yml", 90, 1))
    lower = replace(chain, where=Where("services.yml", 120, 1))
    assert concerns(whole(before, chains=(chain,)), whole(after, chains=(lower,))) == ()


def test_the_order_of_instances_is_that_of_the_roll_and_so_concerns_ops() -> None:
    before = service()
    assert set(why(whole(before), whole(replace(before, instances=before.instances[::-1])))) == {"ops"}


def test_a_new_way_back_concerns_those_who_would_have_to_go_it_as_well() -> None:
    listed = release("2.0")
    before, after = (
        service(releases=(one,))
        for one in (listed, replace(listed, rollback=WayBack(BackKind.FORBIDDEN, "The schema.")))
    )
    assert why(whole(before), whole(after)) == {"ops": ("the way back",), "dev": ("the releases",)}


def test_a_service_that_comes_or_goes_concerns_all_three() -> None:
    other = service("Other", owners=Owners("mona", "cory", "obaid"))
    all_three = {"ops": {"mona"}, "dev": {"Cory"}, "pm": {"acme/product"}}
    assert asked(whole(service()), whole(service(), other)) == {"Other": all_three}
    assert asked(whole(service(), other), whole(service())) == {"Other": all_three}


def test_new_owners_need_all_three_of_the_old_and_of_the_new() -> None:
    before, after = whole(service()), whole(service(owners=Owners("mona", "cory", "obaid")))
    assert asked(before, after) == {"Svc": {"ops": {"nathan-d", "mona"}, "dev": {"Cory"}, "pm": {"acme/product"}}}


def test_who_a_name_is_on_github_is_who_owns_the_service() -> None:
    after = whole(service(), people={**PEOPLE, "nathan": "eve"})
    assert asked(whole(service()), after)["Svc"]["ops"] == {"nathan-d", "eve"}
    assert set(asked(whole(service()), after)["Svc"]) == {"ops", "dev", "pm"}


def test_nobody_puts_themselves_in_charge_of_the_change_that_does_it() -> None:
    """Both in one edit: the version, and who answers for it. The old owner is asked all the same."""
    after = whole(service(wanted=NEW, owners=Owners("nathan", "eve", "obaid")))
    assert asked(whole(service()), after)["Svc"]["dev"] == {"Cory", "eve"}


@pytest.mark.parametrize(
    ("owners", "people"),
    [
        (Owners("nathan", "cory", "obaid"), {**PEOPLE, "nathan": "Nathan-D"}),
        (Owners("Nate", "cory", "obaid"), {**PEOPLE, "Nate": "nathan-d"}),
    ],
)
def test_the_same_account_in_other_letters_or_by_another_name_is_the_same_owner(
    owners: Owners, people: Mapping[str, str]
) -> None:
    assert concerns(whole(service()), whole(service(owners=owners), people=people)) == ()


def test_the_edit_that_brings_people_in_asks_those_whom_it_names() -> None:
    found = asked(whole(service(), people={}), whole(service()))
    assert found == {"Svc": {"ops": {"nathan-d"}, "dev": {"Cory"}, "pm": {"acme/product"}}}


def test_the_edit_that_takes_people_out_asks_those_who_were_there() -> None:
    found = asked(whole(service()), whole(service(), people={}))
    assert found == {"Svc": {"ops": {"nathan-d"}, "dev": {"Cory"}, "pm": {"acme/product"}}}


def test_a_change_for_all_services_concerns_ops_of_each() -> None:
    one, two = service(), service("Other", owners=Owners("mona", "cory", "obaid"))
    for change in ({"job_limit": 60.0}, {"environments": (PARALLEL_CHAIN,)}):
        assert asked(whole(one, two), whole(one, two, **change)) == {
            "Svc": {"ops": {"nathan-d"}},
            "Other": {"ops": {"mona"}},
        }


def test_a_chain_concerns_ops_of_the_services_in_it_before_and_after() -> None:
    services = [service(name) for name in ("A", "B", "C", "D")]
    was, now = (Chain("ads", tuple(map(ServiceName, order)), {PRODUCTION: "x"}) for order in (("A", "B"), ("B", "C")))
    found = concerns(whole(*services, chains=(was,)), whole(*services, chains=(now,)))
    assert {(one.service, one.role, one.why) for one in found} == {
        (name, Role.OPS, ("the chain ads",)) for name in ("A", "B", "C")
    }


def test_those_who_could_stand_in_are_the_others_who_answer_for_the_service() -> None:
    (one,) = concerns(whole(service()), whole(service(wanted=Version("3.0"))))
    assert one.others == (Owner("nathan", "nathan-d"), Owner("cory", "Cory"), Owner("obaid", "acme/product"))
