"""Pull requests, the comments on them and their reviews."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from deploygate.fake_github.state.people import User

if TYPE_CHECKING:
    from deploygate.fake_github.state.repository import Repository


@dataclass(slots=True)
class Comment:
    """A comment on a pull request's conversation."""

    number: int
    pull: "Pull"
    user: User
    body: str
    created: datetime
    updated: datetime


@dataclass(frozen=True, slots=True)
class Review:
    """What somebody says of a pull request: APPROVED, CHANGES_REQUESTED or COMMENTED; DISMISSED is of no effect."""

    number: int
    user: User
    state: str
    body: str
    commit: str
    when: datetime


@dataclass(slots=True)
class Pull:
    """A pull request from a branch of a repository, or of a fork of it."""

    identity: int
    number: int
    base_repo: "Repository"
    base: str
    head_repo: "Repository"
    head: str
    title: str
    body: str | None
    user: User
    created: datetime
    updated: datetime
    head_sha: str
    base_sha: str
    state: str = "open"
    draft: bool = False
    closed: datetime | None = None
    merged: datetime | None = None
    merged_by: User | None = None
    merge_sha: str | None = None
    comments: list[Comment] = field(default_factory=list)
    reviews: list[Review] = field(default_factory=list)

    @property
    def fork(self) -> bool:
        """Whether its head is not in the repository that it is for."""
        return self.head_repo is not self.base_repo

    def follow(self) -> None:
        """Take the head's newest commit, as long as it is open."""
        if self.state == "open":
            self.head_sha = self.head_repo.refs.get(f"refs/heads/{self.head}", self.head_sha)
