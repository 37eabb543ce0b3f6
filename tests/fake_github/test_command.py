"""The fake GitHub as a program of its own, and who may be in its code."""

import ast
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import requests

import deploygate.fake_github

PACKAGE = Path(deploygate.fake_github.__file__).parent
MAY_KNOW = ("deploygate.fake_github", "deploygate.names", "deploygate.wording")


@contextmanager
def running(*words: str) -> Iterator[tuple[subprocess.Popen[str], dict[str, str]]]:
    command = [sys.executable, "-m", "deploygate.fake_github", *words]
    with subprocess.Popen(
        command, text=True, env=dict(os.environ), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        try:
            assert process.stdout is not None
            yield process, dict(process.stdout.readline().strip().split("=", 1) for _ in range(3))
        finally:
            if process.poll() is None:
                process.kill()


def test_it_serves_what_it_is_given_until_a_signal_comes(tmp_path: Path) -> None:
    (tmp_path / "teams").mkdir()
    (tmp_path / "teams" / "a.yml").write_text("one\n")
    with running("--repository", "acme/gate", "--commit", str(tmp_path)) as (process, told):
        assert told.keys() == {"GITHUB_API_URL", "GITHUB_SERVER_URL", "GITHUB_TOKEN"}
        sent = {"Authorization": f"Bearer {told['GITHUB_TOKEN']}"}
        answer = requests.get(f"{told['GITHUB_API_URL']}/repos/acme/gate/contents/teams", headers=sent, timeout=10)
        assert [one["path"] for one in answer.json()] == ["teams/a.yml"]
        process.send_signal(signal.SIGTERM)
        assert process.communicate(timeout=20) == ("", "")
        assert process.returncode == 0


def test_it_ends_with_1_and_tells_why_where_the_description_was_broken() -> None:
    with running("--server", "ghes-3.20") as (process, told):
        assert told["GITHUB_API_URL"] == told["GITHUB_SERVER_URL"] + "/api/v3"
        requests.get(f"{told['GITHUB_API_URL']}/nowhere", timeout=10)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=20)
        assert (process.returncode, "GET /api/v3/nowhere asked: no operation" in errors) == (1, True)


def test_the_fake_knows_nothing_of_the_gate_but_names_and_wording() -> None:
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            known = [one.name for one in node.names] if isinstance(node, ast.Import) else []
            known += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert [one for one in known if one.startswith("deploygate") and not one.startswith(MAY_KNOW)] == [], path
