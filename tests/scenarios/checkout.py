"""A commit of the fake GitHub's repository in a folder, with git's own names for everything in it."""

import os
import subprocess
from pathlib import Path

from deploygate.fake_github import Repository

FUSE = 30.0


def checked_out(repo: Repository, sha: str, folder: Path) -> None:
    """Write the files of a commit into a new folder."""
    folder.mkdir(parents=True)
    for path, entry in repo.objects.files(repo.objects.commits[sha].tree).items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(repo.objects.blobs[entry.sha])


def cloned(repo: Repository, sha: str, folder: Path) -> None:
    """Make a folder that is a shallow clone at a commit; git itself must find the same names."""
    checked_out(repo, sha, folder)
    commit = repo.objects.commits[sha]
    _git(folder, "init", "--quiet", "--initial-branch=main")
    _git(folder, "add", "--all", "--force")
    assert _git(folder, "write-tree") == commit.tree
    head = [f"tree {commit.tree}", *(f"parent {one}" for one in commit.parents)]
    text = "\n".join([*head, f"author {commit.author}", f"committer {commit.committer}", "", commit.message])
    assert _git(folder, "hash-object", "-t", "commit", "-w", "--stdin", give=text) == sha
    (folder / ".git" / "shallow").write_text(f"{sha}\n")
    _git(folder, "update-ref", "refs/heads/main", sha)


def _git(folder: Path, *words: str, give: str = "") -> str:
    plain = {"PATH": os.environ["PATH"], "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    done = subprocess.run(
        ["git", "-C", str(folder), *words],
        input=give, capture_output=True, text=True, check=True, timeout=FUSE, env=plain,
    )  # fmt: skip
    return done.stdout.strip()
