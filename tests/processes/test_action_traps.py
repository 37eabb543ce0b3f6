"""A whole deploy by the Action where GitHub is not as it should be: it gets there, and says what it lacks."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from scenarios.as_processes import Processes
from scenarios.commands import file_commands
from scenarios.five import CHAIN, PRODUCTION, ended
from scenarios.fleet import NAMES, SERVICE_NAME, ShopFleet
from scenarios.runner import Given
from scenarios.shop import Shop
from scenarios.workflows import given_inputs

from deploygate.fake_github import FakeGitHub

from .fleet import FUSE
from .shops import MAY, here

ILL = {"s-2": {"moans": "no such table", "ill_after": 0}}
NAMED = {
    "actions": [],  # a deploy that goes well needs none
    "contents": ["read"],
    "deployments": ["read", "write"],  # what earlier runs left, and that this one is on record
    "pull-requests": ["read"],  # without it nobody knows whom to tell
    "statuses": ["write"],
}
INVENTORY = Path(__file__).parents[2] / "examples" / "talk" / "services.yml"
PAGE = Path(__file__).parents[2] / "docs" / "github-api.md"
Opened = Callable[..., Shop]


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Opened]:
    """Open shops; nothing of them is left afterwards."""
    with ExitStack() as stack:

        def opened(server: str = "github.com", more: int = 0) -> Shop:
            folder = tmp_path / f"{server}-{more}"
            names = [*NAMES, *(f"s-{number}" for number in range(len(NAMES), len(NAMES) + more))]
            fleet = ShopFleet(folder / "fleet", here(folder, len(names)), names)
            stack.callback(fleet.down)
            hub = stack.enter_context(FakeGitHub(server=server))
            runner = Processes(folder / "jobs", Given(hub, {}, {}))
            stack.callback(runner.close)
            return Shop(hub, fleet.up(), runner)

        yield opened


def said(text: str) -> str:
    return re.sub(r"\\", "", text)


@pytest.mark.parametrize("lacking", list(MAY))
def test_f1_a_deploy_gets_there_without_any_one_permission_and_names_it_once(opened: Opened, lacking: str) -> None:
    shop = opened()
    job = shop.merged(shop.wish("2.0"))
    may = {key: level for key, level in MAY.items() if key != lacking}
    ran = shop.run(replace(job, permissions=may))
    if lacking == "contents":  # which versions a push changes can't be told: that is no yes
        assert ended(ran) == ("cannot_tell", "cannot_tell", "9"), ran.log
        assert shop.fleet.versions() == shop.fleet.all_at("1.0")
    else:
        assert ended(ran) == ("pass", "deployed", "0"), ran.log
        assert shop.fleet.versions() == shop.fleet.all_at("2.0")
    named = re.findall(rf"needs {lacking}: (\w+)", said(ran.summary))
    assert sorted(named) == NAMED[lacking], ran.summary
    assert (shop.statuses(job.sha) == {}) == (lacking in {"statuses", "contents"})
    assert (shop.deployments() == []) == (lacking in {"deployments", "contents"})


def test_f1_without_actions_write_a_failed_deploy_is_taken_back_here_and_the_permission_is_named(
    opened: Opened,
) -> None:
    shop = opened()
    pull = shop.wish("2.0", at=ILL)
    job = shop.merged(pull)
    may = {key: level for key, level in MAY.items() if key != "actions"}
    ran = shop.run(replace(job, permissions=may))
    assert ended(ran) == ("fail", "rolled_back", "6"), ran.log
    assert shop.fleet.versions() == shop.fleet.all_at("1.0")
    assert said(shop.comment(pull)).count("needs actions: write") == 1, shop.comment(pull)


def test_the_loop_closes_on_a_server_of_ones_own_that_does_not_tell_its_runs(opened: Opened) -> None:
    """Trap 3: GitHub Enterprise Server before 3.21 refuses `return_run_details` with 400, and has done nothing."""
    shop = opened("ghes-3.20")
    pull = shop.wish("2.0", at=ILL)
    checked = shop.run(shop.checked(pull))
    assert checked.green, checked.log
    assert shop.hub.url.endswith("/api/v3")
    job = shop.merged(pull)
    ran = shop.run(job)
    assert ended(ran) == ("fail", "rolled_back", "6"), ran.log
    assert shop.fleet.versions() == shop.fleet.all_at("1.0")
    (back,) = shop.ran
    assert back.green, back.log
    (run,) = (one for one in shop.repo.runs.values() if one.event == "workflow_dispatch")
    assert ran.outputs["rollback_run_id"] == str(run.number)
    assert [one.status for one in shop.hub.requests if one.path.endswith("/dispatches")] == [400, 204]
    assert shop.statuses(job.sha)[PRODUCTION] == "failure"
    by_hand = shop.run(shop.by_hand(service=SERVICE_NAME, version="1.0", reason="to be sure"))
    assert by_hand.green, by_hand.log


def test_f6_a_deploy_makes_as_many_calls_for_eight_instances_as_for_four(opened: Opened) -> None:
    made = []
    for more in (0, 4):
        shop = opened(more=more)
        job = shop.merged(shop.wish("2.0"))
        before = len(shop.hub.requests)
        ran = shop.run(job)
        assert ran.green, ran.log
        assert len(shop.fleet.versions()) == len(NAMES) + more
        made.append(
            [f"{one.method} {re.sub('[0-9a-f]{7,}|[0-9]+', 'N', one.path)}" for one in shop.hub.requests[before:]]
        )
    assert made[0] == made[1], made
    (formula,) = re.findall(r"^`(2 \+ .*)`$", PAGE.read_text(), re.MULTILINE)
    assert len(made[0]) == eval(formula, {"S": 1, "E": 2}), "\n".join(made[0])


def test_f6_a_rate_limit_without_an_end_costs_a_deploy_what_is_shown_and_not_the_deploy(opened: Opened) -> None:
    shop = opened()
    job = shop.merged(shop.wish("2.0"))
    for method in ("POST", "PATCH"):
        shop.hub.fault(method, "*", status=403, headers={"Retry-After": "3600"}, times=None)
    ran = shop.run(job)
    assert ended(ran) == ("pass", "deployed", "0"), ran.log
    assert shop.fleet.versions() == shop.fleet.all_at("2.0")
    assert "rate limit" in said(ran.summary)
    assert shop.statuses(job.sha) == {}


def test_without_records_a_failed_deploy_is_taken_back_all_the_same(
    opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rollback workflow knows nothing of the run that it is to undo; then the gate takes it back itself."""
    shop = opened()
    job = shop.merged(shop.wish("2.0", at=ILL))
    monkeypatch.setattr(
        "scenarios.as_processes.given_inputs", lambda *asked: given_inputs(*asked) | {"deployments": "false"}
    )
    ran = shop.run(job)
    assert ended(ran) == ("fail", "rolled_back", "6"), ran.log
    assert shop.fleet.versions() == shop.fleet.all_at("1.0")
    assert shop.deployments() == []


