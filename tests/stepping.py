"""A step of the Action in this process: a checkout, a runner's files around it, and a GitHub on loopback."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from deploygate.cli.acting.step import main_step
from deploygate.fake_github import FakeGitHub, Pull, Repository

TOKEN = "fake_token_of_the_tests"
SERVICES = """\
schema: 1
environments: [parallel-chain, production]
services:
  Svc:
    purpose: Answers.
    owners: {ops: nathan, dev: cory, pm: obaid}
    version: "1.0"
    artifact: dist/Svc-{version}
    deploy: {killstart: {root: srv, start: [./run, "{port}"]}}
    instances:
      parallel-chain: [{name: p-1, address: "http://127.0.0.1:7101"}]
      production:
        - {name: s-1, address: "http://127.0.0.1:7111"}
        - {name: s-2, address: "http://127.0.0.1:7112"}
"""
ENTRY = re.compile(r"^(\w+)<<(ghadelimiter_\w+)\n(.*?)\n\2\n", re.MULTILINE | re.DOTALL)


@dataclass
class Workspace:
    """A checkout with a runner's files around it, and the repository that it is of."""

    folder: Path
    hub: FakeGitHub
    repo: Repository
    environ: dict[str, str] = field(default_factory=dict)

    def write(self, text: str) -> None:
        (self.folder / "services.yml").write_text(text)

    def event(self, name: str, payload: Mapping[str, object], sha: str) -> None:
        path = self.folder.parent / "event.json"
        whole = {"repository": {"full_name": "acme/shop", "default_branch": "main"}, **payload}
        path.write_text(json.dumps(whole))
        self.environ |= {"GITHUB_EVENT_NAME": name, "GITHUB_EVENT_PATH": str(path), "GITHUB_SHA": sha}
        self.environ |= {"GITHUB_REF": "refs/heads/main"}

    def pull(self, text: str, *, fork: bool = False) -> Pull:
        """Propose another inventory, and be called for it."""
        owner = self.repo.fork("mallory") if fork else self.repo
        sha = owner.commit({"services.yml": text}, "Change it", branch="change")
        pull = self.repo.pull("change", fork=owner if fork else None)
        self.write(text)
        sides = {
            "head": {"sha": sha, "repo": {"full_name": owner.full_name}},
            "base": {"sha": self.repo.sha("main"), "repo": {"full_name": "acme/shop"}},
        }
        self.event("pull_request", {"pull_request": {"number": pull.number, **sides}}, "0" * 40)
        return pull

    def step(self, **given: str) -> int:
        for name in ("out", "state", "summary"):
            (self.folder.parent / name).write_text("")
        return main_step({"token": TOKEN, **given}, self.environ)

    @property
    def outputs(self) -> dict[str, str]:
        return {name: value for name, _, value in ENTRY.findall((self.folder.parent / "out").read_text())}

    @property
    def summary(self) -> str:
        return (self.folder.parent / "summary").read_text()

    def statuses(self, sha: str) -> dict[str, tuple[str, str]]:
        return {one.context: (one.state, one.description or "") for one in self.repo.latest_statuses(sha)}
