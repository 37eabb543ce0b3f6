"""Git's objects and commit statuses, as JSON."""

import difflib

from deploygate.fake_github.answers import Json
from deploygate.fake_github.shown.people import moment, user
from deploygate.fake_github.state.deployments import Status
from deploygate.fake_github.state.objects import Change, Commit, Entry, Signature
from deploygate.fake_github.state.people import node
from deploygate.fake_github.state.repository import Repository

_UNSIGNED = {"verified": False, "reason": "unsigned", "signature": None, "payload": None, "verified_at": None}


def signature(one: Signature) -> Json:
    """Return who has made a commit, and when."""
    return {"name": one.name, "email": one.email, "date": moment(one.when)}


def git_commit(repo: Repository, one: Commit) -> Json:
    """Return a commit as git knows it."""
    return {
        "sha": one.sha,
        "node_id": f"C_{one.sha}",
        "url": f"{repo.api}/git/commits/{one.sha}",
        "html_url": f"{repo.web}/commit/{one.sha}",
        "author": signature(one.author),
        "committer": signature(one.committer),
        "message": one.message,
        "tree": {"sha": one.tree, "url": f"{repo.api}/git/trees/{one.tree}"},
        "parents": [_parent(repo, sha, "git/commits") for sha in one.parents],
        "verification": _UNSIGNED,
    }


def commit(repo: Repository, one: Commit, *, files: bool = False) -> Json:
    """Return a commit as GitHub knows it, with what it has changed where that is asked for."""
    inner = git_commit(repo, one)
    me = f"{repo.api}/commits/{one.sha}"
    made = {
        "sha": one.sha,
        "node_id": inner["node_id"],
        "url": me,
        "html_url": inner["html_url"],
        "comments_url": f"{me}/comments",
        "commit": {key: inner[key] for key in ("url", "author", "committer", "message", "tree", "verification")}
        | {"comment_count": 0},
        "author": user(repo.site, repo.site.user(one.author.name)),
        "committer": user(repo.site, repo.site.user(one.committer.name)),
        "parents": [_parent(repo, sha, "commits") for sha in one.parents],
    }
    if files:
        changes = repo.objects.changes(one.parents[0] if one.parents else "", one.sha)
        made["files"] = [diff(repo, change, one.sha) for change in changes]
        added, removed = (sum(each[key] for each in made["files"]) for key in ("additions", "deletions"))
        made["stats"] = {"additions": added, "deletions": removed, "total": added + removed}
    return made


def diff(repo: Repository, change: Change, sha: str) -> Json:
    """Return how a file has changed."""
    before, after = (
        repo.objects.blobs[one].decode(errors="replace").splitlines() if one else []
        for one in (change.before, change.after)
    )
    patch = list(difflib.unified_diff(before, after, lineterm=""))[2:]
    added, removed = (sum(1 for line in patch if line.startswith(mark)) for mark in "+-")
    return {
        "sha": change.after or change.before,
        "filename": change.path,
        "status": change.status,
        "additions": added,
        "deletions": removed,
        "changes": added + removed,
        "blob_url": f"{repo.web}/blob/{sha}/{change.path}",
        "raw_url": f"{repo.web}/raw/{sha}/{change.path}",
        "contents_url": f"{repo.api}/contents/{change.path}?ref={sha}",
        "patch": "\n".join(patch),
    }


def ref(repo: Repository, name: str) -> Json:
    """Return what a ref means."""
    sha = repo.refs[name]
    return {
        "ref": name,
        "node_id": f"R_{name}",
        "url": f"{repo.api}/git/{name}",
        "object": {"type": "commit", "sha": sha, "url": f"{repo.api}/git/commits/{sha}"},
    }


def entry(repo: Repository, path: str, one: Entry) -> Json:
    """Return a line of a tree."""
    made: Json = {"path": path, "mode": one.mode, "type": one.kind, "sha": one.sha}
    if one.kind == "blob":
        made["size"] = len(repo.objects.blobs[one.sha])
    return made | {"url": f"{repo.api}/git/{one.kind}s/{one.sha}"}


def status(repo: Repository, one: Status) -> Json:
    """Return what somebody has said of a commit."""
    return simple_status(repo, one) | {"creator": user(repo.site, one.user)}


def simple_status(repo: Repository, one: Status) -> Json:
    """Return what was said of a commit, without by whom."""
    when = moment(one.when)
    return {
        "url": f"{repo.api}/statuses/{one.sha}",
        "avatar_url": f"{repo.site.web}/avatars/{one.user.number}",
        "id": one.number,
        "node_id": node("StatusContext", one.number),
        "state": one.state,
        "description": one.description,
        "target_url": one.target,
        "context": one.context,
        "created_at": when,
        "updated_at": when,
    }


def _parent(repo: Repository, sha: str, where: str) -> Json:
    return {"sha": sha, "url": f"{repo.api}/{where}/{sha}", "html_url": f"{repo.web}/commit/{sha}"}
