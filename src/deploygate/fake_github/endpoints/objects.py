"""Git's objects: blobs, trees and commits."""

import base64
import binascii
from datetime import datetime

from deploygate.fake_github.answers import Answer, Json, RefusedError, absent, invalid
from deploygate.fake_github.call import Call
from deploygate.fake_github.shown import commits as shown
from deploygate.fake_github.state.objects import FOLDER, Entry, Signature

MOST = 100_000  # entries of a tree that is asked for as a whole


def get_blob(call: Call) -> Answer:
    """Return a file's content."""
    repo, sha = call.repo, call.values["file_sha"]
    content = repo.objects.blobs.get(sha)
    if content is None:
        raise absent()
    body = {
        "sha": sha,
        "node_id": f"B_{sha}",
        "size": len(content),
        "url": f"{repo.api}/git/blobs/{sha}",
        "content": base64.encodebytes(content).decode(),
        "encoding": "base64",
    }
    return Answer(200, body)


def create_blob(call: Call) -> Answer:
    """Keep a file's content."""
    text = call.body["content"]
    try:
        content = base64.b64decode(text, validate=True) if call.body.get("encoding") == "base64" else text.encode()
    except binascii.Error:
        raise invalid("Blob", "invalid", "content") from None
    sha = call.repo.objects.add_blob(content)
    return Answer(201, {"sha": sha, "url": f"{call.repo.api}/git/blobs/{sha}"})


def get_tree(call: Call) -> Answer:
    """Return one level of a tree, or all of it where `recursive` is given, whatever it says."""
    repo, name = call.repo, call.values["tree_sha"]
    sha = repo.objects.commits[repo.sha(name)].tree if repo.sha(name) else name
    if sha not in repo.objects.trees:
        raise absent()
    entries = list(repo.objects.walk(sha)) if "recursive" in call.query else list(repo.objects.trees[sha].items())
    return Answer(200, _tree(call, sha, entries))


def create_tree(call: Call) -> Answer:
    """Keep a tree, made anew or from another one."""
    objects, base = call.repo.objects, call.body.get("base_tree")
    if base is not None and base not in objects.trees and base not in objects.commits:
        raise RefusedError(404, "Not Found")
    files = objects.files(objects.commits[base].tree if base in objects.commits else base) if base else {}
    for one in call.body["tree"]:
        path, sha = one.get("path", ""), one.get("sha")
        if "content" in one:
            sha = objects.add_blob(one["content"].encode())
        elif sha is None:
            files.pop(path, None)
            continue
        if sha not in objects.blobs and sha not in objects.trees:
            raise RefusedError(422, f"tree.sha {sha} is not a valid blob")
        if one.get("mode") == FOLDER:
            files |= {f"{path}/{name}": entry for name, entry in objects.files(sha).items()}
        else:
            files[path] = Entry(one.get("mode", "100644"), sha)
    made = objects.add_files(files)
    return Answer(201, _tree(call, made, list(objects.trees[made].items())))


def get_commit(call: Call) -> Answer:
    """Return a commit as git knows it."""
    commit = call.repo.objects.commits.get(call.values["commit_sha"])
    if commit is None:
        raise absent()
    return Answer(200, shown.git_commit(call.repo, commit))


def create_commit(call: Call) -> Answer:
    """Make a commit that no branch is on yet."""
    objects, body = call.repo.objects, call.body
    if body["tree"] not in objects.trees:
        raise RefusedError(422, "Tree SHA does not exist")
    parents = tuple(body.get("parents", ()))
    if any(one not in objects.commits for one in parents):
        raise RefusedError(422, "Parent SHA does not exist or is not a commit object")
    author = _signature(call, body.get("author", {}))
    committer = _signature(call, body["committer"]) if "committer" in body else author
    made = objects.add_commit(body["tree"], parents, body["message"], author, committer)
    return Answer(201, shown.git_commit(call.repo, made))


def _signature(call: Call, given: Json) -> Signature:
    usual = call.repo.signature(call.user)
    when = datetime.fromisoformat(given["date"]) if "date" in given else usual.when
    return Signature(given.get("name", usual.name), given.get("email", usual.email), when)


def _tree(call: Call, sha: str, entries: list[tuple[str, Entry]]) -> Json:
    return {
        "sha": sha,
        "url": f"{call.repo.api}/git/trees/{sha}",
        "tree": [shown.entry(call.repo, path, one) for path, one in entries[:MOST]],
        "truncated": len(entries) > MOST,
    }


OPERATIONS = {
    "git/create-blob": create_blob,
    "git/create-commit": create_commit,
    "git/create-tree": create_tree,
    "git/get-blob": get_blob,
    "git/get-commit": get_commit,
    "git/get-tree": get_tree,
}
