"""The workflows, ours and the examples, keep what their users rely on."""

import json
import re
from pathlib import Path

import pytest
from workflows import ACTION, CALLED, EXAMPLES, OWN, PROJECT, ROOT, name, steps, workflow

SENTENCE = re.compile(r"[A-Z][^\n]*[^.\s]\.")


@pytest.mark.parametrize("path", [*OWN, *EXAMPLES], ids=name)
def test_any_permission_given_takes_the_others_so_each_job_names_its_own(path: Path) -> None:
    found = workflow(path)
    assert found["permissions"] == {}
    for key, job in found["jobs"].items():
        assert isinstance(job["permissions"], dict), key


@pytest.mark.parametrize("path", [*OWN, *EXAMPLES], ids=name)
def test_every_job_of_steps_has_a_time_limit(path: Path) -> None:
    for key, job in workflow(path)["jobs"].items():
        assert "uses" in job or "timeout-minutes" in job, key


@pytest.mark.parametrize("path", [*CALLED, *EXAMPLES], ids=name)
def test_a_run_that_changes_hosts_is_never_cancelled_by_a_newer_one(path: Path) -> None:
    for key, job in workflow(path)["jobs"].items():
        if any("OWNER/deploygate@" in step.get("uses", "") for step in job.get("steps", ())):
            assert job["concurrency"]["cancel-in-progress"] is False, key
        assert "concurrency" not in workflow(path)  # for a whole workflow it would hold those that wait for a person


@pytest.mark.parametrize("path", [*OWN, *EXAMPLES], ids=name)
def test_no_expression_stands_in_the_text_of_a_program(path: Path) -> None:
    for step in steps(path):
        assert "${{" not in step.get("run", ""), step


@pytest.mark.parametrize("path", [*OWN, *EXAMPLES], ids=name)
def test_uses_are_pinned_to_commits_and_our_own_to_the_package_s_major_version(path: Path) -> None:
    major = PROJECT["version"].split(".")[0]
    for where, reference, says in re.findall(r"uses: ([^@\s]+)@(\S+)(?: # (\S+))?", path.read_text()):
        if where.split("/")[:2] == ["OWNER", "deploygate"]:
            assert reference == f"v{major}"
        else:
            assert re.fullmatch(r"[0-9a-f]{40}", reference), where
            assert re.fullmatch(r"v\d+\.\d+\.\d+", says), where


def test_the_same_action_has_the_same_commit_everywhere() -> None:
    found: dict[str, set[str]] = {}
    for path in (*OWN, *EXAMPLES):
        for where, reference in re.findall(r"uses: ([^@\s]+)@(\S+)", path.read_text()):
            found.setdefault(where, set()).add(reference)
    assert {where: commits for where, commits in found.items() if len(commits) > 1} == {}


@pytest.mark.parametrize("path", CALLED, ids=name)
def test_a_called_workflow_s_inputs_have_the_defaults_of_the_action(path: Path) -> None:
    for key, about in workflow(path)["on"]["workflow_call"]["inputs"].items():
        assert SENTENCE.fullmatch(about["description"]), key
        if key in ACTION["inputs"] and not about.get("required"):
            shown = str(about["default"]).lower() if about["type"] == "boolean" else about["default"]
            wanted = {("rollback", "version"): "previous"}.get((path.stem, key), ACTION["inputs"][key]["default"])
            assert shown == wanted, key


@pytest.mark.parametrize("path", CALLED, ids=name)
def test_a_called_workflow_hands_every_input_of_the_action_s_to_it_unchanged(path: Path) -> None:
    (gate,) = (step for step in steps(path) if "OWNER/deploygate@" in step.get("uses", ""))
    given = workflow(path)["on"]["workflow_call"]["inputs"]
    assert gate["with"].pop("verb") == path.stem
    for key in set(given) & set(ACTION["inputs"]):
        assert gate["with"][key] == f"${{{{ inputs.{key} }}}}"
    assert set(gate["with"]) <= {*given, "ssh_key", "token"}


