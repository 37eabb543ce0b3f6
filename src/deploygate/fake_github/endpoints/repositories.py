"""The repository itself."""

from deploygate.fake_github.answers import Answer
from deploygate.fake_github.call import Call
from deploygate.fake_github.shown import repositories as shown


def get(call: Call) -> Answer:
    """Return the repository."""
    return Answer(200, shown.full(call.repo))


OPERATIONS = {"repos/get": get}
