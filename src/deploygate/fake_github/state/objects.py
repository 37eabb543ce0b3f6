"""Git's objects: blobs, trees and commits, named as git names them."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

FILE = "100644"
FOLDER = "040000"
KINDS = {FOLDER: "tree", "160000": "commit"}


@dataclass(frozen=True, slots=True)
class Entry:
    """A file or a folder in a tree."""

    mode: str
    sha: str

    @property
    def kind(self) -> str:
        """What it is in git's words: a blob, a tree, or a commit of another repository."""
        return KINDS.get(self.mode, "blob")


@dataclass(frozen=True, slots=True)
class Signature:
    """Who has made a commit, and when."""

    name: str
    email: str
    when: datetime

    def __str__(self) -> str:
        return f"{self.name} <{self.email}> {int(self.when.timestamp())} +0000"


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit; the first of its parents is the one that it was made on."""

    sha: str
    tree: str
    parents: tuple[str, ...]
    message: str
    author: Signature
    committer: Signature


@dataclass(frozen=True, slots=True)
class Change:
    """A file that is not the same in two trees; None where it is not there."""

    path: str
    before: str | None
    after: str | None

    @property
    def status(self) -> str:
        """What happened to it, in GitHub's words."""
        if self.before is None:
            return "added"
        return "removed" if self.after is None else "modified"


class Objects:
    """All objects of a repository and of its forks."""

    def __init__(self) -> None:
        self.blobs: dict[str, bytes] = {}
        self.trees: dict[str, dict[str, Entry]] = {}
        self.commits: dict[str, Commit] = {}

    def add_blob(self, content: bytes) -> str:
        """Keep a file's content, and return its name."""
        sha = _name("blob", content)
        self.blobs[sha] = content
        return sha

    def add_tree(self, entries: Mapping[str, Entry]) -> str:
        """Keep one level of a tree, and return its name."""
        ordered = sorted(entries.items(), key=lambda one: one[0] + ("/" if one[1].mode == FOLDER else ""))
        raw = b"".join(
            f"{entry.mode.lstrip('0')} {name}\0".encode() + bytes.fromhex(entry.sha) for name, entry in ordered
        )
        sha = _name("tree", raw)
        self.trees[sha] = dict(ordered)
        return sha

    def add_files(self, files: Mapping[str, Entry]) -> str:
        """Keep a whole tree that is given as paths of files, and return its name."""
        level: dict[str, Entry] = {}
        folders: dict[str, dict[str, Entry]] = {}
        for path, entry in files.items():
            first, slash, rest = path.partition("/")
            if slash:
                folders.setdefault(first, {})[rest] = entry
            else:
                level[first] = entry
        return self.add_tree(level | {name: Entry(FOLDER, self.add_files(inner)) for name, inner in folders.items()})

    def add_commit(
        self, tree: str, parents: tuple[str, ...], message: str, author: Signature, committer: Signature
    ) -> Commit:
        """Keep a commit."""
        head = [f"tree {tree}", *(f"parent {one}" for one in parents), f"author {author}", f"committer {committer}"]
        sha = _name("commit", ("\n".join(head) + f"\n\n{message}").encode())
        made = Commit(sha, tree, parents, message, author, committer)
        self.commits[sha] = made
        return made

    def files(self, tree: str) -> dict[str, Entry]:
        """Return every file below a tree, by its path."""
        return {path: entry for path, entry in self.walk(tree) if entry.kind != "tree"}

    def walk(self, tree: str, prefix: str = "") -> Iterator[tuple[str, Entry]]:
        """Give every file and folder below a tree, each with its path."""
        for name, entry in self.trees[tree].items():
            yield prefix + name, entry
            if entry.kind == "tree":
                yield from self.walk(entry.sha, f"{prefix}{name}/")

    def history(self, sha: str) -> list[Commit]:
        """Return a commit and all before it, the newest first."""
        seen, found, front = {sha}, [], [sha]
        while front:
            commit = self.commits[front.pop(0)]
            found.append(commit)
            front += [one for one in commit.parents if one not in seen]
            seen.update(commit.parents)
        return found

    def since(self, base: str, head: str) -> list[Commit]:
        """Return the commits that a head has and a base has not, the oldest first."""
        known = {one.sha for one in self.history(base)}
        return [one for one in reversed(self.history(head)) if one.sha not in known]

    def merge_base(self, one: str, other: str) -> str:
        """Return the newest commit that two have in common; "" where there is none."""
        known = {commit.sha for commit in self.history(one)}
        return next((commit.sha for commit in self.history(other) if commit.sha in known), "")

    def changes(self, before: str, after: str) -> list[Change]:
        """Return how the files of two commits differ, by path."""
        old, new = (
            {path: entry.sha for path, entry in self.files(self.commits[one].tree).items()} if one else {}
            for one in (before, after)
        )
        return [
            Change(path, old.get(path), new.get(path))
            for path in sorted(old.keys() | new.keys())
            if old.get(path) != new.get(path)
        ]


def _name(kind: str, content: bytes) -> str:
    return hashlib.sha1(f"{kind} {len(content)}\0".encode() + content, usedforsecurity=False).hexdigest()
