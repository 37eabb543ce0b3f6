"""An inventory as it was at another commit: one call, and one more for each file that is not the same here."""

import base64
import hashlib
from pathlib import Path, PurePosixPath

from github.ContentFile import ContentFile

from deploygate.adapters.github.client import Hub
from deploygate.adapters.github.trouble import Absent, GitHubTrouble
from deploygate.wording import quoted

LARGEST = 16 * 1024 * 1024  # bytes, all files together, as for an inventory on the disk
MOST = 1_000  # entries that GitHub lists of a folder
_NEEDS = "contents: read"


def fetch(hub: Hub, sha: str, path: str, local: Path, into: Path) -> None:
    """Write the file, or all `*.yml` and `*.yaml` files of the folder, that was at `path` at a commit to `into`.

    `path` is in the repository, `local` is the same place on the disk: what has not changed is taken from there.
    `into` becomes what `path` was, a file or a folder.

    Raises:
        Absent: There is no such commit, or nothing at this path in it.
        GitHubTrouble: It can't be had.
    """
    inside = PurePosixPath(path)
    if inside.is_absolute() or ".." in inside.parts:
        raise GitHubTrouble(f"{quoted(path)} is not in the repository", help="Give a path from the repository's top.")
    if not sha.strip("0"):
        raise Absent("there is no commit to look at", status=404)
    name = "" if inside == PurePosixPath() else str(inside)
    with hub.asking(_NEEDS, f"GET /repos/{hub.repository}/contents/{name}?ref={sha}"):
        found = hub.repo.get_contents(name, sha)
    if isinstance(found, list):
        _write_folder(hub, path, found, local, into)
        return
    if found.type != "file":
        raise GitHubTrouble(f"{quoted(path)} was not a file at {sha[:7]}", help="Links are not followed there.")
    _check_size(path, [found])
    into.parent.mkdir(parents=True, exist_ok=True)
    into.write_bytes(_content(hub, found, local))


def was_absent(hub: Hub, sha: str, path: str) -> bool:
    """Tell whether a commit that can be read has nothing at a path.

    Raises:
        GitHubTrouble: That can't be told: the commit can't be read either, or there is no answer.
    """
    with hub.asking(_NEEDS, f"GET /repos/{hub.repository}/git/commits/{sha}"):
        hub.repo.get_git_commit(sha)
    try:
        with hub.asking(_NEEDS, f"GET /repos/{hub.repository}/contents/{path}?ref={sha}"):
            hub.repo.get_contents(path, sha)
    except Absent:
        return True
    return False


def blob_id(content: bytes, like: str) -> str:
    """Return the name that git gives to a content, by the algorithm that made the name `like`."""
    made = hashlib.sha256() if len(like) == 64 else hashlib.sha1(usedforsecurity=False)
    made.update(b"blob %d\0" % len(content) + content)
    return made.hexdigest()


def _write_folder(hub: Hub, path: str, found: list[ContentFile], local: Path, into: Path) -> None:
    if len(found) >= MOST:
        raise GitHubTrouble(f"{quoted(path)} has {MOST:,} files or more", help="GitHub does not list them all.")
    parts = [one for one in found if one.name.endswith((".yml", ".yaml")) and not one.name.startswith(".")]
    if any(one.type != "file" or "/" in one.name for one in parts):
        raise GitHubTrouble(f"{quoted(path)} has more than files in it", help="Links are not followed there.")
    _check_size(path, parts)
    into.mkdir(parents=True, exist_ok=True)
    for one in parts:
        (into / one.name).write_bytes(_content(hub, one, local / one.name))


def _check_size(path: str, files: list[ContentFile]) -> None:
    if sum(one.size for one in files) > LARGEST:
        raise GitHubTrouble(f"{quoted(path)} is larger than {LARGEST // 2**20} MiB", help="Is this the right path?")


def _content(hub: Hub, one: ContentFile, local: Path) -> bytes:
    """Return a file's content: from the disk where it is the same, else from the answer, else asked for."""
    here = local.read_bytes() if local.is_file() and local.stat().st_size == one.size else None
    if here is not None and blob_id(here, one.sha) == one.sha:
        return here
    if one.completed and one.encoding == "base64":  # a folder's entries have no content, nor have large files
        return _decoded(one.content, one.sha)
    with hub.asking(_NEEDS, f"GET /repos/{hub.repository}/git/blobs/{one.sha}"):
        blob = hub.repo.get_git_blob(one.sha)
        content = blob.content
    return _decoded(content, one.sha)


def _decoded(text: str, sha: str) -> bytes:
    try:
        content = base64.b64decode(text)
    except ValueError:
        content = None
    if content is None or blob_id(content, sha) != sha:
        raise GitHubTrouble("what GitHub sent is not the file that it named", help="Run it again.")
    return content
