"""What each operation does, by GitHub's name of it."""

from collections.abc import Callable, Mapping

from deploygate.fake_github.answers import Answer
from deploygate.fake_github.call import Call, SiteCall
from deploygate.fake_github.endpoints import (
    comments,
    commits,
    contents,
    deployments,
    objects,
    people,
    pulls,
    refs,
    repositories,
    runs,
    statuses,
    workflows,
)

OPERATIONS: Mapping[str, Callable[[Call], Answer]] = {
    **comments.OPERATIONS,
    **commits.OPERATIONS,
    **contents.OPERATIONS,
    **deployments.OPERATIONS,
    **objects.OPERATIONS,
    **pulls.OPERATIONS,
    **refs.OPERATIONS,
    **repositories.OPERATIONS,
    **runs.OPERATIONS,
    **statuses.OPERATIONS,
    **workflows.OPERATIONS,
}
PEOPLE: Mapping[str, Callable[[SiteCall], Answer]] = people.OPERATIONS
