"""What the Action promises its users, in five scenarios; whoever inherits them says by whom the jobs are run."""

import json
import time

from processes.fleet import FUSE

from .fleet import SERVICE_NAME
from .runner import Ran
from .shop import Shop

CHAIN, PRODUCTION = f"deploygate/parallel-chain/{SERVICE_NAME}", f"deploygate/production/{SERVICE_NAME}"
SECOND = {"s-1": {"slow": 20.0}}  # the second of the four instances is long about its start
GENTLE = {"deadline": "30s"}  # and has the time


class Five:
    """Five scenarios; a subclass has the fixture `shop`."""

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
        assert shop.statuses(job.sha) | {"deploygate/check": "success"} == {
            "deploygate/check": "success",
            CHAIN: "success",
            PRODUCTION: "success",
        }
        assert shop.deployments() == [
            (f"parallel-chain/{SERVICE_NAME}", job.sha, "success"),
            (f"production/{SERVICE_NAME}", job.sha, "success"),
        ]
        assert_all_in("2.0 s-3 deployed", shop.comment(pull))
        assert_all_in("2.0 s-3", ran.summary)

    def test_a_bad_version_is_taken_back_by_the_rollback_workflow_and_the_loop_is_closed(self, shop: Shop) -> None:
        pull = shop.wish("2.0", at={"s-2": {"moans": "no such table", "ill_after": 0}})
        job = shop.merged(pull)
        ran = shop.run(job)
        assert not ran.green
        assert ended(ran) == ("fail", "rolled_back", "6"), ran.log
        assert shop.fleet.versions() == shop.fleet.all_at("1.0")
        (back,) = shop.ran
        assert back.green, back.log
        (run,) = (one for one in shop.repo.runs.values() if one.event == "workflow_dispatch")
        assert run.conclusion == "success"
        assert shop.calls("POST", "/dispatches") == 1
        assert ran.outputs["rollback_run_id"] == str(run.number)
        assert shop.statuses(job.sha)[PRODUCTION] == "failure"
        assert "in_progress" not in {state for _, _, state in shop.deployments()}
        assert_all_in("2.0 1.0 s-2 rolled", shop.comment(pull))
        assert str(run.number) in shop.comment(pull)

    def test_a_person_takes_a_version_back_from_the_actions_tab(self, shop: Shop) -> None:
        assert shop.run(shop.merged(shop.wish("2.0"))).green
        assert shop.fleet.versions() == shop.fleet.all_at("2.0")
        ran = shop.run(shop.by_hand(service=SERVICE_NAME, version="previous", reason="orders fail"))
        assert ran.green, ran.log
        assert ended(ran) == ("pass", "rolled_back", "0")
        assert shop.fleet.versions() == shop.fleet.all_at("1.0")
        assert_all_in("1.0 s-3", ran.summary)
        assert "in_progress" not in {state for _, _, state in shop.deployments()}

    def test_what_a_cancelled_run_has_left_open_is_closed_with_what_was_observed(self, shop: Shop) -> None:
        ran = cut_off(shop, kill=False)
        assert_closed(shop, ran.summary + ran.last_word)

    def test_what_a_killed_run_has_left_open_is_closed_with_what_was_observed(self, shop: Shop) -> None:
        ran = cut_off(shop, kill=True)
        assert ran.summary == ""
        assert_closed(shop, ran.last_word)


def cut_off(shop: Shop, *, kill: bool) -> Ran:
    """Merge a version of which the second instance is long about its start, and cut the run off in its middle."""
    pull = shop.wish("2.0", at=SECOND)
    files = {"services.yml": shop.fleet.inventory("2.0", health=GENTLE)}
    shop.commit(files, "It takes its time", pull.head)
    job = shop.merged(pull)
    running = shop.begin(job)
    end = time.monotonic() + FUSE
    while not under_way(shop):
        assert running.goes(), running.ran().log
        assert time.monotonic() < end, shop.fleet.versions()
        time.sleep(0.05)
    if kill:
        running.kill()
    else:
        running.cancel()
    ran = shop.over(job, running)
    assert not ran.green
    assert shop.statuses(job.sha)[PRODUCTION] in {"failure", "error"}
    return ran


def under_way(shop: Shop) -> bool:
    """Tell whether the first instance is at the new version, and the second on its way."""
    said = shop.fleet.versions()
    return said["p-1"] == "2.0" and said["s-1"] is None


def assert_closed(shop: Shop, said: str) -> None:
    """Nothing says that it is still going on, and every instance is named with what runs there."""
    assert not {state for _, _, state in shop.deployments()} & {"pending", "queued", "in_progress"}
    sha = shop.repo.sha()
    assert "pending" not in shop.statuses(sha).values()
    pull = max(shop.repo.pulls.values(), key=lambda one: one.number)
    for text in (shop.comment(pull), said):
        assert_all_in("interrupted p-1 2.0 s-1 s-2 s-3 1.0", text)


def ended(ran: Ran) -> tuple[str, str, str]:
    """Return decision, reason code and exit code."""
    return ran.outputs["decision"], ran.outputs["reason_code"], ran.outputs["exit_code"]


def assert_all_in(words: str, text: str) -> None:
    """Each of the words stands somewhere in a text."""
    assert [word for word in words.split() if word not in text] == [], text
