"""The environment and the event's payload of a workflow become an `Occasion`."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

import msgspec

from deploygate.occasion import Occasion

LARGEST = 32 * 1024 * 1024  # bytes; GitHub's own limit for a payload is 25 MB
_QUEUED = re.compile(r"/pr-([0-9]{1,9})-[0-9a-f]{7,64}$")  # refs/heads/gh-readonly-queue/main/pr-104-<sha>
_MERGED = re.compile(r"^refs/pull/([0-9]{1,9})/")  # GITHUB_REF of a pull request
_DEPENDABOT = {"dependabot[bot]", "dependabot-preview[bot]"}


class _Repository(msgspec.Struct, frozen=True):
    full_name: str = ""
    default_branch: str | None = None


class _Side(msgspec.Struct, frozen=True):
    sha: str = ""
    repo: _Repository | None = None  # null once a fork was deleted


class _Pull(msgspec.Struct, frozen=True):
    number: int | None = None
    head: _Side = _Side()
    base: _Side = _Side()


class _Group(msgspec.Struct, frozen=True):
    head_sha: str = ""
    head_ref: str = ""
    base_sha: str = ""


class _Deployment(msgspec.Struct, frozen=True):
    sha: str = ""


class _Issue(msgspec.Struct, frozen=True):
    number: int | None = None
    pull_request: dict[str, object] | None = None


Part = TypeVar("Part")


class _Payload:
    """The parts of an event that concern the gate; what is missing or of another form is as if it were not there."""

    def __init__(self, parts: Mapping[str, msgspec.Raw]) -> None:
        self._parts = parts

    def part(self, name: str, kind: type[Part]) -> Part | None:
        if name not in self._parts:
            return None
        try:
            return msgspec.json.decode(self._parts[name], type=kind)
        except (msgspec.DecodeError, RecursionError):
            return None


def occasion(environ: Mapping[str, str]) -> Occasion:
    """Return what called the gate; a run outside of GitHub, or with a minimal payload, has the fewer parts."""
    event = environ.get("GITHUB_EVENT_NAME", "")
    actor = environ.get("GITHUB_ACTOR", "")
    payload = _Payload(_parts(environ.get("GITHUB_EVENT_PATH", "")))
    pull = payload.part("pull_request", _Pull) if event.startswith("pull_request") else None
    group = payload.part("merge_group", _Group) if event == "merge_group" else None
    payload_repository = payload.part("repository", _Repository) or _Repository()
    repository = environ.get("GITHUB_REPOSITORY", "") or payload_repository.full_name
    ref = environ.get("GITHUB_REF", "")
    attempt = environ.get("GITHUB_RUN_ATTEMPT", "")
    return Occasion(
        event=event,
        repository=repository,
        sha=_sha(payload, event, pull, group) or environ.get("GITHUB_SHA", ""),
        ref=ref,
        default_branch=payload_repository.default_branch or "",
        before=_before(payload, event, pull, group),
        pull=_number(payload, event, pull, group) or _number_in(ref),
        fork=actor in _DEPENDABOT or (event.startswith("pull_request") and _is_fork(pull, repository)),
        run_id=environ.get("GITHUB_RUN_ID", ""),
        attempt=int(attempt) if attempt.isascii() and attempt.isdigit() else 1,
        workflow=environ.get("GITHUB_WORKFLOW", ""),
        job=environ.get("GITHUB_JOB", ""),
        actor=actor,
        server_url=(environ.get("GITHUB_SERVER_URL", "") or "https://github.com").rstrip("/"),
        api_url=(environ.get("GITHUB_API_URL", "") or "https://api.github.com").rstrip("/"),
    )


def _parts(path: str) -> Mapping[str, msgspec.Raw]:
    """Read the payload's top level; a local run has none, or next to nothing in it."""
    if not path:
        return {}
    try:
        with Path(path).open("rb") as file:
            return msgspec.json.decode(file.read(LARGEST), type=dict[str, msgspec.Raw])
    except (OSError, ValueError, RecursionError):
        return {}


def _sha(payload: _Payload, event: str, pull: _Pull | None, group: _Group | None) -> str:
    """Return the commit of the event where it is not GITHUB_SHA: that of a pull request is a merge, and not shown."""
    if pull is not None:
        return pull.head.sha
    if group is not None:
        return group.head_sha
    if event in {"deployment", "deployment_status"}:
        return (payload.part("deployment", _Deployment) or _Deployment()).sha
    return ""


def _before(payload: _Payload, event: str, pull: _Pull | None, group: _Group | None) -> str:
    if pull is not None:
        return pull.base.sha
    if group is not None:
        return group.base_sha
    return payload.part("before", str) or "" if event == "push" else ""


def _number(payload: _Payload, event: str, pull: _Pull | None, group: _Group | None) -> int | None:
    if pull is not None:
        return pull.number
    if group is not None:
        queued = _QUEUED.search(group.head_ref)
        return int(queued[1]) if queued else None
    issue = payload.part("issue", _Issue) if event == "issue_comment" else None
    return issue.number if issue is not None and issue.pull_request is not None else None


def _number_in(ref: str) -> int | None:
    merged = _MERGED.match(ref)
    return int(merged[1]) if merged else None


def _is_fork(pull: _Pull | None, repository: str) -> bool:
    """Tell whether a pull request comes from elsewhere; one of which it can't be told, or that was deleted, did."""
    if pull is None or pull.head.repo is None:
        return True
    home = pull.base.repo.full_name if pull.base.repo is not None else repository
    return pull.head.repo.full_name != home
