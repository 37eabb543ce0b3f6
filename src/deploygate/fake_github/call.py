"""One request on its way through: whose it is, what it is about, and what it says."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import urlencode

from deploygate.fake_github.answers import Answer, Json, RefusedError, absent
from deploygate.fake_github.state.objects import Commit
from deploygate.fake_github.state.people import User
from deploygate.fake_github.state.pulls import Pull
from deploygate.fake_github.state.repository import Repository
from deploygate.fake_github.state.site import Site

MOST = 100  # things on a page
Thing = TypeVar("Thing")


@dataclass(frozen=True, slots=True)
class Asked:
    """What every request says: its address, the values in its path, and its query."""

    url: str
    values: Mapping[str, str]
    query: Mapping[str, str]

    def page(self, things: Sequence[Thing], show: Callable[[Thing], Any], under: str = "") -> Answer:
        """Answer with a page of things, and with links to the other pages; `under` names the list in an object."""
        size = min(max(int(self.query.get("per_page", 30)), 1), MOST)
        number, last = max(int(self.query.get("page", 1)), 1), max(-(-len(things) // size), 1)
        shown = [show(one) for one in things[(number - 1) * size : number * size]]
        pages = {"prev": number - 1, "next": number + 1, "last": last, "first": 1}
        wanted = [*(("next", "last") if number < last else ()), *(("prev", "first") if number > 1 else ())]
        links = ", ".join(
            f'<{self.url}?{urlencode({**self.query, "page": pages[name]})}>; rel="{name}"' for name in wanted
        )
        body = {"total_count": len(things), under: shown} if under else shown
        return Answer(200, body, {"Link": links} if links else {})


@dataclass(frozen=True, slots=True)
class SiteCall(Asked):
    """A request about people, by somebody who may make it."""

    site: Site


@dataclass(frozen=True, slots=True)
class Call(Asked):
    """A request about a repository, by somebody who may make it."""

    body: Json
    user: User
    repo: Repository
    server: str

    def commit(self, name: str) -> Commit:
        """Return the commit that a branch, tag or SHA means.

        Raises:
            RefusedError: There is none.
        """
        sha = self.repo.sha(name)
        if not sha:
            raise RefusedError(422, f"No commit found for SHA: {name}")
        return self.repo.objects.commits[sha]

    def pull(self, key: str = "pull_number") -> Pull:
        """Return the pull request of the path.

        Raises:
            RefusedError: There is none.
        """
        return found(self.repo.pulls, self.values[key])


def found(things: Mapping[int, Thing], number: str) -> Thing:
    """Return a thing by its number.

    Raises:
        RefusedError: There is none.
    """
    thing = things.get(int(number)) if number.isdigit() else None
    if thing is None:
        raise absent()
    return thing
