"""action.yml, the image, the workflows and the docs say the same, and what GitHub demands of them holds."""

import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import release
import yaml

ROOT = Path(__file__).resolve().parents[1]
ACTION: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text())
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
DOCKERFILE = (ROOT / "Dockerfile").read_text()
CALLED = [ROOT / ".github" / "workflows" / f"{name}.yml" for name in ("check", "deploy", "rollback")]
OWN = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
EXAMPLES = sorted((ROOT / "examples" / "workflows").glob("*/*.yml"))
DIGEST = "sha256:" + "0" * 64
SENTENCE = re.compile(r"[A-Z][^\n]*[^.\s]\.")


def name(path: Path) -> str:
    return f"{path.parent.name}/{path.name}"


def workflow(path: Path) -> dict[str, Any]:
    """Return a workflow; YAML 1.1 reads its key `on` as true."""
    found: dict[Any, Any] = yaml.safe_load(path.read_text())
    return {"on" if key is True else key: value for key, value in found.items()}


def steps(path: Path) -> Iterator[dict[str, Any]]:
    for job in workflow(path)["jobs"].values():
        yield from job.get("steps", ())


def rows(page: str, part: str) -> list[tuple[str, ...]]:
    """Return the rows of a generated table, without its head."""
    text = (ROOT / "docs" / page).read_text()
    body = text.split(f"<!-- generated: {part} -->\n")[1].split("<!-- end -->")[0]
    return [tuple(cell.strip() for cell in line.strip("|").split(" | ")) for line in body.splitlines()[2:]]


# --- action.yml ---


@pytest.mark.parametrize("key", ACTION["inputs"])
def test_inputs_keep_their_hyphens_in_the_environment_so_none_has_any(key: str) -> None:
    assert re.fullmatch(r"[a-z]+(_[a-z]+)*", key)


@pytest.mark.parametrize(("key", "about"), ACTION["inputs"].items())
def test_required_is_not_enforced_so_every_input_has_a_default_that_is_text(key: str, about: dict[str, Any]) -> None:
    assert set(about) == {"description", "default"}, key
    assert isinstance(about["default"], str)


@pytest.mark.parametrize(("key", "about"), [*ACTION["inputs"].items(), *ACTION["outputs"].items()])
def test_every_input_and_output_is_described_in_one_sentence(key: str, about: dict[str, Any]) -> None:
    assert SENTENCE.fullmatch(about["description"]), key
    assert len(about["description"]) <= 120


@pytest.mark.parametrize(("key", "about"), ACTION["outputs"].items())
def test_outputs_of_a_docker_action_have_no_value_of_their_own(key: str, about: dict[str, Any]) -> None:
    assert set(about) == {"description"}, key


def test_the_result_is_the_last_output_and_says_its_form() -> None:
    *_, last = ACTION["outputs"].items()
    assert last[0] == "result"
    assert "schema" in last[1]["description"]


def test_the_same_arguments_are_passed_to_the_post_entry_point() -> None:
    assert ACTION["runs"] == {
        "using": "docker",
        "image": ACTION["runs"]["image"],
        "args": ["action"],
        "post-entrypoint": "/usr/local/bin/deploygate-post",
    }


def test_the_marketplace_has_what_it_needs() -> None:
    assert {"name", "author", "description", "branding"} <= set(ACTION)
    assert len(ACTION["description"]) <= 125


# --- action.yml and the docs ---


def test_the_docs_table_has_every_input_and_no_other_with_its_default() -> None:
    wanted = [
        (f"`{key}`", f"`{about['default']}`" if about["default"] else "empty", about["description"])
        for key, about in ACTION["inputs"].items()
    ]
    assert rows("action.md", "action-inputs") == wanted


def test_the_docs_table_has_every_output_and_no_other() -> None:
    wanted = [(f"`{key}`", about["description"]) for key, about in ACTION["outputs"].items()]
    assert rows("action.md", "action-outputs") == wanted


@pytest.mark.parametrize("path", EXAMPLES, ids=name)
def test_every_example_is_shown(path: Path) -> None:
    assert path.read_text() in (ROOT / "docs" / "setups.md").read_text()


