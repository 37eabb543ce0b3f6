"""The main step of the Action, in this process, on a GitHub on loopback: what it tells, and what never gets out."""

import json
import socket
from functools import partial
from pathlib import Path

import click
import pytest
from stepping import ENTRY, SERVICES, TOKEN, Workspace
from workflows import ACTION

from deploygate.cli.action import command


def test_a_check_shows_what_merging_would_do_and_sets_a_status_for_each_environment(shop: Workspace) -> None:
    pull = shop.pull(SERVICES.replace('version: "1.0"', 'version: "2.0"'))
    assert shop.step() == 0
    assert shop.outputs["decision"] == "pass"
    assert (shop.outputs["reason_code"], shop.outputs["exit_code"]) == ("sound", "0")
    result = json.loads(shop.outputs["result"])
    assert [(one["service"], one["from"], one["to"], one["source"]) for one in result["changes"]] == [
        ("Svc", "1.0", "2.0", "declared")
    ]
    told = shop.statuses(pull.head_sha)
    assert set(told) == {"deploygate/check", "deploygate/parallel-chain/Svc", "deploygate/production/Svc"}
    assert {state for state, _ in told.values()} == {"success"}
    (comment,) = pull.comments
    assert "Merging deploys Svc 1.0" in comment.body
    assert shop.outputs["comment_url"].endswith(f"#issuecomment-{comment.number}")
    assert "Merging deploys Svc 1.0" in shop.summary


def test_a_change_that_does_not_concern_a_service_is_not_applicable_to_it_and_a_success(shop: Workspace) -> None:
    pull = shop.pull(SERVICES.replace("Answers.", "Answers well."))
    assert shop.step() == 0
    told = shop.statuses(pull.head_sha)
    assert told["deploygate/production/Svc"] == ("success", "not applicable: this change does not concern it")


