"""Commit statuses: 1,000 for a commit and context, and the newest one counts."""

from deploygate.fake_github.answers import Answer, RefusedError, absent, invalid
from deploygate.fake_github.call import Call
from deploygate.fake_github.shown import commits as shown
from deploygate.fake_github.shown import repositories
from deploygate.fake_github.state.deployments import Status, combined

MOST = 1_000  # statuses of a commit and context
LONGEST = 140  # characters of a description


def create(call: Call) -> Answer:
    """Say something of a commit."""
    repo, body, sha = call.repo, call.body, call.values["sha"]
    if sha not in repo.objects.commits:
        raise RefusedError(422, f"No commit found for SHA: {sha}")
    context, says = body.get("context", "default"), body.get("description")
    if says is not None and len(says) > LONGEST:
        message = f"description is too long (maximum is {LONGEST} characters)"
        raise invalid("Status", "custom", "description", message)
    target = body.get("target_url") or None
    if target is not None and not target.startswith(("http://", "https://")):
        raise invalid("Status", "custom", "target_url", "target_url must use http(s) scheme")
    if sum(1 for one in repo.statuses if one.sha == sha and one.context.lower() == context.lower()) >= MOST:
        message = "This SHA and context has reached the maximum number of statuses."
        raise invalid("Status", "custom", message=message)
    made = Status(repo.site.number(), sha, body["state"], context, says, target, call.user, repo.site.now())
    repo.statuses.append(made)
    return Answer(201, shown.status(repo, made))


def listed(call: Call) -> Answer:
    """List everything that was said of a commit, the newest first."""
    found = [one for one in reversed(call.repo.statuses) if one.sha == _sha(call)]
    return call.page(found, lambda one: shown.status(call.repo, one))


def combine(call: Call) -> Answer:
    """Return what was last said in each context, and what that makes together."""
    repo, sha = call.repo, _sha(call)
    latest = repo.latest_statuses(sha)

    def show(one: Status) -> object:
        return shown.simple_status(repo, one)

    page = call.page(latest, show)
    me = f"{repo.api}/commits/{sha}"
    body = {
        "state": combined(latest),
        "statuses": page.body,
        "sha": sha,
        "total_count": len(latest),
        "repository": repositories.short(repo),
        "commit_url": me,
        "url": f"{me}/status",
    }
    return Answer(200, body, page.headers)


def _sha(call: Call) -> str:
    sha = call.repo.sha(call.values["ref"])
    if not sha:
        raise absent()
    return sha


OPERATIONS = {
    "repos/create-commit-status": create,
    "repos/get-combined-status-for-ref": combine,
    "repos/list-commit-statuses-for-ref": listed,
}
