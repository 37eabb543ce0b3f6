"""Comments on pull requests."""

from deploygate.fake_github.answers import Answer, absent, invalid
from deploygate.fake_github.call import Call
from deploygate.fake_github.shown import pulls as shown
from deploygate.fake_github.shown.people import moment
from deploygate.fake_github.state.pulls import Comment

MOST = 65_536  # characters of a comment


def create(call: Call) -> Answer:
    """Add a comment."""
    pull = call.pull("issue_number")
    made = call.repo.comment(pull.number, _body(call), by=call.user.login)
    pull.updated = made.created
    return Answer(201, shown.comment(made))


def listed(call: Call) -> Answer:
    """List the comments of a pull request, the oldest first."""
    return call.page(_since(call, call.pull("issue_number").comments), shown.comment)


def listed_for_repo(call: Call) -> Answer:
    """List all comments; only the order of their making is known here."""
    found = sorted(_all(call), key=lambda one: one.number, reverse=call.query.get("direction") == "desc")
    return call.page(_since(call, found), shown.comment)


def get(call: Call) -> Answer:
    """Return a comment."""
    return Answer(200, shown.comment(_one(call)))


def update(call: Call) -> Answer:
    """Change what a comment says."""
    one = _one(call)
    one.body, one.updated = _body(call), call.repo.site.now()
    return Answer(200, shown.comment(one))


def delete(call: Call) -> Answer:
    """Remove a comment."""
    one = _one(call)
    one.pull.comments.remove(one)
    return Answer(204)


def issue(call: Call) -> Answer:
    """Return a pull request as an issue."""
    return Answer(200, shown.issue(call.pull("issue_number")))


def _body(call: Call) -> str:
    body = str(call.body["body"])
    if len(body) > MOST:
        raise invalid("IssueComment", "unprocessable", "data", f"Body is too long (maximum is {MOST} characters)")
    if not body.strip():
        raise invalid("IssueComment", "unprocessable", "data", "Body cannot be blank")
    return body


def _all(call: Call) -> list[Comment]:
    return [one for pull in call.repo.pulls.values() for one in pull.comments]


def _one(call: Call) -> Comment:
    for one in _all(call):
        if str(one.number) == call.values["comment_id"]:
            return one
    raise absent()


def _since(call: Call, comments: list[Comment]) -> list[Comment]:
    since = call.query.get("since", "")
    return [one for one in comments if moment(one.updated) >= since]


OPERATIONS = {
    "issues/create-comment": create,
    "issues/delete-comment": delete,
    "issues/get": issue,
    "issues/get-comment": get,
    "issues/list-comments": listed,
    "issues/list-comments-for-repo": listed_for_repo,
    "issues/update-comment": update,
}