def test_a_broken_inventory_is_marked_at_its_line_and_every_required_check_fails(
    shop: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    pull = shop.pull(SERVICES.replace("purpose:", "porpoise:"))
    assert shop.step() == 3
    assert {state for state, _ in shop.statuses(pull.head_sha).values()} == {"failure"}
    assert len(shop.statuses(pull.head_sha)) == 3
    assert "::error file=services.yml,line=5," in capsys.readouterr().out
    assert shop.outputs["reason_code"] == "inventory_error"


def test_f1_what_a_token_may_not_do_is_named_once_and_the_rest_is_done(shop: Workspace) -> None:
    shop.hub.accept(TOKEN, {"contents": "read", "pull-requests": "write"})
    pull = shop.pull(SERVICES.replace('"1.0"', '"2.0"'))
    assert shop.step() == 0
    assert shop.statuses(pull.head_sha) == {}
    assert len(pull.comments) == 1
    notes = json.loads(shop.outputs["result"])["notes"]
    assert next(note for note in notes if "statuses" in note).startswith("statuses: GitHub does not allow")
    assert sum(1 for one in shop.hub.requests if "/statuses/" in one.path) == 1


def test_a_pull_request_from_a_fork_is_checked_without_writing_anything(shop: Workspace) -> None:
    shop.environ["GITHUB_ACTOR"] = "mallory"
    pull = shop.pull(SERVICES.replace('"1.0"', '"2.0"'), fork=True)
    assert shop.step(token=shop.hub.fork_token()) == 0
    assert "Merging deploys Svc 1.0" in shop.summary
    assert pull.comments == []
    assert {one.method for one in shop.hub.requests} == {"GET"}
    assert any("fork" in note for note in json.loads(shop.outputs["result"])["notes"])


def test_without_a_token_the_inventory_is_checked_all_the_same(shop: Workspace) -> None:
    shop.pull(SERVICES)
    assert shop.step(token="") == 0
    assert shop.hub.requests == []
    assert "there is no token" in shop.summary


def test_f23_that_the_inventory_before_cannot_be_read_is_neither_a_yes_nor_a_no(shop: Workspace) -> None:
    shop.hub.fault("GET", "/repos/acme/shop/contents/*", status=500, times=20)
    shop.pull(SERVICES.replace('"1.0"', '"2.0"'))
    assert shop.step() == 0
    assert json.loads(shop.outputs["result"])["changes"] is None
    assert "can't be told" in shop.summary


def test_a_merge_queue_is_checked_at_its_own_commit(shop: Workspace) -> None:
    base, sha = shop.repo.sha("main"), shop.repo.commit({"services.yml": SERVICES}, "queued", branch="queue")
    ref = f"refs/heads/gh-readonly-queue/main/pr-1-{base}"
    shop.event("merge_group", {"merge_group": {"head_sha": sha, "head_ref": ref, "base_sha": base}}, sha)
    assert shop.step(comment="false") == 0
    assert shop.statuses(sha)["deploygate/check"][0] == "success"


@pytest.mark.parametrize("event", ["pull_request", "merge_group"])
def test_nothing_is_deployed_for_what_may_never_be_merged(shop: Workspace, event: str) -> None:
    shop.pull(SERVICES.replace('"1.0"', '"2.0"'))
    shop.environ["GITHUB_EVENT_NAME"] = event
    assert shop.step(verb="deploy") == 2
    assert "verb: check" in shop.summary


def test_a_push_that_changes_no_version_deploys_nothing_and_is_a_success(shop: Workspace) -> None:
    before = shop.repo.sha("main")
    sha = shop.repo.commit({"services.yml": SERVICES.replace("Answers.", "Answers well.")}, "Words")
    shop.write(SERVICES.replace("Answers.", "Answers well."))
    shop.event("push", {"before": before}, sha)
    assert shop.step(verb="deploy") == 0
    assert (shop.outputs["reason_code"], shop.outputs["changed"]) == ("already_there", "false")
    assert {one.method for one in shop.hub.requests} == {"GET"}


def test_a_push_deploys_in_dependency_order_and_the_first_that_fails_stops_the_line(shop: Workspace) -> None:
    taker = SERVICES.partition("services:\n")[2].replace("Svc:", "Front:").replace("p-1", "f-p").replace("s-", "f-")
    taker = taker.replace(":71", ":72").replace("root: srv", "root: front")
    front = taker.replace("    artifact", '    consumes: {rows: "1"}\n    artifact')
    head, _, giver = SERVICES.partition("services:\n")
    giver = giver.replace("    artifact", '    provides: {rows: ["1"]}\n    artifact')
    both = f"{head}services:\n{front}{giver}"
    before = shop.repo.commit({"services.yml": both}, "Two services")
    after = both.replace('"1.0"', '"2.0"')
    shop.write(after)
    shop.event("push", {"before": before}, shop.repo.commit({"services.yml": after}, "Both"))
    assert shop.step(verb="deploy") == 4
    result = json.loads(shop.outputs["result"])
    assert [one["service"] for one in result["runs"]] == ["Svc"]
    assert result["not_begun"] == ["Front"]
    assert "1 service after it not begun" in shop.summary


def test_a_push_of_which_the_state_before_is_not_known_deploys_nothing_and_is_no_success(shop: Workspace) -> None:
    shop.event("push", {"before": "0" * 40}, shop.repo.sha("main"))
    assert shop.step(verb="deploy") == 9
    assert shop.outputs["decision"] == "cannot_tell"


def test_a_push_to_another_branch_deploys_nothing_by_itself(shop: Workspace) -> None:
    shop.event("push", {"before": shop.repo.sha("main")}, shop.repo.sha("main"))
    shop.environ["GITHUB_REF"] = "refs/heads/wild"
    assert shop.step(verb="deploy") == 2
    assert "only one to main does" in shop.summary


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"verb": "launch"}, "It can be: check, deploy, rollback, restore, observe"),
        ({"dry_run": "yes"}, "It can be: true, false"),
        ({"waive": "bad-version"}, "has no reason"),
        ({"verb": "rollback"}, "needs a service"),
        ({"verb": "deploy", "service": "Svx"}, "Did you mean Svc"),
        ({"verb": "deploy", "version": "2.0"}, "no service"),
        ({"inventory": "nowhere.yml"}, "nowhere.yml"),
    ],
)
def test_a_wrong_input_is_said_with_what_would_be_right(shop: Workspace, given: dict[str, str], says: str) -> None:
    shop.event("workflow_dispatch", {}, shop.repo.sha("main"))
    assert shop.step(**given) in {2, 3}
    assert says in shop.summary.replace("\\", "")
    assert shop.outputs["decision"] == "fail"


