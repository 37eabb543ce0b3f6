"""The step where things are not as they should be: what is missing is named, and nothing untrue is left standing."""

import json
import subprocess
import sys
import threading
from functools import partial

import pytest
from stepping import ENTRY, SERVICES, TOKEN, Workspace

from deploygate.account import Account, Row
from deploygate.adapters.runner import Runner
from deploygate.cli.acting import deploy, step
from deploygate.cli.acting.concealing import Concealed
from deploygate.cli.acting.gates import DeskForge
from deploygate.cli.acting.inputs import parsed
from deploygate.endings import EXIT_CODES, Ending, Goal
from deploygate.errors import GateError
from deploygate.names import RunId

FUSE = 30.0
NEW = SERVICES.replace('"1.0"', '"2.0"')
EVENTS = ["schedule", "workflow_dispatch", "deployment", "push", "repository_dispatch", "issue_comment"]


def merged(shop: Workspace, text: str = NEW) -> int:
    """Merge another inventory, be called for it, and return the number of the pull request."""
    before = shop.repo.sha("main")
    shop.repo.commit({"services.yml": text}, "Change it", branch="change")
    pull = shop.repo.pull("change")
    sha = shop.repo.merge(pull.number)
    shop.write(text)
    shop.event("push", {"before": before}, sha)
    return pull.number


def fused(held: threading.Event) -> None:
    held.wait(FUSE)


def notes(shop: Workspace) -> list[str]:
    said: list[str] = json.loads(shop.outputs["result"])["notes"]
    return said


def comment(shop: Workspace, number: int) -> str:
    (made,) = shop.repo.pulls[number].comments
    return made.body


@pytest.mark.parametrize("lacking", ["statuses", "pull-requests", "deployments", "contents"])
def test_f1_a_check_names_the_one_permission_that_is_missing_once_and_does_the_rest(
    shop: Workspace, lacking: str
) -> None:
    whole = {"contents": "read", "deployments": "read", "pull-requests": "write", "statuses": "write"}
    pull = shop.pull(NEW)
    shop.hub.accept(TOKEN, {key: level for key, level in whole.items() if key != lacking})
    assert shop.step() == 0
    assert shop.summary.replace("\\", "").count(f"needs {lacking}: ") == 1, shop.summary
    assert (shop.statuses(pull.head_sha) == {}) == (lacking == "statuses")
    assert (len(pull.comments) == 0) == (lacking == "pull-requests")


@pytest.mark.parametrize("event", EVENTS)
@pytest.mark.parametrize(
    ("verb", "code"), [("check", 0), ("deploy", 0), ("rollback", 4), ("restore", 0), ("observe", 9)]
)
def test_each_verb_does_on_each_event_what_it_does_by_hand(shop: Workspace, event: str, verb: str, code: int) -> None:
    sha = shop.repo.sha("main")
    shop.event(event, {"deployment": {"sha": sha}, "issue": {"number": 1}}, sha)
    given = {} if verb == "check" else {"service": "Svc"}
    ended = shop.step(verb=verb, **given, **({"dry_run": "true", "baseline": "broken"} if verb == "deploy" else {}))
    assert shop.outputs["exit_code"] == str(ended)
    assert shop.outputs["reason_code"] != "internal_error", shop.summary
    assert ended == code, shop.summary
    assert {one.path.rpartition("/")[2] for one in shop.hub.requests if "/statuses/" in one.path} <= {sha}


def test_f29_a_deployment_s_commit_is_the_payload_s_though_its_ref_is_empty(shop: Workspace) -> None:
    sha = shop.repo.sha("main")
    shop.event("deployment", {"deployment": {"sha": sha, "ref": ""}}, "0" * 40)
    shop.environ["GITHUB_REF"] = ""
    assert shop.step() == 0
    assert shop.statuses(sha)["deploygate/check"][0] == "success"


def test_statuses_none_sets_none_and_changed_only_those_of_the_change(shop: Workspace) -> None:
    pull = shop.pull(SERVICES.replace("Answers.", "Answers well."))
    assert shop.step(statuses="none") == 0
    assert shop.statuses(pull.head_sha) == {}
    assert shop.step(statuses="changed") == 0
    assert set(shop.statuses(pull.head_sha)) == {"deploygate/check"}


