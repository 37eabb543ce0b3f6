"""The shop of which a step is called."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from stepping import SERVICES, TOKEN, Workspace

from deploygate.fake_github import FakeGitHub


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workspace]:
    folder = tmp_path / "workspace"
    folder.mkdir()
    monkeypatch.chdir(folder)
    with FakeGitHub() as hub:
        hub.accept(TOKEN)
        repo = hub.repository("acme/shop")
        repo.commit({"services.yml": SERVICES}, "The inventory")
        environ = {
            "GITHUB_REPOSITORY": "acme/shop", "GITHUB_API_URL": hub.url, "GITHUB_SERVER_URL": hub.web,
            "GITHUB_RUN_ID": "77", "GITHUB_RUN_ATTEMPT": "1", "GITHUB_ACTOR": "octocat",
            "GITHUB_OUTPUT": str(tmp_path / "out"), "GITHUB_STATE": str(tmp_path / "state"),
            "GITHUB_STEP_SUMMARY": str(tmp_path / "summary"), "RUNNER_TEMP": str(tmp_path),
        }  # fmt: skip
        shop = Workspace(folder, hub, repo, environ)
        shop.write(SERVICES)
        yield shop