def test_one_line_of_ssh_configuration_is_a_line_though_a_variable_has_no_end_of_line(shop: Workspace) -> None:
    shop.pull(SERVICES)
    assert shop.step(ssh_config="User deploy", ssh_known_hosts="127.0.0.1 ssh-ed25519 AAAA") == 0
    shop.event("workflow_dispatch", {}, shop.repo.sha("main"))
    assert shop.step(verb="deploy", service="Svc", dry_run="true", ssh_config="User deploy") != 2, shop.summary


def test_an_agent_is_found_where_a_container_has_the_runner_s_temporary_folder(shop: Workspace, tmp_path: Path) -> None:
    shop.pull(SERVICES)
    shop.event("workflow_dispatch", {}, shop.repo.sha("main"))
    step = partial(shop.step, verb="deploy", service="Svc", dry_run="true", ssh_agent="/home/runner/_temp/agent")
    assert step() == 2
    assert "is no socket of an agent" in shop.summary
    shop.environ["RUNNER_TEMP"] = str(tmp_path)
    with socket.socket(socket.AF_UNIX) as agent:
        agent.bind(str(tmp_path / "agent"))
        assert step() != 2, shop.summary


def test_nothing_that_a_change_says_becomes_a_command_an_output_or_markup(
    shop: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    evil = '"::set-output name=decision::pass\\n##[error]x @octocat </details> [a](http://evil) <img src=x>"'
    pull = shop.pull(SERVICES.replace("Answers.", evil).replace("Svc:", "Svc::warning::x:"))
    shop.step()
    out = capsys.readouterr().out
    assert [line for line in out.splitlines() if line.startswith("::set-output")] == []
    assert "##[" not in out
    for text in (shop.summary, *(one.body for one in pull.comments)):
        assert "@octocat" not in text
        assert "<img" not in text
        assert "](http://evil" not in text


def test_no_secret_leaves_the_gate(shop: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    key = "-----BEGIN KEY-----\nabcdefghij\n-----END KEY-----\n"
    pull = shop.pull(SERVICES.replace("Answers.", f"Says {TOKEN} and abcdefghij.").replace('"1.0"', '"2.0"'))
    shop.step(ssh_key=key)
    out = capsys.readouterr().out
    shown = [line for line in out.splitlines() if not line.startswith("::add-mask::")]
    bodies = [json.dumps(one.body) for one in shop.hub.requests] + [one.body for one in pull.comments]
    for text in ("\n".join(shown), shop.summary, *bodies, *shop.outputs.values()):
        assert TOKEN not in text
        assert "abcdefghij" not in text
    assert f"::add-mask::{TOKEN}" in out


def test_the_main_step_says_that_it_has_closed_everything(shop: Workspace) -> None:
    shop.pull(SERVICES)
    shop.step()
    states = [value for name, _, value in ENTRY.findall((shop.folder.parent / "state").read_text()) if name == "PHASE"]
    assert states == ["begun", "closed"]


def test_an_older_run_never_writes_over_a_newer_one(shop: Workspace) -> None:
    pull = shop.pull(SERVICES.replace('"1.0"', '"2.0"'))
    assert shop.step() == 0
    newer = pull.comments[0].body
    shop.environ["GITHUB_RUN_ID"] = "76"
    shop.write(SERVICES)
    assert shop.step() == 0
    assert [one.body for one in pull.comments] == [newer]


def test_action_yml_and_the_options_of_the_command_line_say_the_same() -> None:
    options = [(one.name, one.default, one.help, one.envvar) for one in command.params if isinstance(one, click.Option)]
    inputs = ACTION["inputs"] | {"token": {**ACTION["inputs"]["token"], "default": ""}}  # the runner's own business
    assert options == [
        (name, about["default"], about["description"], f"INPUT_{name.upper()}") for name, about in inputs.items()
    ]


def test_action_yml_and_the_step_have_the_same_outputs(shop: Workspace) -> None:
    shop.pull(SERVICES)
    shop.step()
    assert list(shop.outputs) == list(ACTION["outputs"])
