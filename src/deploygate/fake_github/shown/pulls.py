"""Pull requests, comments and reviews, as JSON."""

from deploygate.fake_github.answers import Json
from deploygate.fake_github.shown import repositories
from deploygate.fake_github.shown.people import moment, moment_or_none, user
from deploygate.fake_github.state.people import ACTIONS, User, node
from deploygate.fake_github.state.pulls import Comment, Pull, Review
from deploygate.fake_github.state.repository import Repository

_ISSUE = (
    *("node_id", "html_url", "number", "state", "locked", "title", "user", "body", "labels", "milestone"),
    *("created_at", "updated_at", "closed_at", "assignee", "assignees", "author_association", "draft"),
)
_REACTIONS = ("+1", "-1", "laugh", "confused", "heart", "hooray", "eyes", "rocket")


def simple(pull: Pull) -> Json:
    """Return a pull request as lists have it."""
    repo = pull.base_repo
    me, issue = f"{repo.api}/pulls/{pull.number}", f"{repo.api}/issues/{pull.number}"
    page = f"{repo.web}/pull/{pull.number}"
    links = {
        "self": me,
        "html": page,
        "issue": issue,
        "comments": f"{issue}/comments",
        "review_comments": f"{me}/comments",
        "review_comment": f"{repo.api}/pulls/comments{{/number}}",
        "commits": f"{me}/commits",
        "statuses": f"{repo.api}/statuses/{pull.head_sha}",
    }
    return {
        "url": me,
        "id": pull.identity,
        "node_id": node("PullRequest", pull.identity),
        "html_url": page,
        "diff_url": f"{page}.diff",
        "patch_url": f"{page}.patch",
        "issue_url": issue,
        **{f"{name}_url": links[name] for name in links if name not in {"self", "html", "issue"}},
        "number": pull.number,
        "state": pull.state,
        "locked": False,
        "active_lock_reason": None,
        "title": pull.title,
        "user": user(repo.site, pull.user),
        "body": pull.body,
        "labels": [],
        "milestone": None,
        "created_at": moment(pull.created),
        "updated_at": moment(pull.updated),
        "closed_at": moment_or_none(pull.closed),
        "merged_at": moment_or_none(pull.merged),
        "merge_commit_sha": pull.merge_sha,
        "assignee": None,
        "assignees": [],
        "requested_reviewers": [],
        "requested_teams": [],
        "head": _end(pull.head_repo, pull.head, pull.head_sha),
        "base": _end(repo, pull.base, pull.base_sha),
        "_links": {name: {"href": link} for name, link in links.items()},
        "author_association": association(repo, pull.user),
        "auto_merge": None,
        "draft": pull.draft,
    }


def full(pull: Pull) -> Json:
    """Return a pull request as it is asked for by number."""
    repo = pull.base_repo
    base = repo.objects.merge_base(pull.base_sha, pull.head_sha)
    changes = repo.objects.changes(base, pull.head_sha)
    merged_by = user(repo.site, pull.merged_by) if pull.merged_by else None
    return {
        **simple(pull),
        "merged": pull.merged is not None,
        "mergeable": None if pull.merged else mergeable(pull),
        "rebaseable": None if pull.merged else mergeable(pull),
        "mergeable_state": "unknown" if pull.merged else ("clean" if mergeable(pull) else "dirty"),
        "merged_by": merged_by,
        "comments": len(pull.comments),
        "review_comments": 0,
        "maintainer_can_modify": False,
        "commits": len(repo.objects.since(pull.base_sha, pull.head_sha)),
        "additions": 0,
        "deletions": 0,
        "changed_files": len(changes),
    }


def mergeable(pull: Pull) -> bool:
    """Whether it can be merged without a conflict."""
    try:
        pull.base_repo.merged_files(pull.base_repo.sha(pull.base), pull.head_sha)
    except ValueError:
        return False
    return True


def issue(pull: Pull) -> Json:
    """Return a pull request as the issue that it is as well."""
    repo, about = pull.base_repo, simple(pull)
    me = about["issue_url"]
    return {
        **{key: about[key] for key in _ISSUE},
        "id": pull.identity,
        "url": me,
        "repository_url": repo.api,
        "labels_url": f"{me}/labels{{/name}}",
        "comments_url": f"{me}/comments",
        "events_url": f"{me}/events",
        "comments": len(pull.comments),
        "pull_request": {key: about[key] for key in ("url", "html_url", "diff_url", "patch_url", "merged_at")},
    }


def comment(one: Comment) -> Json:
    """Return a comment."""
    repo = one.pull.base_repo
    me = f"{repo.api}/issues/comments/{one.number}"
    return {
        "url": me,
        "html_url": f"{repo.web}/pull/{one.pull.number}#issuecomment-{one.number}",
        "issue_url": f"{repo.api}/issues/{one.pull.number}",
        "id": one.number,
        "node_id": node("IssueComment", one.number),
        "user": user(repo.site, one.user),
        "created_at": moment(one.created),
        "updated_at": moment(one.updated),
        "body": one.body,
        "author_association": association(repo, one.user),
        "reactions": {"url": f"{me}/reactions", "total_count": 0, **dict.fromkeys(_REACTIONS, 0)},
        "performed_via_github_app": None,
        "minimized": None,
    }


def review(pull: Pull, one: Review) -> Json:
    """Return a review."""
    repo = pull.base_repo
    page = f"{repo.web}/pull/{pull.number}#pullrequestreview-{one.number}"
    asked = f"{repo.api}/pulls/{pull.number}"
    return {
        "id": one.number,
        "node_id": node("PullRequestReview", one.number),
        "user": user(repo.site, one.user),
        "body": one.body,
        "state": one.state,
        "html_url": page,
        "pull_request_url": asked,
        "_links": {"html": {"href": page}, "pull_request": {"href": asked}},
        "submitted_at": moment(one.when),
        "commit_id": one.commit,
        "author_association": association(repo, one.user),
    }


def association(repo: Repository, one: User) -> str:
    """Return what somebody is to a repository, in GitHub's words."""
    if one.login == repo.owner:
        return "OWNER"
    return "NONE" if one.login == ACTIONS else "CONTRIBUTOR"


def _end(repo: Repository, name: str, sha: str) -> Json:
    return {
        "label": f"{repo.owner}:{name}",
        "ref": name,
        "sha": sha,
        "user": user(repo.site, repo.site.user(repo.owner)),
        "repo": repositories.usual(repo),
    }
