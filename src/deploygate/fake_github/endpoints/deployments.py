"""Deployments: what GitHub checks and merges before it makes one, and what a success does to those before it."""

from deploygate.fake_github.answers import Answer, Json, RefusedError, absent, invalid
from deploygate.fake_github.call import Call, found
from deploygate.fake_github.shown import deployments as shown
from deploygate.fake_github.state.deployments import Deployment, DeploymentStatus
from deploygate.fake_github.state.people import User
from deploygate.fake_github.state.repository import BRANCH, Repository

LONGEST = 140  # characters of a status's description


def create(call: Call) -> Answer:
    """Make a deployment, or merge the default branch into the ref first and make none."""
    repo, body = call.repo, call.body
    ref, environment = body["ref"], body.get("environment", "production")
    sha = repo.sha(ref)
    if not sha:
        raise RefusedError(422, f"No ref found for: {ref}")
    if body.get("auto_merge", True) and _merged(call, ref, sha):
        return Answer(202, {"message": f"Auto-merged {repo.default_branch} into {ref} on deployment."})
    _checked(repo, ref, sha, body.get("required_contexts"))
    now = repo.site.now()
    made = Deployment(
        number=repo.site.number(),
        sha=sha,
        ref=ref,
        task=body.get("task", "deploy"),
        payload=body.get("payload", {}),
        environment=environment,
        original_environment=environment,
        description=body.get("description"),
        transient=body.get("transient_environment", False),
        production=body.get("production_environment", environment == "production"),
        user=call.user,
        created=now,
        updated=now,
    )
    repo.environment(environment)
    repo.deployments[made.number] = made
    return Answer(201, shown.deployment(repo, made))


def listed(call: Call) -> Answer:
    """List deployments, the newest first; a filter of "none" is none."""
    filters = {
        name: value
        for name, value in call.query.items()
        if name in {"sha", "ref", "task", "environment"} and value != "none"
    }
    found_ones = [
        one
        for one in reversed(call.repo.deployments.values())
        if all(getattr(one, name) == value for name, value in filters.items())
    ]
    return call.page(found_ones, lambda one: shown.deployment(call.repo, one))


def get(call: Call) -> Answer:
    """Return a deployment."""
    return Answer(200, shown.deployment(call.repo, _one(call)))


def delete(call: Call) -> Answer:
    """Remove a deployment that is inactive, or the only one."""
    one = _one(call)
    if len(call.repo.deployments) > 1 and one.state != "inactive":
        raise RefusedError(422, "An active deployment can be deleted only if it is the only one.")
    del call.repo.deployments[one.number]
    return Answer(204)


def create_status(call: Call) -> Answer:
    """Say something of a deployment; a success makes those before it inactive, where GitHub does that."""
    repo, one, body = call.repo, _one(call), call.body
    says = body.get("description", "")
    if len(says) > LONGEST:
        message = f"description is too long (maximum is {LONGEST} characters)"
        raise invalid("DeploymentStatus", "custom", "description", message)
    for name in ("log_url", "target_url", "environment_url"):
        if body.get(name) and not body[name].startswith(("http://", "https://")):
            raise invalid("DeploymentStatus", "custom", name, f"{name} must use http(s) scheme")
    one.environment = body.get("environment", one.environment)
    repo.environment(one.environment)
    made = _say(repo, one, call.user, body)
    if made.state == "success" and body.get("auto_inactive", True):
        for other in _outdone(repo, one):
            _say(repo, other, call.user, {"state": "inactive"})
    return Answer(201, shown.status(repo, one, made))


def statuses(call: Call) -> Answer:
    """List what was said of a deployment, the newest first."""
    one = _one(call)
    return call.page(one.statuses[::-1], lambda each: shown.status(call.repo, one, each))


def get_status(call: Call) -> Answer:
    """Return one thing that was said of a deployment."""
    one = _one(call)
    for each in one.statuses:
        if str(each.number) == call.values["status_id"]:
            return Answer(200, shown.status(call.repo, one, each))
    raise absent()


def environments(call: Call) -> Answer:
    """List the environments."""
    every = list(call.repo.environments.values())
    return call.page(every, lambda one: shown.environment(call.repo, one), under="environments")


def environment(call: Call) -> Answer:
    """Return an environment."""
    one = call.repo.environments.get(call.values["environment_name"])
    if one is None:
        raise absent()
    return Answer(200, shown.environment(call.repo, one))


def _one(call: Call) -> Deployment:
    return found(call.repo.deployments, call.values["deployment_id"])


def _merged(call: Call, ref: str, sha: str) -> bool:
    """Merge the default branch into a branch that is behind it; only a branch can be merged into."""
    repo = call.repo
    if BRANCH + ref not in repo.refs or not repo.objects.since(sha, repo.sha()):
        return False
    try:
        tree = repo.objects.add_files(repo.merged_files(sha, repo.sha()))
    except ValueError:
        raise RefusedError(409, f"Conflict merging {repo.default_branch} into {ref}.") from None
    repo.record(tree, (sha, repo.sha()), f"Merge {repo.default_branch} into {ref}", call.user, ref)
    return True


def _checked(repo: Repository, ref: str, sha: str, required: list[str] | None) -> None:
    """Refuse a commit of which not every required context is a success; where none are named, all are required."""
    latest = {one.context: one.state for one in repo.latest_statuses(sha)}
    wanted = list(latest) if required is None else required
    known = {context.lower(): state for context, state in latest.items()}
    unmet = [
        {"context": context, "state": known.get(context.lower(), "missing")}
        for context in wanted
        if known.get(context.lower()) != "success"
    ]
    if unmet:
        error = {"contexts": unmet, "resource": "Deployment", "field": "required_contexts", "code": "invalid"}
        raise RefusedError(409, f"Conflict: Commit status checks failed for {ref}.", [error])


def _outdone(repo: Repository, one: Deployment) -> list[Deployment]:
    """Return the successes before a deployment that GitHub makes inactive: of its environment, passing ones never."""
    return [
        other
        for other in repo.deployments.values()
        if other.number < one.number
        and other.environment == one.environment
        and other.state == "success"
        and not other.transient
        and not other.production
    ]


def _say(repo: Repository, one: Deployment, user: User, body: Json) -> DeploymentStatus:
    now = repo.site.now()
    made = DeploymentStatus(
        number=repo.site.number(),
        state=body["state"],
        description=body.get("description", ""),
        environment=one.environment,
        environment_url=body.get("environment_url", ""),
        log_url=body.get("log_url") or body.get("target_url") or "",
        user=user,
        when=now,
    )
    one.statuses.append(made)
    one.updated = now
    return made


OPERATIONS = {
    "repos/create-deployment": create,
    "repos/create-deployment-status": create_status,
    "repos/delete-deployment": delete,
    "repos/get-all-environments": environments,
    "repos/get-deployment": get,
    "repos/get-deployment-status": get_status,
    "repos/get-environment": environment,
    "repos/list-deployment-statuses": statuses,
    "repos/list-deployments": listed,
}
