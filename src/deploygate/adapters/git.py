"""The inventory at another commit, out of the objects of git, by the program `git` where there is one."""

import shutil
import subprocess
from pathlib import Path

from deploygate.errors import GateError
from deploygate.wording import plain, quoted

LARGEST = 16 * 1024 * 1024  # bytes, all files together, as for any inventory
_LIMIT = 60.0  # seconds for one question
_WORDS = (
    "-c", "safe.directory=*",  # in a container the checkout is another user's
    "-c", "core.fsmonitor=false",  # or git would start what the checkout's configuration names
    "--no-pager",
    "--no-optional-locks",
)  # fmt: skip


def has_git(path: Path) -> bool:
    """Tell whether there is the program, and a checkout around `path`."""
    return shutil.which("git") is not None and _asked(path, "rev-parse", "--show-toplevel").returncode == 0


def fetch(path: Path, ref: str, into: Path) -> str:
    """Write the inventory as it was where this branch left `ref` to `into`, a file or a folder; return the commit.

    Without a common ancestor it is as it was at `ref` itself.

    Raises:
        GateError: There is no such commit here, or nothing at this path in it.
    """
    top = Path(_said(path, "rev-parse", "--show-toplevel").decode().strip())
    found = _asked(path, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}")
    if found.returncode:
        raise GateError(
            f"there is no commit {quoted(ref)} in this checkout",
            help="Fetch it (git fetch origin main), or check out with more history (fetch-depth: 0).",
        )
    tip = found.stdout.decode().strip()
    common = _asked(path, "merge-base", "HEAD", tip)
    commit = common.stdout.decode().strip() if common.returncode == 0 else tip
    inside = path.resolve().relative_to(top.resolve()).as_posix()
    kind = _asked(path, "cat-file", "-t", f"{commit}:{inside}").stdout.decode().strip()
    if kind == "blob":
        into.write_bytes(_file(path, f"{commit}:{inside}"))
    elif kind == "tree":
        _folder(path, f"{commit}:{inside}", into)
    else:
        raise GateError(
            f"there was no {plain(inside, 100)} at {quoted(ref)} ({commit[:7]})",
            help="Was the inventory somewhere else then? What is new has nothing to be compared with.",
        )
    return commit


def _folder(path: Path, tree: str, into: Path) -> None:
    into.mkdir(parents=True)
    listed = _said(path, "ls-tree", "--full-tree", "-z", "--name-only", tree)
    names = listed.decode(errors="surrogateescape").split("\0")
    for name in names:
        if name.endswith((".yml", ".yaml")) and not name.startswith("."):
            (into / name).write_bytes(_file(path, f"{tree}/{name}"))


def _file(path: Path, place: str) -> bytes:
    size = int(_said(path, "cat-file", "-s", place))
    if size > LARGEST:
        raise GateError(f"{plain(place, 100)} has more than {LARGEST // 2**20} MiB", help="Is this the right path?")
    return _said(path, "cat-file", "blob", place)


def _said(path: Path, *words: str) -> bytes:
    done = _asked(path, *words)
    if done.returncode:
        why = plain(done.stderr.decode(errors="replace").strip() or f"it exited with {done.returncode}")
        raise GateError(f"git {words[0]} failed: {why}", help="Is this a checkout, with the history that is needed?")
    return done.stdout


def _asked(path: Path, *words: str) -> "subprocess.CompletedProcess[bytes]":
    folder = path if path.is_dir() else path.parent
    whole = ["git", "-C", str(folder if folder.is_dir() else Path()), *_WORDS, *words]
    try:
        return subprocess.run(whole, stdin=subprocess.DEVNULL, capture_output=True, timeout=_LIMIT, check=False)
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(whole, 1, b"", b"it took too long")
