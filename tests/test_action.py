"""action.yml, the image and the docs say the same, and what GitHub demands of them holds."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from workflows import ACTION, CALLED, EXAMPLES, PROJECT, name, text, workflow

DOCKERFILE = text("Dockerfile")
SENTENCE = re.compile(r"[A-Z][^\n]*[^.\s]\.")


def rows(page: str, part: str) -> list[tuple[str, ...]]:
    """Return the rows of a generated table, without its head."""
    body = text(f"docs/{page}").split(f"<!-- generated: {part} -->\n")[1].split("<!-- end -->")[0]
    return [tuple(cell.strip() for cell in line.strip("|").split(" | ")) for line in body.splitlines()[2:]]


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
    assert path.read_text() in text("docs/setups.md")


def test_the_table_of_permissions_is_what_the_workflows_ask_for() -> None:
    lines = re.findall(r"^\| `[a-z-]+: [a-z]+` \|.*$", text("docs/action.md"), re.MULTILINE)
    cells = [[cell.strip().strip("`") for cell in line.split("|")[1:]] for line in lines]
    for column, path in enumerate(CALLED, start=1):
        (job,) = (job for key, job in workflow(path)["jobs"].items() if key == path.stem)
        asked = {f"{key}: {value}" for key, value in job["permissions"].items()}
        assert {line[0] for line in cells if line[column] == "yes"} == asked, path.name


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
    assert allowed == {"LICENSE", "README.md", "docs/rules.md", "examples", "pyproject.toml", "schemas", "src"}
