"""Who asks the fake GitHub in its tests, and the examples that GitHub ships."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from deploygate.fake_github import FakeGitHub

Json = dict[str, Any]
EXAMPLES: list[Json] = json.loads((Path(__file__).parent / "examples.json").read_text())["examples"]


@dataclass(frozen=True)
class Caller:
    """Asks a hub as any program would."""

    hub: FakeGitHub
    token: str

    def __call__(self, method: str, path: str, body: object = None, **headers: str) -> requests.Response:
        url = path if path.startswith("http") else f"{self.hub.url}/repos/acme/shop{path}"
        sent = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        with requests.Session() as session:  # its connection is closed, whatever comes
            return session.request(method, url, json=body, headers=sent | named, timeout=10)

    def made(self, method: str, path: str, body: object = None) -> Json:
        answer = self(method, path, body)
        assert answer.ok, answer.text
        made: Json = answer.json()
        return made

    def refused(self, method: str, path: str, body: object = None) -> tuple[int, str]:
        answer = self(method, path, body)
        found = answer.json()
        (error,) = found.get("errors", [{}])
        return answer.status_code, error.get("message", found["message"])
