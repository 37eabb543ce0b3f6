"""What follows from a failed deploy, and what a deploy costs: the Action as processes, on a GitHub on loopback."""

import re
import threading
from dataclasses import replace

import pytest
import yaml
from scenarios.five import PRODUCTION, assert_all_in, ended
from scenarios.fleet import SERVICE_NAME
from scenarios.runner import Ran
from scenarios.shop import Shop
from scenarios.workflows import given_inputs

from deploygate.fake_github import Dispatch

from .shops import MAY

ILL = {"s-2": {"moans": "no such table", "ill_after": 0}}
CALLS = 20  # that a deploy of one service in two environments makes at the most, on a pull request of few comments


def merged(shop: Shop, version: str, **behaviour: object) -> Ran:
    return shop.run(shop.merged(shop.wish(version, **behaviour)))


def test_a_version_that_failed_is_refused_by_the_records_alone_until_it_is_overridden_with_a_reason(shop: Shop) -> None:
    assert ended(merged(shop, "2.0", at=ILL)) == ("fail", "rolled_back", "6")
    shop.commit({"services.yml": shop.fleet.inventory("1.0")}, "Put it back")
    pull = shop.propose({"services.yml": shop.fleet.inventory("2.0")} | shop.fleet.release("2.0"), "Once more")
    checked = shop.run(shop.checked(pull))
    assert ended(checked) == ("fail", "refused", "4")
    assert "no such table" in shop.comment(pull)
    refused = shop.run(shop.merged(pull))
    assert ended(refused) == ("fail", "refused", "4"), refused.log
    assert shop.fleet.versions() == shop.fleet.all_at("1.0")


def test_the_inventory_is_put_back_by_a_pull_request_where_that_is_permitted(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scenarios.shop.permissions", lambda _file: MAY | {"contents": "write"})
    ran = merged(shop, "2.0", at=ILL)
    assert ended(ran) == ("fail", "rolled_back", "6"), ran.log
    (proposal,) = [pull for pull in shop.repo.pulls.values() if pull.state == "open"]
    assert ran.outputs["put_back_url"].endswith(f"/pull/{proposal.number}")
    text = shop.repo.text("services.yml", proposal.head)
    assert text is not None
    assert yaml.safe_load(text)["services"][SERVICE_NAME]["version"] == "1.0"
    wanted = shop.repo.text("services.yml")
    assert wanted is not None
    changed = [line for line in text.splitlines() if line not in wanted.splitlines()]
    assert changed == ["    version: '1.0'"]


def test_the_inventory_is_put_back_after_a_deploy_by_hand_of_what_it_wants_too(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "scenarios.as_processes.given_inputs", lambda *asked: given_inputs(*asked) | {"service": SERVICE_NAME}
    )
    ran = shop.run(replace(shop.merged(shop.wish("2.0", at=ILL)), event="workflow_dispatch"))
    assert ended(ran) == ("fail", "rolled_back", "6"), ran.log
    assert re.findall(r"(?m)^[+-]    version.*", ran.summary) == ["-    version: '2.0'", "+    version: '1.0'"]


def test_where_the_rollback_workflow_cannot_be_started_the_gate_takes_it_back_itself_and_says_so(shop: Shop) -> None:
    shop.hub.fault("POST", "/repos/acme/shop/actions/workflows/rollback.yml/dispatches", status=404, times=9)
    pull = shop.wish("2.0", at=ILL)
    ran = shop.run(shop.merged(pull))
    assert ended(ran) == ("fail", "rolled_back", "6"), ran.log
    assert shop.fleet.versions() == shop.fleet.all_at("1.0")
    assert_all_in("no rollback was raised", re.sub(r"\\", "", shop.comment(pull)))
    assert ran.outputs["rollback_run_id"] == ""


def test_a_dispatch_that_is_answered_with_502_is_not_sent_twice(shop: Shop) -> None:
    """Traps 5 and F7: a POST is retried by default, and two rollbacks would run."""
    path = "/repos/acme/shop/actions/workflows/rollback.yml/dispatches"
    shop.hub.fault("POST", path, status=502, times=1, after_handling=True)
    ran = merged(shop, "2.0", at=ILL)
    assert ended(ran) == ("fail", "rolled_back", "6"), ran.log
    assert shop.calls("POST", "/dispatches") == 1
    assert len(shop.ran) == 1
    assert shop.fleet.versions() == shop.fleet.all_at("1.0")


def test_a_workflow_that_is_run_again_does_not_take_a_newer_deploy_back(shop: Shop) -> None:
    """Trap F19: a re-run has the commit of its first run, and would deploy the version of that."""
    first = shop.merged(shop.wish("2.0"))
    assert shop.run(first).green
    assert merged(shop, "3.0").green
    first.run.attempt()
    again = shop.run(first)
    assert ended(again) == ("fail", "refused", "4"), again.log
    assert shop.fleet.versions() == shop.fleet.all_at("3.0")


def test_what_was_taken_back_by_hand_is_no_success_of_its_commit_any_more_and_its_people_are_told(shop: Shop) -> None:
    pull = shop.wish("2.0")
    job = shop.merged(pull)
    assert shop.run(job).green
    shop.commit({"README.md": "Something else.\n"}, "Go on")
    assert shop.run(shop.by_hand(service=SERVICE_NAME, version="previous", reason="orders fail")).green
    assert shop.statuses(job.sha)[PRODUCTION] == "failure"
    assert_all_in("rolled_back orders", shop.comment(pull))


def test_a_deploy_makes_few_calls_whatever_is_said_and_none_for_each_look(shop: Shop) -> None:
    job = shop.merged(shop.wish("2.0"))
    before = len(shop.hub.requests)
    assert shop.run(job).green
    calls = [f"{one.method} {one.path}" for one in shop.hub.requests[before:]]
    assert len(calls) <= CALLS, calls


def test_nothing_secret_is_sent_to_github(shop: Shop) -> None:
    merged(shop, "2.0", at=ILL)
    assert shop.hub.token().startswith("fake_")
    assert [one.path for one in shop.hub.requests if "fake_" in str(one.body)] == []


def test_a_rollback_tells_what_it_did_where_the_deploy_that_raised_it_is_gone(shop: Shop) -> None:
    pull = shop.wish("2.0", at=ILL)
    job = shop.merged(pull)
    begun = threading.Event()
    real = shop.rollback.on_dispatch

    def late(dispatch: Dispatch) -> None:
        begun.set()
        shop.hub.until(lambda: job.run.status == "completed", within=60)
        assert real is not None
        real(dispatch)

    shop.rollback.on_dispatch = late
    running = shop.begin(job)
    assert begun.wait(60)
    running.kill()
    shop.over(job, running)
    shop.hub.until(lambda: shop.ran, within=60)
    assert shop.ran[0].green, shop.ran[0].log
    assert shop.fleet.versions() == shop.fleet.all_at("1.0")
    assert shop.statuses(job.sha)[PRODUCTION] == "failure"
    assert_all_in("rolled_back 1.0", shop.comment(pull))
