"""Git's refs: what they mean, and how they are moved."""

import re

from deploygate.fake_github.answers import Answer, RefusedError, absent
from deploygate.fake_github.call import Call
from deploygate.fake_github.shown import commits as shown

_SOUND = re.compile(r"refs/(heads|tags)/(?!.*(\.\.|//|@\{|[\s~^:?*\[\\]))[^/].*(?<![./])")


def get(call: Call) -> Answer:
    """Return what a ref means; it must be named in full, but for `refs/`."""
    return Answer(200, shown.ref(call.repo, _known(call, absent())))


def matching(call: Call) -> Answer:
    """List the refs that begin so."""
    start = f"refs/{call.values['ref']}"
    names = sorted(one for one in call.repo.refs if one.startswith(start))
    return Answer(200, [shown.ref(call.repo, one) for one in names])


def create(call: Call) -> Answer:
    """Make a branch or a tag."""
    name, sha = call.body["ref"], call.body["sha"]
    if not _SOUND.fullmatch(name):
        raise RefusedError(422, f"{name} is not a valid ref name.")
    if sha not in call.repo.objects.commits:
        raise RefusedError(422, "Object does not exist")
    if name in call.repo.refs:
        raise RefusedError(422, "Reference already exists")
    call.repo.point(name, sha)
    return Answer(201, shown.ref(call.repo, name))


def update(call: Call) -> Answer:
    """Move a ref: forward, or anywhere by force."""
    name, sha = _known(call, RefusedError(422, "Reference does not exist")), call.body["sha"]
    if sha not in call.repo.objects.commits:
        raise RefusedError(422, "Object does not exist")
    forward = any(one.sha == call.repo.refs[name] for one in call.repo.objects.history(sha))
    if not forward and not call.body.get("force", False):
        raise RefusedError(422, "Update is not a fast forward")
    call.repo.point(name, sha)
    return Answer(200, shown.ref(call.repo, name))


def delete(call: Call) -> Answer:
    """Remove a ref."""
    del call.repo.refs[_known(call, RefusedError(422, "Reference does not exist"))]
    return Answer(204)


def _known(call: Call, otherwise: RefusedError) -> str:
    name = f"refs/{call.values['ref']}"
    if name not in call.repo.refs:
        raise otherwise
    return name


OPERATIONS = {
    "git/create-ref": create,
    "git/delete-ref": delete,
    "git/get-ref": get,
    "git/list-matching-refs": matching,
    "git/update-ref": update,
}
