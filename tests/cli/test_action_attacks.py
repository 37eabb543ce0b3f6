"""The Action under attack, in this process: words that would be commands, secrets in the wrong place, broken places."""

import json
from contextlib import closing

import pytest
from stepping import SERVICES, TOKEN, Workspace

from deploygate.adapters.github.client import Hub
from deploygate.adapters.github.statuses import set_status
from deploygate.cli.acting.closing import last_word
from deploygate.cli.acting.concealing import Concealed
from deploygate.names import Secret

BIDI = "\u202e"
EVIL = f"x\n::set-output name=decision::pass\r\n##[error]y @octocat #1 </details> `z` {BIDI}e\u200b [a](http://evil) "
LONG = "y" * 100_000
TEXTS = {"evil": EVIL, "long": LONG, "not UTF-8": "a\udc80b", "token": TOKEN, "outside": "../../../etc/passwd"}
NAMES = ("verb", "service", "version", "environment", "reason", "waive", "of_run", "inventory", "ssh_config", "ssh_key")


def told(shop: Workspace, out: str) -> str:
    """Return all that is told by a step, but for the masks."""
    lines = [line for line in out.splitlines() if not line.startswith("::add-mask::")]
    return "\n".join([*lines, shop.summary, *shop.outputs.values()])


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("name", NAMES)
def test_whatever_an_input_is_the_verdict_is_the_gates_own_and_nothing_in_it_is_obeyed_or_secret(
    shop: Workspace, capfd: pytest.CaptureFixture[str], name: str, text: str
) -> None:
    shop.event("workflow_dispatch", {}, shop.repo.sha("main"))
    code = shop.step(**({"verb": "rollback", "service": "Svc", "dry_run": "true"} | {name: TEXTS[text]}))
    captured = capfd.readouterr()
    said = told(shop, captured.out)
    assert shop.outputs["exit_code"] == str(code)
    assert shop.outputs["reason_code"] != "internal_error"
    assert TOKEN not in shop.summary + str(shop.outputs)  # the log is the runner's to mask
    assert BIDI not in said + captured.err
    assert "@octocat" not in shop.summary
    assert "::set-output" not in {line.strip().partition(" ")[0] for line in (said + captured.err).splitlines()}
    assert "##[" not in said + captured.err
    assert len(said) < 50_000


def test_a_defect_of_the_gate_is_an_ending_with_outputs_and_nothing_secret_is_printed_of_it(
    shop: Workspace, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError(f"ssh -i {TOKEN} failed\n::set-output name=decision::pass")

    monkeypatch.setattr("deploygate.cli.acting.step.check", broken)
    shop.pull(SERVICES)
    assert shop.step() == 1
    captured = capfd.readouterr()
    assert (shop.outputs["decision"], shop.outputs["reason_code"]) == ("cannot_tell", "internal_error")
    assert "RuntimeError at test_action_attacks.py:" in captured.out
    assert "Traceback" not in captured.out + captured.err
    assert TOKEN not in told(shop, captured.out) + captured.err
    assert "closed" not in (shop.folder.parent / "state").read_text()


@pytest.mark.parametrize("variable", ["GITHUB_OUTPUT", "GITHUB_STATE", "GITHUB_STEP_SUMMARY"])
def test_where_one_of_the_runners_files_cannot_be_written_the_others_are_and_the_verdict_stands(
    shop: Workspace, variable: str
) -> None:
    shop.pull(SERVICES.replace("purpose:", "porpoise:"))
    shop.environ[variable] = str(shop.folder)
    assert shop.step() == 3
    assert (variable == "GITHUB_OUTPUT") or shop.outputs["reason_code"] == "inventory_error"
    assert (variable == "GITHUB_STEP_SUMMARY") or "inventory" in shop.summary


@pytest.mark.parametrize("payload", ["", "{", "[]", "[" * 100_000, "null", '{"pull_request": 7, "before": {}}'])
def test_whatever_the_payload_of_an_event_is_the_inventory_is_checked(shop: Workspace, payload: str) -> None:
    event = shop.folder.parent / "event.json"
    event.write_text(payload)
    shop.environ |= {"GITHUB_EVENT_NAME": "push", "GITHUB_EVENT_PATH": str(event), "GITHUB_RUN_ID": "not a number"}
    assert shop.step() == 0


def test_a_secret_is_hidden_in_json_in_addresses_and_where_a_line_was_cut_in_its_middle() -> None:
    concealed = Concealed()
    concealed.know(['pa"ss\\wörd/1234'])
    said = json.dumps({"says": 'it is pa"ss\\wörd/1234'}, ensure_ascii=False)
    assert concealed.hide(said) == '{"says": "it is ***"}'
    assert concealed.hide("http://h/?key=pa%22ss%5Cw%C3%B6rd%2F1234&x") == "http://h/?key=***&x"
    assert concealed.hide('it says pa"ss… and pa… too') == "it says ***… and pa… too"


def test_the_last_word_leaves_statuses_of_others_alone(shop: Workspace) -> None:
    sha = shop.repo.sha("main")
    shop.event("push", {"before": sha}, sha)
    run = f"{shop.hub.web}/acme/shop/actions/runs/77/attempts/1"
    contexts = {"ci/build": "pending", "deploygate/production/Svc": "error", "deploygate/production/Other": "pending"}
    with closing(Hub(shop.hub.url, Secret(TOKEN), "acme/shop")) as hub:
        for context in contexts:
            set_status(hub, sha, context, "pending", "under way", run)
    given = {"INPUT_TOKEN": TOKEN, "INPUT_VERB": "deploy", "INPUT_SERVICE": "Svc"}
    assert last_word(shop.environ | given) == 0
    assert {context: state for context, (state, _) in shop.statuses(sha).items()} == contexts
