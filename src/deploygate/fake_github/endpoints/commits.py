"""Commits and branches as GitHub knows them, and which pull requests brought a commit."""

from deploygate.fake_github.answers import Answer, absent
from deploygate.fake_github.call import Call
from deploygate.fake_github.shown import commits as shown
from deploygate.fake_github.shown import pulls
from deploygate.fake_github.shown.people import moment
from deploygate.fake_github.state.objects import Commit
from deploygate.fake_github.state.pulls import Pull
from deploygate.fake_github.state.repository import BRANCH


def get(call: Call) -> Answer:
    """Return a commit with what it has changed."""
    return Answer(200, shown.commit(call.repo, call.commit(call.values["ref"]), files=True))


def listed(call: Call) -> Answer:
    """List the commits of a branch, the newest first."""
    query, start = call.query, call.repo.sha(call.query.get("sha", ""))
    if not start:
        raise absent()
    found = [
        one
        for one in call.repo.objects.history(start)
        if query.get("since", "") <= moment(one.committer.when) <= query.get("until", "9")
        and query.get("author", one.author.name) in {one.author.name, one.author.email}
        and query.get("committer", one.committer.name) in {one.committer.name, one.committer.email}
        and ("path" not in query or _touches(call, one, query["path"]))
    ]
    return call.page(found, lambda one: shown.commit(call.repo, one))


def compare(call: Call) -> Answer:
    """Return what a head has that a base has not."""
    repo, (base, dots, head) = call.repo, call.values["basehead"].partition("...")
    one, other = repo.sha(base), repo.sha(head)
    common = repo.objects.merge_base(one, other) if dots and one and other else ""
    if not common:
        raise absent()
    ahead, behind = repo.objects.since(one, other), repo.objects.since(other, one)
    status = "diverged" if ahead and behind else "ahead" if ahead else "behind" if behind else "identical"
    page = f"{repo.web}/compare/{base}...{head}"
    body = {
        "url": f"{repo.api}/compare/{base}...{head}",
        "html_url": page,
        "permalink_url": page,
        "diff_url": f"{page}.diff",
        "patch_url": f"{page}.patch",
        "base_commit": shown.commit(repo, repo.objects.commits[one]),
        "merge_base_commit": shown.commit(repo, repo.objects.commits[common]),
        "status": status,
        "ahead_by": len(ahead),
        "behind_by": len(behind),
        "total_commits": len(ahead),
        "commits": [shown.commit(repo, each) for each in ahead],
        "files": [shown.diff(repo, change, other) for change in repo.objects.changes(common, other)],
    }
    return Answer(200, body)


def pulls_of(call: Call) -> Answer:
    """List the pull requests that a commit came with, or that have it still."""
    sha = call.commit(call.values["commit_sha"]).sha
    main = {one.sha for one in call.repo.objects.history(call.repo.sha())}
    found = [
        one for one in call.repo.pulls.values() if _brings(one, sha) and (one.merged is not None or sha not in main)
    ]
    return call.page(found[::-1], pulls.simple)


def branch(call: Call) -> Answer:
    """Return a branch."""
    repo, name = call.repo, call.values["branch"]
    sha = repo.refs.get(BRANCH + name)
    if sha is None:
        raise absent()
    me = f"{repo.api}/branches/{name}"
    body = {
        "name": name,
        "commit": shown.commit(repo, repo.objects.commits[sha]),
        "_links": {"html": f"{repo.web}/tree/{name}", "self": me},
        "protected": False,
        "protection": {"enabled": False},
        "protection_url": f"{me}/protection",
    }
    return Answer(200, body)


def branches(call: Call) -> Answer:
    """List the branches; none is protected."""
    protected = call.query.get("protected") == "true"
    names = [] if protected else sorted(one for one in call.repo.refs if one.startswith(BRANCH))

    def show(name: str) -> object:
        sha = call.repo.refs[name]
        commit = {"sha": sha, "url": f"{call.repo.api}/commits/{sha}"}
        return {"name": name.removeprefix(BRANCH), "commit": commit, "protected": False}

    return call.page(names, show)


def _brings(pull: Pull, sha: str) -> bool:
    commits = pull.base_repo.objects.since(pull.base_sha, pull.head_sha)
    return sha == pull.merge_sha or any(one.sha == sha for one in commits)


def _touches(call: Call, commit: Commit, path: str) -> bool:
    before = commit.parents[0] if commit.parents else ""
    changes = call.repo.objects.changes(before, commit.sha)
    return any(one.path == path or one.path.startswith(f"{path}/") for one in changes)


OPERATIONS = {
    "repos/compare-commits-with-basehead": compare,
    "repos/get-branch": branch,
    "repos/get-commit": get,
    "repos/list-branches": branches,
    "repos/list-commits": listed,
    "repos/list-pull-requests-associated-with-commit": pulls_of,
}