def test_comment_false_writes_none_and_has_no_address(shop: Workspace) -> None:
    pull = shop.pull(NEW)
    assert shop.step(comment="false") == 0
    assert (pull.comments, shop.outputs["comment_url"]) == ([], "")


def test_deployments_false_asks_for_none_and_records_none(shop: Workspace) -> None:
    merged(shop)
    shop.step(verb="deploy", deployments="false")
    assert [one.path for one in shop.hub.requests if "/deployments" in one.path] == []
    assert shop.outputs["deployment_id"] == ""


def test_a_check_is_narrowed_to_a_service_and_an_environment(shop: Workspace) -> None:
    pull = shop.pull(NEW)
    assert shop.step(service="Svc", environment="parallel-chain") == 0
    assert "deploygate/production/Svc" not in shop.statuses(pull.head_sha)
    (change,) = json.loads(shop.outputs["result"])["changes"]
    assert "s-1" not in json.dumps(change)
    assert shop.step(service="Svx") == 2
    assert "Did you mean Svc" in shop.summary
    assert shop.step(environment="nowhere") == 2


@pytest.mark.parametrize("given", [{"token": "two words"}, {"token": "\u00fc" * 40}])
@pytest.mark.parametrize("verb", ["check", "deploy", "rollback", "observe"])
def test_a_token_that_can_not_be_one_is_as_none_and_never_shown(
    shop: Workspace, verb: str, given: dict[str, str]
) -> None:
    merged(shop)
    shop.step(verb=verb, service="Svc", **given)
    assert shop.outputs["reason_code"] != "internal_error", shop.summary
    assert shop.hub.requests == []
    assert any("not one that GitHub gives" in note for note in notes(shop))


def test_what_the_comment_says_is_under_way_does_not_stay_so_when_the_run_can_not_begin(shop: Workspace) -> None:
    number = merged(shop)
    assert shop.step(verb="deploy", environment="nowhere") == 2
    assert "there is no environment nowhere" in comment(shop, number)
    assert "being deployed" not in comment(shop, number)


TWO = SERVICES + SERVICES.partition("services:\n")[2].replace("Svc:", "Two:").replace("-1", "-1t").replace(
    "s-2", "s-2t"
).replace(":71", ":72").replace("root: srv", "root: two")


