"""What the Action promises its users, in five scenarios; whoever inherits them says by whom the jobs are run."""

import json
import time
from collections.abc import Iterator

import pytest
from processes.fleet import FUSE

from .fleet import SERVICE_NAME
from .runner import Job, Ran
from .shop import FULL_NAME, Shop

CHAIN, PRODUCTION = f"deploygate/parallel-chain/{SERVICE_NAME}", f"deploygate/production/{SERVICE_NAME}"
SECOND = {"s-1": {"slow": 3.0}}  # the second of the four instances is long about its start
GENTLE = {"deadline": "30s"}  # and has the time
WITHHELD = {f"/repos/{FULL_NAME}/git/refs"}  # a branch for the pull request that puts back: only who wants it gives it


class Five:
    """Five scenarios; a subclass has the fixture `shop`."""

    @pytest.fixture(autouse=True)
    def _permitted(self, shop: Shop) -> Iterator[None]:
        """Hold the project's workflows to the permissions that they declare: nothing is refused for want of one."""
        yield
        assert {one.path for one in shop.hub.requests if one.status == 403} <= WITHHELD

    def test_a_broken_inventory_is_marked_at_its_line_and_turns_the_pull_request_red(self, shop: Shop) -> None:
        broken = shop.fleet.inventory("2.0").replace("purpose:", "porpoise:")
        line = 1 + broken[: broken.index("porpoise")].count("\n")
        pull = shop.propose({"services.yml": broken}, "A slip")
        job = shop.checked(pull)
        ran = shop.run(job)
        assert not ran.green
        assert ended(ran) == ("fail", "inventory_error", "3")
        found = [(file, at) for file, at, _ in ran.annotated()]
        assert ("services.yml", str(line)) in found, ran.log
        assert shop.statuses(pull.head_sha)["deploygate/check"] == "failure"
        assert shop.statuses(job.sha) == {}
        assert f"services.yml:{line}" in shop.comment(pull)
        assert "porpoise" in ran.summary

    def test_merging_a_change_of_the_version_deploys_it_and_tells_the_pull_request(self, shop: Shop) -> None:
        pull = shop.wish("2.0")
        checked = shop.run(shop.checked(pull))
        assert (checked.green, ended(checked)[0]) == (True, "pass"), checked.log
        assert shop.statuses(pull.head_sha)["deploygate/check"] == "success"
        assert_all_in("1.0 2.0 p-1 s-1 s-2 s-3", shop.comment(pull))
        job = shop.merged(pull)
        ran = shop.run(job)
        assert ran.green, ran.log
        assert ended(ran) == ("pass", "deployed", "0")
        assert (ran.outputs["service"], ran.outputs["version"]) == (SERVICE_NAME, "2.0")
        assert json.loads(ran.outputs["result"])["schema"] == 1
        assert shop.fleet.versions() == shop.fleet.all_at("2.0")
        assert shop.statuses(job.sha) == {CHAIN: "success", PRODUCTION: "success"}
        assert shop.deployments() == [(*place, "success") for place in places(job.sha)]
        assert_all_in("2.0 s-3 deployed", shop.comment(pull))
        assert_all_in("2.0 s-3", ran.summary)

    def test_a_bad_version_is_taken_back_by_the_rollback_workflow_and_the_loop_is_closed(self, shop: Shop) -> None:
        pull = shop.wish("2.0", at={"s-2": {"moans": "no such table", "ill_after": 0}})
        job = shop.merged(pull)
        ran = shop.run(job)
        assert not ran.green
        assert ended(ran) == ("fail", "rolled_back", "6"), ran.log
        assert shop.fleet.versions() == shop.fleet.all_at("1.0")
        assert shop.calls("POST", "/dispatches") == 1
        (run,) = (one for one in shop.repo.runs.values() if one.event == "workflow_dispatch")
        (back,) = shop.ran
        assert (back.green, run.conclusion) == (True, "success"), back.log
        assert (ran.outputs["rollback_run_id"], run.inputs["of_run"]) == (str(run.number), ran.outputs["run"])
        assert shop.statuses(job.sha) == {CHAIN: "failure", PRODUCTION: "failure"}
        assert shop.deployments() == [(*place, state) for state in ("failure", "success") for place in places(job.sha)]
        assert_all_in("rolled_back 2.0 1.0 s-2", shop.comment(pull))
        assert "no such table" in shop.comment(pull)
        assert f"runs/{run.number}" in shop.comment(pull)
        assert '+    version: "1.0"' in shop.comment(pull)
        ran = shop.run(shop.again(job))
        assert ended(ran) == ("fail", "refused", "4"), ran.log
        assert "bad-version" in ran.summary
        assert shop.fleet.versions() == shop.fleet.all_at("1.0")

    def test_a_person_takes_a_version_back_from_the_actions_tab(self, shop: Shop) -> None:
        pull = shop.wish("2.0")
        job = shop.merged(pull)
        assert shop.run(job).green
        assert shop.fleet.versions() == shop.fleet.all_at("2.0")
        ran = shop.run(shop.by_hand(service=SERVICE_NAME, reason="orders fail"))
        assert ran.green, ran.log
        assert ended(ran) == ("pass", "rolled_back", "0")
        assert shop.fleet.versions() == shop.fleet.all_at("1.0")
        assert shop.statuses(job.sha) == {CHAIN: "failure", PRODUCTION: "failure"}
        assert shop.deployments() == [(*place, state) for state in ("inactive", "success") for place in places(job.sha)]
        for text in (ran.summary, shop.comment(pull)):
            assert_all_in("rolled_back 1.0 s-3 orders", text)

    @pytest.mark.parametrize("how", ["cancelled", "terminated", "killed"])
    def test_what_a_run_that_is_cut_off_leaves_open_is_closed_with_what_was_observed_and_can_be_finished(
        self, shop: Shop, how: str
    ) -> None:
        pull = shop.wish("2.0", at=SECOND)
        shop.commit({"services.yml": shop.fleet.inventory("2.0", health=GENTLE)}, "It takes its time", pull.head)
        job = shop.merged(pull)
        ran = cut_off(shop, job, how)
        assert not ran.green
        assert shop.statuses(job.sha).keys() == {CHAIN, PRODUCTION}
        assert set(shop.statuses(job.sha).values()) <= {"failure", "error"}
        assert shop.deployments() == [(*place, "error") for place in places(job.sha)]
        for text in (shop.comment(pull), ran.last_word if how == "killed" else ran.summary + ran.last_word):
            assert_all_in("interrupted p-1 2.0 s-1 s-2 s-3 1.0", text)
        ran = shop.run(shop.again(job))
        assert ended(ran) == ("pass", "deployed", "0"), ran.log
        assert shop.fleet.versions() == shop.fleet.all_at("2.0")
        assert shop.statuses(job.sha) == {CHAIN: "success", PRODUCTION: "success"}


def cut_off(shop: Shop, job: Job, how: str) -> Ran:
    """Begin a job, and cut it off when the first instance is done and the second on its way."""
    running = shop.begin(job)
    end = time.monotonic() + FUSE
    while not under_way(shop):
        assert running.goes(), running.ran().log
        assert time.monotonic() < end, shop.fleet.versions()
        time.sleep(0.05)
    {"cancelled": running.cancel, "terminated": running.terminate, "killed": running.kill}[how]()
    return shop.over(job, running)


def under_way(shop: Shop) -> bool:
    said = shop.fleet.versions()
    return said["p-1"] == "2.0" and said["s-1"] is None


def places(sha: str) -> list[tuple[str, str]]:
    """Return the environments of the service's deployments, in their order, each with the commit."""
    return [(f"parallel-chain/{SERVICE_NAME}", sha), (f"production/{SERVICE_NAME}", sha)]


def ended(ran: Ran) -> tuple[str, str, str]:
    """Return decision, reason code and exit code."""
    return ran.outputs["decision"], ran.outputs["reason_code"], ran.outputs["exit_code"]


def assert_all_in(words: str, text: str) -> None:
    """Each of the words stands somewhere in a text."""
    assert [word for word in words.split() if word not in text] == [], text
