"""What changes in place is found within an inventory, and between two of them."""

from dataclasses import replace

from made import inventory, release, service

from deploygate.digests import Contradiction, changed_in_place, contradictions
from deploygate.inventory import Interface, Release, Service
from deploygate.names import Version

ADS = Interface("ad-request", "2.0")


def provides(version: str, digest: str) -> Release:
    return replace(release(version, provides=("ad-request 2.0",)), digests={ADS: digest})


def having(usual: str, *releases: Release) -> Service:
    return service(provides=("ad-request 2.0",), releases=releases, digests={ADS: usual} if usual else {})


def says(before: Service, after: Service) -> list[str]:
    return [one.says for one in changed_in_place(inventory(before), inventory(after))]


def test_the_same_digest_in_every_release_is_no_change() -> None:
    assert list(contradictions(having("a", provides("1.1", "a"), provides("1.2", "a")))) == []


def test_another_digest_is_held_against_the_release_that_comes_later() -> None:
    found = list(contradictions(having("", provides("1.1", "a"), provides("1.2", "b"))))
    assert found == [Contradiction(ADS, Version("1.2"), Version("1.1"))]


def test_a_digest_that_is_not_given_changes_nothing() -> None:
    assert list(contradictions(having("a", release("1.1", provides=("ad-request 2.0",))))) == []


def test_an_edit_that_gives_the_same_version_another_digest_is_told_once() -> None:
    told = "Svc 1.0 changes ad-request 2.0 in place: it has another digest than before"
    assert says(having("a"), having("b", provides("1.1", "b"))) == [told]


def test_an_edit_is_held_against_what_was_listed_for_any_release() -> None:
    told = "Svc 1.1 changes ad-request 2.0 in place: it has another digest than before"
    assert says(having("", provides("1.0", "a")), having("", provides("1.1", "b"))) == [told]


def test_a_first_digest_a_last_one_and_a_new_service_are_no_changes() -> None:
    assert says(having(""), having("a")) == []
    assert says(having("a"), having("")) == []
    assert changed_in_place(inventory(), inventory(having("a"))) == ()