def test_trap_2_as_the_first_process_of_a_container_the_step_ends_on_sigterm_with_its_outputs(
    opened: Opened, tmp_path: Path
) -> None:
    """The first process of a container ignores each signal that it has no handler for."""
    alone = ["unshare", "--pid", "--fork", "--mount-proc"]
    if subprocess.run([*alone, "true"], capture_output=True, check=False).returncode:
        pytest.skip("no process may be the first one here: unshare is missing or not permitted")
    hub = opened().hub
    hub.fault("*", "*", delay=FUSE, times=None)
    out = tmp_path / "out"
    event = tmp_path / "event.json"
    about = {"before": hub.repository("acme/shop").sha(), "repository": {"default_branch": "main"}}
    event.write_text(json.dumps(about))
    (tmp_path / "services.yml").write_text(INVENTORY.read_text())
    environ = {
        "PATH": os.environ["PATH"], "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
        "INPUT_VERB": "deploy", "INPUT_TOKEN": hub.token(),
        "GITHUB_API_URL": hub.url, "GITHUB_REPOSITORY": "acme/shop", "GITHUB_REF": "refs/heads/main",
        "GITHUB_EVENT_NAME": "push", "GITHUB_EVENT_PATH": str(event), "GITHUB_RUN_ID": "7", "GITHUB_OUTPUT": str(out),
    }  # fmt: skip
    asked = len(hub.requests)
    step = subprocess.Popen([*alone, sys.executable, "-m", "deploygate", "action"], cwd=tmp_path, env=environ)
    try:
        hub.until(lambda: len(hub.requests) > asked or step.poll() is not None, within=FUSE)
        (first,) = psutil.Process(step.pid).children()
        first.send_signal(signal.SIGTERM)
        step.wait(FUSE)
    finally:
        step.kill()
    assert file_commands(out.read_text())["reason_code"] == "interrupted"


def test_a_slow_github_is_told_everything_and_the_deploy_gets_there(opened: Opened) -> None:
    shop = opened()
    pull = shop.wish("2.0")
    job = shop.merged(pull)
    shop.hub.fault("*", "*", delay=1.0, times=None)
    ran = shop.run(job)
    assert ended(ran) == ("pass", "deployed", "0"), ran.log
    assert {CHAIN: "success", PRODUCTION: "success"}.items() <= shop.statuses(job.sha).items()
    assert {state for _, _, state in shop.deployments()} == {"success"}
    assert "deployed" in shop.comment(pull)
    assert "What could not be told" not in ran.summary
