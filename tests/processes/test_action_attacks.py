"""Kills and faults at the worst moments, on processes: nothing stays pending, and a run after it puts all right."""

import re
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from scenarios.five import ended
from scenarios.fleet import SERVICE_NAME
from scenarios.runner import FUSE, Job
from scenarios.shop import Shop

from .shops import MAY
from .test_action_loop import ILL

API = "/repos/acme/shop"
MOMENTS = {
    "before the lock": ("GET", f"{API}/deployments", 0),
    "between opening a record and the first change": ("POST", f"{API}/deployments", 1),
    "when the first instance is changed": ("POST", f"{API}/deployments/*/statuses", 0),
    "when its record is closed": ("POST", f"{API}/deployments/*/statuses", 2),
    "when the last status is written": ("POST", f"{API}/statuses/*", 3),
    "when the comment is written at last": ("PATCH", f"{API}/issues/comments/*", 0),
}
FAULTS: dict[str, dict[str, Any]] = {
    "502 though it was done": {"status": 502, "after_handling": True},
    "a cut connection": {"cut": True},
}
WRITES = [("POST", f"{API}/statuses/*", number) for number in range(4)]
WRITES += [("POST", f"{API}/deployments", number) for number in range(2)]
WRITES += [("POST", f"{API}/deployments/*/statuses", number) for number in range(4)]
WRITES += [("POST", f"{API}/issues/*/comments", 0), ("PATCH", f"{API}/issues/comments/*", 0)]


def assert_nothing_is_pending(shop: Shop, job: Job) -> None:
    assert "pending" not in shop.statuses(job.sha).values()
    assert not {state for _, sha, state in shop.deployments() if sha == job.sha} & {"in_progress", "pending", "queued"}
    pull = max(shop.repo.pulls.values(), key=lambda one: one.number)
    assert [one.body for one in pull.comments if "⏳" in one.body] == []


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_run_killed_at_its_worst_moment_leaves_nothing_pending_and_the_next_attempt_finishes_it(
    shop: Shop, moment: str
) -> None:
    method, path, skip = MOMENTS[moment]
    job = shop.merged(shop.wish("2.0"))
    fault = shop.hub.fault(method, path, skip=skip, delay=1.0, after_handling=True)
    running = shop.begin(job)
    end = time.monotonic() + FUSE
    while not fault.met and running.goes():
        assert time.monotonic() < end
        time.sleep(0.01)
    running.kill()
    shop.over(job, running)
    assert fault.met == 1
    assert_nothing_is_pending(shop, job)
    job.run.attempt()
    again = shop.run(job)
    assert again.green, again.log
    assert shop.fleet.versions() == shop.fleet.all_at("2.0")
    assert set(shop.statuses(job.sha).values()) == {"success"}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize(("method", "path", "skip"), WRITES)
def test_one_write_that_fails_on_the_way_costs_neither_the_deploy_nor_the_truth_at_its_end(
    shop: Shop, method: str, path: str, skip: int, fault: str
) -> None:
    met = shop.hub.fault(method, path, skip=skip, **FAULTS[fault])
    job = shop.merged(shop.wish("2.0"))
    ran = shop.run(job)
    assert ended(ran) == ("pass", "deployed", "0"), ran.log
    if path.endswith("comments"):
        shop.run(shop.checked(shop.wish("3.0")))
    assert met.met == 1 or path.endswith(("comments", "comments/*"))
    assert shop.fleet.versions() == shop.fleet.all_at("2.0")
    assert set(shop.statuses(job.sha).values()) == {"success"}, ran.log
    assert not {state for _, sha, state in shop.deployments() if sha == job.sha} & {"in_progress", "pending"}, ran.log


@pytest.mark.parametrize("gone", ["the inventory", "all inputs but the token", "the state and the journal"])
def test_the_last_word_closes_what_is_pending_whatever_else_is_gone(shop: Shop, tmp_path: Path, gone: str) -> None:
    job = shop.merged(shop.wish("2.0"))
    fault = shop.hub.fault("POST", f"{API}/deployments/*/statuses", delay=1.0, after_handling=True)
    running: Any = shop.begin(job)
    shop.hub.until(lambda: fault.met, FUSE)
    running.kill()
    (where,) = (tmp_path / "jobs").glob("job-*")
    more = {}
    if gone == "the inventory":
        (where / "workspace/services.yml").write_text("{")
    elif gone == "the state and the journal":
        subprocess.run(["rm", "-r", str(where / "temp/deploygate")], check=True)
        more = {"STATE_PHASE": "", "STATE_SINCE": ""}
    assert running.post("again", **more).wait(FUSE) == 0
    assert "pending" not in shop.statuses(job.sha).values()
    ran = shop.over(job, running)
    assert "internal_error" not in ran.log
    assert_nothing_is_pending(shop, job)


def test_a_last_word_that_is_killed_itself_can_be_said_again(shop: Shop) -> None:
    job = shop.merged(shop.wish("2.0"))
    first = shop.hub.fault("POST", f"{API}/deployments/*/statuses", delay=1.0, after_handling=True)
    running: Any = shop.begin(job)
    shop.hub.until(lambda: first.met, FUSE)
    running.kill()
    second = shop.hub.fault("POST", f"{API}/*", delay=1.0, after_handling=True)
    post = running.post("killed")
    shop.hub.until(lambda: second.met, FUSE)
    post.kill()
    post.wait(FUSE)
    shop.over(job, running)
    assert_nothing_is_pending(shop, job)
    assert shop.run(shop.by_hand(service=SERVICE_NAME, reason="it was killed")).green
    assert shop.fleet.versions() == shop.fleet.all_at("1.0")


def test_a_rollback_workflow_that_ends_green_and_did_nothing_is_not_believed(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shop.rollback, "on_dispatch", lambda dispatch: dispatch.run.complete("success"))
    ran = shop.run(shop.merged(shop.wish("2.0", at=ILL)))
    assert ended(ran) == ("fail", "rolled_back", "6"), ran.log
    assert shop.fleet.versions() == shop.fleet.all_at("1.0")
    assert "left no record of what it did" in re.sub(r"\\", "", ran.summary)


def test_an_inventory_with_windows_ends_of_lines_is_put_back_to_the_letter(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scenarios.shop.permissions", lambda _file: MAY | {"contents": "write"})
    text = shop.fleet.inventory("2.0").replace("\n", "\r\n")
    pull = shop.propose({"services.yml": text} | shop.fleet.release("2.0", at=ILL), "Windows")
    ran = shop.run(shop.merged(pull))
    assert ended(ran) == ("fail", "rolled_back", "6"), ran.log
    (proposal,) = [one for one in shop.repo.pulls.values() if one.state == "open"]
    after = shop.repo.text("services.yml", proposal.head)
    assert after is not None
    assert after.count("\r\n") == text.count("\r\n")
