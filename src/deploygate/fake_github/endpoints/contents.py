"""Files at a ref: read, written and removed with the name of what was there before."""

import base64
import binascii

from deploygate.fake_github.answers import Answer, Json, RefusedError, absent
from deploygate.fake_github.call import Call
from deploygate.fake_github.shown import commits as shown
from deploygate.fake_github.state.objects import FILE, Entry
from deploygate.fake_github.state.repository import BRANCH

LARGE = 1024 * 1024  # bytes; what is larger is answered without its content


def get(call: Call) -> Answer:
    """Return a file with its content, or a folder with its files."""
    ref, path = call.query.get("ref", ""), call.values["path"].strip("/")
    sha = call.repo.sha(ref)
    if not sha:
        raise RefusedError(404, f"No commit found for the ref {ref}")
    tree = call.repo.objects.commits[sha].tree
    if not path:
        return Answer(200, _folder(call, "", tree, ref))
    entry = dict(call.repo.objects.walk(tree)).get(path)
    if entry is None:
        raise absent()
    if entry.kind == "tree":
        return Answer(200, _folder(call, path, entry.sha, ref))
    content = call.repo.objects.blobs[entry.sha]
    held = base64.encodebytes(content).decode() if len(content) <= LARGE else ""
    encoding = "base64" if len(content) <= LARGE else "none"
    return Answer(200, _item(call, path, entry, ref) | {"content": held, "encoding": encoding})


def put(call: Call) -> Answer:
    """Commit a new text of a file; the name of the text that it replaces must be right."""
    path, branch, had = _before(call)
    sha = call.body.get("sha")
    if had is not None and sha is None:
        raise RefusedError(422, """Invalid request.\n\n"sha" wasn't supplied.""")
    if sha is not None and (had is None or had.sha != sha):
        raise RefusedError(409, f"{path} does not match {sha}")
    try:
        content = base64.b64decode(call.body["content"].replace("\n", ""), validate=True)
    except binascii.Error:
        raise RefusedError(422, "content is not valid Base64") from None
    commit = call.repo.commit({path: content}, call.body["message"], branch=branch, by=call.user.login)
    entry = Entry(FILE, call.repo.objects.add_blob(content))
    return Answer(200 if had else 201, {"content": _item(call, path, entry, branch), "commit": _commit(call, commit)})


def delete(call: Call) -> Answer:
    """Commit that a file is gone; the name of its text must be right."""
    path, branch, had = _before(call)
    if had is None:
        raise absent()
    if had.sha != call.body["sha"]:
        raise RefusedError(409, f"{path} does not match {call.body['sha']}")
    commit = call.repo.commit({path: None}, call.body["message"], branch=branch, by=call.user.login)
    return Answer(200, {"content": None, "commit": _commit(call, commit)})


def _before(call: Call) -> tuple[str, str, Entry | None]:
    """Return the path and the branch that a write is for, and what is there."""
    path, branch = call.values["path"].strip("/"), call.body.get("branch") or call.repo.default_branch
    sha = call.repo.refs.get(BRANCH + branch)
    if sha is None:
        raise RefusedError(404, f"Branch {branch} not found")
    return path, branch, call.repo.objects.files(call.repo.objects.commits[sha].tree).get(path)


def _folder(call: Call, path: str, tree: str, ref: str) -> list[Json]:
    start = f"{path}/" if path else ""
    return [_item(call, start + name, entry, ref) for name, entry in call.repo.objects.trees[tree].items()]


def _item(call: Call, path: str, entry: Entry, ref: str) -> Json:
    repo, at = call.repo, ref or call.repo.default_branch
    me, folder = f"{repo.api}/contents/{path}?ref={at}", entry.kind == "tree"
    git = f"{repo.api}/git/{entry.kind}s/{entry.sha}"
    page = f"{repo.web}/{entry.kind}/{at}/{path}"
    return {
        "type": "dir" if folder else "file",
        "size": 0 if folder else len(repo.objects.blobs[entry.sha]),
        "name": path.rpartition("/")[2],
        "path": path,
        "sha": entry.sha,
        "url": me,
        "git_url": git,
        "html_url": page,
        "download_url": None if folder else f"{repo.web}/raw/{at}/{path}",
        "_links": {"self": me, "git": git, "html": page},
    }


def _commit(call: Call, sha: str) -> Json:
    return shown.git_commit(call.repo, call.repo.objects.commits[sha])


OPERATIONS = {
    "repos/create-or-update-file-contents": put,
    "repos/delete-file": delete,
    "repos/get-content": get,
}