def test_what_was_deployed_before_a_service_that_can_not_be_is_not_forgotten(
    shop: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = (Row("s-1", "production", "2.0", "healthy", "updated", ""),)

    def one(_desk: object, _gates: object, name: str, _going: str) -> tuple[Account, bool]:
        if name == "Two":
            raise GateError("the plug-in of Two is missing", help="Install it.")
        return Account(RunId("r-1"), Goal.DEPLOY, "Svc", "2.0", Ending.DEPLOYED, "Svc 2.0 runs", rows=rows), False

    monkeypatch.setattr(deploy, "_one", one)
    shop.repo.commit({"services.yml": TWO}, "Two services")
    number = merged(shop, TWO.replace('"1.0"', '"2.0"'))
    assert shop.step(verb="deploy") == 2
    assert (shop.outputs["decision"], shop.outputs["changed"]) == ("fail", "true")
    assert (shop.outputs["service"], shop.outputs["version"], shop.outputs["run"]) == ("", "", "")
    for text in (comment(shop, number), shop.summary):
        assert "Svc 2.0 runs" in text.replace("\\", "")
        assert "the plug-in of Two is missing" in text.replace("\\", "")
    assert [one["ending"] for one in json.loads(shop.outputs["result"])["runs"]] == ["deployed", "usage_error"]


def test_a_run_that_does_not_get_the_lock_does_not_say_that_it_is_under_way(
    shop: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = Account(RunId("r-2"), Goal.DEPLOY, "Svc", "2.0", Ending.LOCKED, "another run holds Svc")
    monkeypatch.setattr(deploy, "_one", lambda *_: (held, False))
    number = merged(shop)
    assert shop.step(verb="deploy") == EXIT_CODES[Ending.LOCKED]
    assert "another run holds Svc" in comment(shop, number)
    assert "being deployed" not in comment(shop, number)


def test_a_dry_run_tells_nobody_that_a_deploy_is_under_way(shop: Workspace) -> None:
    number = merged(shop)
    shop.step(verb="deploy", dry_run="true")
    assert shop.repo.pulls[number].comments == []
    assert {one.method for one in shop.hub.requests} == {"GET"}


def test_a_defect_of_ours_has_outputs_and_a_summary_and_leaves_the_last_word_to_the_post_step(
    shop: Workspace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError(f"with {TOKEN} in it")

    monkeypatch.setattr(step, "check", broken)
    shop.pull(NEW)
    assert shop.step() == 1
    assert (shop.outputs["decision"], shop.outputs["reason_code"]) == ("cannot_tell", "internal_error")
    assert "ZeroDivisionError" in shop.summary
    states = [value for name, _, value in ENTRY.findall((shop.folder.parent / "state").read_text()) if name == "PHASE"]
    assert states == ["begun", "begun"]
    said = capsys.readouterr()
    assert TOKEN not in shop.summary + said.err


@pytest.mark.parametrize("given", [{}, {"verb": "launch"}, {"verb": "deploy", "service": "Svc", "dry_run": "true"}])
def test_every_result_says_its_form_its_decision_and_its_reason(shop: Workspace, given: dict[str, str]) -> None:
    shop.event("workflow_dispatch", {}, shop.repo.sha("main"))
    shop.step(**given)
    result = json.loads(shop.outputs["result"])
    assert result["schema"] == 1
    assert (result["decision"], result["reason_code"]) == (shop.outputs["decision"], shop.outputs["reason_code"])
    assert str(result["exit_code"]) == shop.outputs["exit_code"]


def test_f30_an_output_is_never_too_long_to_be_handed_on_as_a_variable(shop: Workspace) -> None:
    more = "        - {{name: x-{0}, address: 'http://x-{0}:80'}}\n"
    many = "".join(more.format(number) for number in range(1500))
    shop.pull(f"{NEW}{many}")
    shop.step()
    assert len(shop.outputs["result"]) < 128 * 1024
    result = json.loads(shop.outputs["result"])
    assert (result["schema"], result["decision"]) == (1, shop.outputs["decision"])


def test_f15_nothing_is_written_into_the_workspace(shop: Workspace) -> None:
    merged(shop)
    shop.step(verb="deploy")
    shop.step(verb="rollback", service="Svc")
    assert [path.name for path in shop.folder.iterdir()] == ["services.yml"]


def test_what_is_shown_is_never_waited_for_by_a_deploy(shop: Workspace) -> None:
    """However slow GitHub is, it does not come between two changes: it hears of them when it is its turn."""
    shop.event("push", {}, shop.repo.sha("main"))
    held = threading.Event()
    desk = step.open_desk(parsed({"token": TOKEN, "verb": "deploy"}), shop.environ, Runner({}, str), Concealed())
    desk.errands.submit(partial(fused, held))
    forge = DeskForge(desk, None, "it is under way")
    forge.status("deploygate/production/Svc", "pending", "Svc 2.0 is under way")
    forge.status("deploygate/production/Svc", "success", "Svc 2.0")
    assert shop.hub.requests == []
    held.set()
    desk.close()
    assert [one.body["state"] for one in shop.hub.requests] == ["pending", "success"]


def test_f14_git_is_never_asked_by_a_step() -> None:
    """A checkout is another user's in a container, and git refuses it; there is no git in the image, either."""
    code = "import sys, deploygate.cli.action, deploygate.cli.acting.closing; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "deploygate.adapters.github.client" in done.stdout.split()
    assert "deploygate.adapters.git" not in done.stdout.split()


def test_what_is_left_for_the_post_step_mostly_is_nothing_and_costs_no_library() -> None:
    code = (
        "import os, sys\nos.environ['STATE_PHASE'] = 'closed'\nfrom deploygate.cli.last_word import main\nmain()\n"
        "print(*sorted({name.partition('.')[0] for name in sys.modules} & {'github', 'requests', 'yaml', 'click'}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "\n"
