"""A pull request as it was reviewed: its newest commit, whose it is, and every review of it."""

from github.NamedUser import NamedUser

from deploygate.adapters.github.client import Hub
from deploygate.reviews import Review, Reviewed, Stance

_NEEDS = "pull-requests: read"
_STANCES = {
    "APPROVED": Stance.APPROVED,
    "CHANGES_REQUESTED": Stance.CHANGES_REQUESTED,
    "DISMISSED": Stance.DISMISSED,
    "COMMENTED": Stance.COMMENTED,
}


def reviewed(hub: Hub, number: int) -> Reviewed:
    """Return a pull request with all its reviews, in the order in which they were submitted.

    Raises:
        GitHubTrouble: They are not known, which is not the same as none.
    """
    with hub.asking(_NEEDS, f"GET /repos/{hub.repository}/pulls/{number}"):
        pull = hub.repo.get_pull(number)
        head, base, author = pull.head.sha, pull.base.sha, _login(pull.user)
    with hub.asking(_NEEDS, f"GET /repos/{hub.repository}/pulls/{number}/reviews"):
        found = [
            (one.submitted_at, _login(one.user), one.state, one.commit_id or "")
            for one in pull.get_reviews()
            if one.state != "PENDING"  # begun by the token's own user, and said to nobody yet
        ]
        found.sort(key=lambda one: one[0])  # a draft that was begun first may be submitted last
    reviews = tuple(Review(by, _stance(state), commit) for _, by, state, commit in found)
    return Reviewed(number, head, author, reviews, base)


def _login(user: NamedUser | None) -> str:
    """Return who somebody is, or nothing where the account is gone."""
    return user.login if user is not None else ""


def _stance(state: str) -> Stance:
    """Return what a review says; what GitHub may say one day is no approval, and takes one back."""
    return _STANCES.get(state, Stance.DISMISSED)
