"""Deployments and their statuses, for those that are records of ours; nothing is sent twice."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

import msgspec
from github.Requester import Requester

from deploygate.adapters.github.client import Hub
from deploygate.adapters.github.trouble import GitHubTrouble, Unsent
from deploygate.closing import Said
from deploygate.names import PRODUCTION
from deploygate.occasion import Occasion
from deploygate.records import Record, payload, read
from deploygate.wording import plain

_PAGE = 100  # of a list, the newest; what is older is forgotten

_Kind = TypeVar("_Kind")


class _Deployment(msgspec.Struct, frozen=True):
    id: int
    environment: str = ""
    sha: str = ""
    created_at: str = ""
    payload: object = None


class _Status(msgspec.Struct, frozen=True):
    id: int = 0
    state: str = ""
    description: str | None = None
    created_at: str = ""


class _WorkflowRun(msgspec.Struct, frozen=True):
    status: str | None = None
    run_attempt: int = 1


@dataclass(frozen=True, slots=True)
class Found:
    """A deployment that is a record, when it was made, and of which commit."""

    id: int
    record: Record
    made: datetime
    sha: str = ""


@dataclass(frozen=True, slots=True)
class Deployments:
    """The deployments of a repository. Each method is one call, and raises `GitHubTrouble` where that has failed."""

    hub: Hub
    occasion: Occasion

    def create(self, record: Record) -> int:
        """Make a deployment and return its number; where it is not known whether it was made, it is looked for."""
        wanted = {
            "ref": self.occasion.sha,
            "task": task(record.service),
            "auto_merge": False,  # or GitHub may merge the default branch, and make no deployment
            "required_contexts": [],  # or our own pending status on this commit refuses it
            "payload": payload(record),
            "environment": _place(record),
            "description": plain(f"{record.goal} of {record.service} {record.version}", 140),
            "transient_environment": False,
            "production_environment": record.environment == PRODUCTION,
        }
        try:
            with self.hub.asking("deployments: write", f"POST /repos/{self.hub.repository}/deployments"):
                _, made = self._requester.requestJsonAndCheck("POST", f"{self.hub.repo.url}/deployments", input=wanted)
        except Unsent:
            for one in self.listed({"task": task(record.service)}):
                if (one.record.run, one.record.environment) == (record.run, record.environment):
                    return one.id
            raise
        found = _shaped(made, _Deployment)
        if found is None:
            raise GitHubTrouble("GitHub took it, and made no deployment of it (202)", status=202)
        return found.id

    def mark(self, deployment: int, state: str, line: str) -> None:
        """Give a deployment a status."""
        path = f"{self.hub.repo.url}/deployments/{deployment}/statuses"
        told: dict[str, object] = {"state": state, "description": line, "auto_inactive": state == "success"}
        if self.occasion.run_url:
            told["log_url"] = self.occasion.run_url
        with self.hub.asking(
            "deployments: write", f"POST /repos/{self.hub.repository}/deployments/{deployment}/statuses"
        ):
            self._requester.requestJsonAndCheck("POST", path, input=told)

    def listed(self, by: Mapping[str, str]) -> tuple[Found, ...]:
        """Return the newest that are records, the newest first."""
        with self.hub.asking("deployments: read", f"GET /repos/{self.hub.repository}/deployments"):
            listed = self._page("deployments", by)
        found = []
        for answer in listed:
            one = _shaped(answer, _Deployment)
            record = read(one.payload) if one else None
            if one and record and one.environment == _place(record):
                found.append(Found(one.id, record, _moment(one.created_at), one.sha))
        return tuple(sorted(found, key=lambda one: one.id, reverse=True))

    def statuses(self, deployment: int) -> tuple[Said, ...]:
        """Return the statuses of a deployment, the newest first."""
        with self.hub.asking(
            "deployments: read", f"GET /repos/{self.hub.repository}/deployments/{deployment}/statuses"
        ):
            listed = self._page(f"deployments/{deployment}/statuses", {})
        given = [_shaped(one, _Status) for one in listed]
        order = sorted((one for one in given if one), key=lambda one: one.id, reverse=True)
        return tuple(Said(one.state, one.description or "", _moment(one.created_at).timestamp()) for one in order)

    @property
    def _requester(self) -> Requester:
        return self.hub.repo.requester

    def _page(self, of: str, by: Mapping[str, str]) -> list[object]:
        asked = {**by, "per_page": _PAGE}
        _, listed = self._requester.requestJsonAndCheck("GET", f"{self.hub.repo.url}/{of}", parameters=asked)
        return listed if isinstance(listed, list) else []


def goes_on(hub: Hub, run_id: int, attempt: int | None = None) -> bool | None:
    """Tell whether an attempt of a run of a workflow goes on, or any of it: one call; None where that can't be told."""
    path = f"{hub.repo.url}/actions/runs/{run_id}"
    try:
        with hub.asking("actions: read", f"GET /repos/{hub.repository}/actions/runs/{run_id}"):
            _, answer = hub.repo.requester.requestJsonAndCheck("GET", path)
    except GitHubTrouble:
        return None
    found = _shaped(answer, _WorkflowRun)
    if found is None or found.status is None or found.run_attempt < (attempt or 0):
        return None
    return found.status != "completed" and found.run_attempt == (attempt or found.run_attempt)


def task(service: str) -> str:
    """Return by what the records of a service are found."""
    return f"deploygate:{service}"


def _place(record: Record) -> str:
    """Name the environment: one of GitHub's has one deployment that counts, so each service has its own."""
    return f"{record.environment}/{record.service}"


def _moment(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        return datetime.fromtimestamp(0, UTC)


def _shaped(given: object, kind: type[_Kind]) -> _Kind | None:
    try:
        return msgspec.convert(given, type=kind)
    except msgspec.ValidationError:
        return None
