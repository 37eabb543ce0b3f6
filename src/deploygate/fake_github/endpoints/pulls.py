"""Pull requests."""

from deploygate.fake_github.answers import Answer, RefusedError, invalid
from deploygate.fake_github.call import Call
from deploygate.fake_github.shown import commits
from deploygate.fake_github.shown import pulls as shown
from deploygate.fake_github.state.people import ACTIONS
from deploygate.fake_github.state.repository import BRANCH


def create(call: Call) -> Answer:
    """Open a pull request from a branch of the same repository."""
    repo, body = call.repo, call.body
    if call.user.login == ACTIONS and not repo.actions_may_open_pulls:
        raise RefusedError(403, "GitHub Actions is not permitted to create or approve pull requests.")
    owner, colon, branch = body["head"].rpartition(":")
    if (colon and owner != repo.owner) or BRANCH + branch not in repo.refs:
        raise invalid("PullRequest", "invalid", "head")
    if BRANCH + body["base"] not in repo.refs:
        raise invalid("PullRequest", "invalid", "base")
    if "title" not in body:
        raise invalid("PullRequest", "missing_field", "title")
    if not repo.objects.since(repo.sha(body["base"]), repo.sha(branch)):
        raise invalid("PullRequest", "custom", message=f"No commits between {body['base']} and {branch}")
    for one in repo.pulls.values():
        if one.state == "open" and (one.head, one.base) == (branch, body["base"]) and not one.fork:
            says = f"A pull request already exists for {repo.owner}:{branch}."
            raise invalid("PullRequest", "custom", message=says)
    made = repo.pull(
        branch,
        base=body["base"],
        title=body["title"],
        body=body.get("body"),
        by=call.user.login,
    )
    made.draft = body.get("draft", False)
    return Answer(201, shown.full(made))


def listed(call: Call) -> Answer:
    """List pull requests, the newest first where nothing else is asked for."""
    query, state = call.query, call.query.get("state", "open")
    owner, colon, head = query.get("head", "").partition(":")
    found = [
        one
        for one in call.repo.pulls.values()
        if state in {"all", one.state}
        and query.get("base", one.base) == one.base
        and (not colon or (owner, head) == (one.head_repo.owner, one.head))
    ]
    upward = query.get("direction", "desc") == "asc"
    when = "updated" if query.get("sort") == "updated" else "created"
    found.sort(key=lambda one: (getattr(one, when), one.number), reverse=not upward)
    return call.page(found, shown.simple)


def get(call: Call) -> Answer:
    """Return a pull request."""
    return Answer(200, shown.full(call.pull()))


def update(call: Call) -> Answer:
    """Change what a pull request says, or close it."""
    pull, body, now = call.pull(), call.body, call.repo.site.now()
    pull.title, pull.body = body.get("title", pull.title), body.get("body", pull.body)
    pull.base = body.get("base", pull.base)
    if pull.merged is None and body.get("state", pull.state) != pull.state:
        pull.state = body["state"]
        pull.closed = now if pull.state == "closed" else None
    pull.updated = now
    return Answer(200, shown.full(pull))


def merge(call: Call) -> Answer:
    """Merge a pull request with a commit that has both sides as parents, whatever the method."""
    pull = call.pull()
    if call.body.get("sha", pull.head_sha) != pull.head_sha:
        raise RefusedError(409, "Head branch was modified. Review and try the merge again.")
    if pull.state != "open" or pull.draft or not shown.mergeable(pull):
        raise RefusedError(405, "Pull Request is not mergeable")
    sha = call.repo.merge(pull.number, by=call.user.login, message=call.body.get("commit_message", ""))
    return Answer(200, {"sha": sha, "merged": True, "message": "Pull Request successfully merged"})


def files(call: Call) -> Answer:
    """List the files that a pull request changes."""
    pull = call.pull()
    base = call.repo.objects.merge_base(pull.base_sha, pull.head_sha)
    changes = call.repo.objects.changes(base, pull.head_sha)
    return call.page(changes, lambda one: commits.diff(call.repo, one, pull.head_sha))


def commits_of(call: Call) -> Answer:
    """List the commits of a pull request, the oldest first."""
    pull = call.pull()
    found = call.repo.objects.since(pull.base_sha, pull.head_sha)
    return call.page(found, lambda one: commits.commit(call.repo, one))


def reviews(call: Call) -> Answer:
    """List the reviews of a pull request, the oldest first."""
    pull = call.pull()
    return call.page(pull.reviews, lambda one: shown.review(pull, one))


OPERATIONS = {
    "pulls/create": create,
    "pulls/get": get,
    "pulls/list": listed,
    "pulls/list-commits": commits_of,
    "pulls/list-files": files,
    "pulls/list-reviews": reviews,
    "pulls/merge": merge,
    "pulls/update": update,
}
