"""A release names its image by version and digest, and nothing else of the tree differs."""

from pathlib import Path

import pytest
import release
from workflows import ACTION, PROJECT, text

DIGEST = "sha256:" + "0" * 64


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