def test_the_table_of_permissions_is_what_the_workflows_ask_for() -> None:
    lines = re.findall(r"^\| `[a-z-]+: [a-z]+` \|.*$", text("docs/action.md"), re.MULTILINE)
    cells = [[cell.strip().strip("`") for cell in line.split("|")[1:]] for line in lines]
    for column, path in enumerate(CALLED, start=1):
        (job,) = (job for key, job in workflow(path)["jobs"].items() if key == path.stem)
        asked = {f"{key}: {value}" for key, value in job["permissions"].items()}
        assert {line[0] for line in cells if line[column] == "yes"} == asked, path.name


def text(page: str) -> str:
    return (ROOT / page).read_text()


# --- the image ---


def test_entry_points_are_absolute_and_of_the_wheel() -> None:
    (entry,) = re.findall(r"^ENTRYPOINT (.+)$", DOCKERFILE, re.MULTILINE)
    assert json.loads(entry) == ["/usr/local/bin/deploygate"]
    for path in (*json.loads(entry), ACTION["runs"]["post-entrypoint"]):
        script = Path(path).name
        assert path == f"/usr/local/bin/{script}"
        assert script in PROJECT["scripts"]
        assert f"/opt/deploygate/bin/{script} " in DOCKERFILE


def test_the_image_runs_as_github_demands() -> None:
    words = {line.split()[0] for line in DOCKERFILE.splitlines() if re.match(r"[A-Z]", line)}
    assert words == {"ARG", "FROM", "COPY", "RUN", "LABEL", "ENTRYPOINT"}  # no USER, no WORKDIR


def test_a_plain_docker_build_will_do() -> None:
    assert not re.search(r"^# *syntax|--mount|<<|@sha256|^FROM (?!\$\{PYTHON\})", DOCKERFILE, re.MULTILINE)
    assert re.search(r"^ARG PYTHON=python:3\.\d+-slim$", DOCKERFILE, re.MULTILINE)


def test_only_what_the_wheel_is_made_of_is_sent_to_the_builder() -> None:
    first, *others = [line for line in text(".dockerignore").splitlines() if not line.startswith("#")]
    assert first == "*"
    allowed = {line.removeprefix("!") for line in others if line.startswith("!")}
    assert allowed == {"LICENSE", "README.md", "examples", "pyproject.toml", "schemas", "src"}


# --- the release ---


def test_the_image_of_a_released_action_has_the_package_s_version() -> None:
    assert release.complaint(ACTION["runs"]["image"]) == ""


@pytest.mark.parametrize(
    ("image", "says"),
    [
        ("Dockerfile", ""),
        (f"docker://ghcr.io/acme/deploygate:v{PROJECT['version']}@{DIGEST}", ""),
        (f"docker://ghcr.io/acme/deploygate:v99.0.0@{DIGEST}", f"is not of version {PROJECT['version']}"),
        (f"docker://ghcr.io/acme/deploygate:v{PROJECT['version']}", "is neither"),
        ("docker://ghcr.io/acme/deploygate:latest", "is neither"),
        ("./Dockerfile", "is neither"),
    ],
)
def test_an_image_is_built_here_or_named_by_version_and_digest(image: str, says: str) -> None:
    found = release.complaint(image)
    assert (says in found) if says else found == ""


@pytest.mark.parametrize(
    ("wanted", "says"),
    [
        (PROJECT["version"], ""),
        ("99.0.0", "not 99.0.0"),
        ("v1", "is not of the form"),
        ("1.0.0;x", "is not of the form"),
    ],
)
def test_only_the_version_of_the_package_is_released(wanted: str, says: str) -> None:
    found = release.check(wanted)
    assert (says in found) if says else found == ""


def test_a_release_changes_one_line_of_the_action(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copy = tmp_path / "action.yml"
    copy.write_text(text("action.yml"))
    monkeypatch.setattr(release, "ACTION", copy)
    image = f"ghcr.io/acme/deploygate:v{PROJECT['version']}@{DIGEST}"
    assert release.main(["image", image]) == 0
    before, after = text("action.yml").splitlines(), copy.read_text().splitlines()
    assert [line for line in after if line not in before] == [f"  image: docker://{image}"]
    assert len(after) == len(before)
    assert release.main(["check", PROJECT["version"]]) == 1  # a released tree is not released again


def test_a_wrong_image_is_not_written(capsys: pytest.CaptureFixture[str]) -> None:
    assert release.main(["image", "ghcr.io/acme/deploygate:latest"]) == 1
    assert "is neither" in capsys.readouterr().err


# --- the workflows ---


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
