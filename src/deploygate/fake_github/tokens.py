"""Tokens, and which permission of a workflow each operation needs."""

from collections.abc import Mapping
from dataclasses import dataclass

from deploygate.fake_github.answers import RefusedError
from deploygate.fake_github.state.people import User

LEVELS = ("none", "read", "write")
AREAS = ("actions", "checks", "contents", "deployments", "issues", "pull-requests", "statuses")
ORGANIZATION = ("members",)  # what an app may have, and no job of a workflow
COMMENTS = ("issues", "pull-requests")

_OTHERS: Mapping[str, tuple[str, ...]] = {
    "issues/create-comment": COMMENTS,
    "issues/delete-comment": COMMENTS,
    "issues/get": COMMENTS,
    "issues/get-comment": COMMENTS,
    "issues/list-comments": COMMENTS,
    "issues/list-comments-for-repo": COMMENTS,
    "issues/update-comment": COMMENTS,
    "pulls/merge": ("contents",),
    "rate-limit/get": (),
    "users/get-authenticated": (),
    "users/get-by-username": (),
    "repos/create-commit-status": ("statuses",),
    "repos/get-combined-status-for-ref": ("statuses",),
    "repos/list-commit-statuses-for-ref": ("statuses",),
    "repos/get": (),
    "repos/get-all-environments": ("actions",),
    "repos/get-environment": ("actions",),
    "repos/list-pull-requests-associated-with-commit": ("pull-requests",),
}
_FAMILIES = {"actions": "actions", "git": "contents", "pulls": "pull-requests", "repos": "contents", "teams": "members"}


@dataclass(frozen=True, slots=True)
class Token:
    """A token of an app's installation, as every job of a workflow has one; without areas it may only see metadata.

    `repositories` are the names of those it was made for; none are all.
    """

    value: str
    user: User
    permissions: Mapping[str, str]
    repositories: frozenset[str]

    def sees(self, full_name: str) -> bool:
        """Whether it was made for a repository."""
        return not self.repositories or full_name in self.repositories


def levels(permissions: Mapping[str, str] | None) -> dict[str, str]:
    """Return permissions by the names that workflows use; None are all that there are.

    Raises:
        ValueError: There is no such permission, or no such level.
    """
    if permissions is None:
        return dict.fromkeys(AREAS, "write")
    given = {name.replace("_", "-"): level for name, level in permissions.items()}
    for name, level in given.items():
        if name not in (*AREAS, *ORGANIZATION, "metadata") or level not in LEVELS:
            raise ValueError(f"there is no permission {name}: {level}")
    return given


def areas(operation: str) -> tuple[str, ...]:
    """Return the areas of which one is enough for an operation; none where every token will do."""
    if operation in _OTHERS:
        return _OTHERS[operation]
    family, _, verb = operation.partition("/")
    if "deployment" in verb:
        return ("deployments",)
    return (_FAMILIES[family],)


def hold(token: Token, operation: str, method: str) -> None:
    """Refuse what a token may not do.

    Raises:
        RefusedError: It lacks the permission.
    """
    wanted = "read" if method == "GET" else "write"
    enough = areas(operation)
    held = max((LEVELS.index(token.permissions.get(area, "none")) for area in enough), default=len(LEVELS))
    if held < LEVELS.index(wanted):
        raise RefusedError(
            403,
            "Resource not accessible by integration",
            X_Accepted_GitHub_Permissions="; ".join(f"{one.replace('-', '_')}={wanted}" for one in enough),
        )
