"""Owners looked up on GitHub: there, not there, or not to be told."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
import responses
from made import inventory, service

from deploygate.adapters.documents.loader import load
from deploygate.adapters.github.client import Hub
from deploygate.adapters.github.people import account
from deploygate.cli.reviewing import MOST, looked_up
from deploygate.document import Document
from deploygate.fake_github import FakeGitHub
from deploygate.findings import Severity, Where
from deploygate.inventory import Inventory, Owners
from deploygate.names import Secret, ServiceName
from deploygate.owners import Account, accounts, verified

API = "https://api.github.com"
TEXT = """\
schema: 1
people:
  nathan: Nathan-D
  cory: gone
  obaid: acme/product
  zoe: elsewhere
"""


@pytest.fixture
def fake() -> Iterator[FakeGitHub]:
    with FakeGitHub() as made:
        made.repository("acme/shop")
        made.user("nathan-d")
        made.team("acme/product", ["mona"])
        yield made


def hub(fake: FakeGitHub, **permissions: str) -> Hub:
    return Hub(fake.url, Secret(fake.token(permissions or None)), "acme/shop")


def whole() -> tuple[Inventory, Document]:
    root, findings = load(TEXT, "services.yml")
    assert findings == ()
    some = replace(inventory(service(owners=Owners("nathan", "cory", "obaid"))), people=dict(root["people"]))
    return some, Document(root, "services.yml")


def test_a_login_is_there_in_any_capitals(fake: FakeGitHub) -> None:
    assert account(hub(fake), "Nathan-D") == Account("Nathan-D", exists=True)


def test_a_login_that_nobody_has_is_not_there(fake: FakeGitHub) -> None:
    assert account(hub(fake), "gone") == Account("gone", exists=False, says="GitHub knows nobody of that name")


def test_an_organization_is_nobody(fake: FakeGitHub) -> None:
    assert account(hub(fake), "acme").exists is False


@responses.activate
def test_a_name_that_has_become_another_s_is_not_that_person() -> None:
    responses.get(f"{API}/users/old", json={"login": "new", "type": "User"})
    found = account(Hub(API, Secret("ghs_x"), "acme/shop"), "old")
    assert (found.exists, found.says) == (False, "that is new now")


def test_a_team_is_there_for_who_may_know_and_else_it_cannot_be_told(fake: FakeGitHub) -> None:
    assert account(hub(fake, members="read"), "acme/product") == Account("acme/product", exists=True)
    for asked, team in ((hub(fake), "acme/product"), (hub(fake, members="read"), "acme/gone")):
        found = account(asked, team)
        assert found.exists is None
        assert "members: read" in found.help


def test_an_answer_that_does_not_come_is_no_answer(fake: FakeGitHub) -> None:
    fake.fault("GET", "/users/*", status=403, body={"message": "Forbidden"}, times=None)
    found = account(hub(fake), "nathan-d")
    fake.violations.clear()
    assert found.exists is None


def test_an_account_that_is_not_there_is_an_error_and_one_that_cannot_be_told_a_warning(fake: FakeGitHub) -> None:
    some, document = whole()
    findings = verified(some, document, looked_up(hub(fake), some))
    assert [(one.rule, one.severity, one.where) for one in findings] == [
        ("unknown-login", Severity.ERROR, Where("services.yml", 4, 9)),
        ("unverified-owner", Severity.WARNING, Where("services.yml", 5, 10)),
    ]
    assert findings[0].says == 'cory is "gone" on GitHub, and GitHub knows nobody of that name'
    assert findings[1].says.startswith("could not verify who obaid is on GitHub: ")


def test_only_those_who_own_something_are_looked_up_and_each_once(fake: FakeGitHub) -> None:
    some, _ = whole()
    assert accounts(some) == ("Nathan-D", "gone", "acme/product")
    twice = replace(some, services={ServiceName(name): service(name) for name in ("A", "B")})
    looked_up(hub(fake), replace(twice, people={**some.people, "cory": "nathan-d"}))
    assert [one.path for one in fake.requests] == ["/users/nathan-d", "/orgs/acme/teams/product"]


def test_without_people_nobody_can_be_verified() -> None:
    some, document = whole()
    (one,) = verified(replace(some, people={}), document, ())
    assert (one.rule, one.severity) == ("unverified-owner", Severity.WARNING)


def test_there_is_an_end_to_how_many_are_looked_up(fake: FakeGitHub) -> None:
    fake.user("someone")
    many = {f"n{number}": f"user-{number}" for number in range(MOST + 5)}
    services = [service(f"S{number}", owners=Owners(name, name, name)) for number, name in enumerate(many)]
    found = looked_up(hub(fake), replace(inventory(*services), people=many))
    assert len(fake.requests) == MOST
    assert [one.exists for one in found[-6:]] == [False, *[None] * 5]
