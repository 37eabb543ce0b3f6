"""What an edit of the inventory asks for: which services, and in which order."""

from dataclasses import replace

from made import NEW, OLD, inventory, release, service

from deploygate.changes import Change, changed, in_order
from deploygate.inventory import Service
from deploygate.names import ServiceName


def named(*names: str) -> tuple[ServiceName, ...]:
    return tuple(ServiceName(one) for one in names)


def wants(one: Service) -> Service:
    return replace(one, wanted=NEW)


def test_only_services_with_another_wanted_version_are_changed() -> None:
    a, b = service("A"), service("B")
    assert changed(inventory(a, b), inventory(a, wants(b))) == (Change(wants(b), OLD),)


def test_another_edit_of_a_service_deploys_nothing() -> None:
    assert changed(inventory(service("A")), inventory(service("A", purpose="Other."))) == ()


def test_a_new_service_comes_from_nothing() -> None:
    a, b = service("A"), service("B")
    assert changed(inventory(a), inventory(a, b)) == (Change(b, None),)


def test_who_consumes_an_interface_comes_after_who_provides_it() -> None:
    front = service("Front", consumes=("query 1",))
    middle = service("Middle", provides=("query 1",), consumes=("rows 1",))
    back = service("Back", provides=("rows 1",))
    fleet = inventory(front, middle, back)
    assert in_order(fleet, named("Front", "Back", "Middle")) == named("Back", "Middle", "Front")
    assert in_order(fleet, named("Front", "Back")) == named("Front", "Back")


def test_what_the_wanted_release_consumes_counts_and_not_another_ones() -> None:
    back = service("Back", provides=("rows 1",))
    front = service("Front", consumes=("rows 1",), releases=(release(OLD),))
    assert in_order(inventory(front, back), named("Front", "Back")) == named("Front", "Back")


def test_a_circle_is_gone_round_in_the_order_of_the_inventory() -> None:
    a = service("A", provides=("a 1",), consumes=("b 1",))
    b = service("B", provides=("b 1",), consumes=("a 1",))
    assert in_order(inventory(a, b), named("B", "A")) == named("A", "B")