@pytest.mark.parametrize("path", CALLED, ids=name)
def test_a_called_workflow_s_outputs_are_some_of_the_action_s(path: Path) -> None:
    for key, about in workflow(path)["on"]["workflow_call"]["outputs"].items():
        assert key in ACTION["outputs"]
        assert about["value"] == f"${{{{ jobs.{path.stem}.outputs.{key} }}}}"
        assert workflow(path)["jobs"][path.stem]["outputs"][key] == f"${{{{ steps.gate.outputs.{key} }}}}"


def test_a_run_that_waits_for_approval_does_not_hold_the_concurrency_group() -> None:
    approve, deploy = (workflow(CALLED[1])["jobs"][key] for key in ("approve", "deploy"))
    assert "concurrency" not in approve
    assert approve["environment"] == {"name": "${{ inputs.approval }}", "deployment": False}
    assert "approval" not in json.dumps(deploy["environment"])
    assert deploy["needs"] == "approve"
    assert deploy["concurrency"]["queue"] == "max"


def test_a_skipped_approval_lets_a_deploy_through_only_where_none_was_asked_for() -> None:
    condition = " ".join(workflow(CALLED[1])["jobs"]["deploy"]["if"].split())
    assert condition == (
        "${{ !cancelled() && (needs.approve.result == 'success'"
        " || (needs.approve.result == 'skipped' && inputs.approval == '')) }}"
    )


def test_the_rollback_workflow_shares_no_group_with_a_deploy_and_needs_no_approval() -> None:
    (job,) = workflow(CALLED[2])["jobs"].values()
    assert job["concurrency"]["group"].startswith("deploygate-rollback-")
    assert not workflow(CALLED[1])["jobs"]["deploy"]["concurrency"]["group"].startswith("deploygate-rollback-")
    assert "approval" not in CALLED[2].read_text().replace("No approval", "")


@pytest.mark.parametrize("path", [path for path in EXAMPLES if path.stem == "rollback"], ids=name)
def test_a_rollback_is_dispatched_with_these_inputs_and_found_by_its_name(path: Path) -> None:
    found = workflow(path)
    inputs = found["on"]["workflow_dispatch"]["inputs"]
    assert list(inputs) == ["service", "environment", "version", "reason", "of_run", "raised"]
    assert inputs["version"]["default"] == "previous"
    # GitHub refuses a dispatch whose value is no option, and fills in defaults: a way back must not end there.
    assert {about["type"] for about in inputs.values()} == {"string", "boolean"}
    assert {key for key, about in inputs.items() if about.get("default")} == {"version"}
    assert "inputs.service" in found["run-name"]
    assert "inputs.of_run" in found["run-name"]


@pytest.mark.parametrize("path", [path for path in EXAMPLES if "pull_request" in workflow(path)["on"]], ids=name)
def test_a_required_check_is_reported_for_every_pull_request_and_in_the_merge_queue(path: Path) -> None:
    triggers = workflow(path)["on"]
    assert triggers["pull_request"] is None  # path filters would leave it expected for ever
    assert "merge_group" in triggers


def test_pull_requests_get_no_secrets() -> None:
    assert "secrets" not in workflow(CALLED[0])["on"]["workflow_call"]
    for path in EXAMPLES:
        check = workflow(path)["jobs"].get("check", {})
        assert "secrets." not in json.dumps(check), path


def test_the_one_green_job_needs_all_others_and_is_never_skipped() -> None:
    jobs = workflow(ROOT / ".github" / "workflows" / "ci.yml")["jobs"]
    assert set(jobs["all-green"]["needs"]) == set(jobs) - {"all-green"}
    assert jobs["all-green"]["if"] == "always()"


def test_ci_tests_every_python_from_the_oldest_that_is_promised() -> None:
    tested = workflow(ROOT / ".github" / "workflows" / "ci.yml")["jobs"]["test"]["strategy"]["matrix"]["python"]
    assert PROJECT["requires-python"] == f">={tested[0]}"
    assert tested == ["3.11", "3.12", "3.13", "3.14"]
