"""Repositories as JSON: in full, inside other things, and in short."""

from deploygate.fake_github.answers import Json
from deploygate.fake_github.shown.people import moment, user
from deploygate.fake_github.state.people import node
from deploygate.fake_github.state.repository import Repository

_ADDRESSES = {
    "archive_url": "/{archive_format}{/ref}",
    "assignees_url": "/assignees{/user}",
    "blobs_url": "/git/blobs{/sha}",
    "branches_url": "/branches{/branch}",
    "collaborators_url": "/collaborators{/collaborator}",
    "comments_url": "/comments{/number}",
    "commits_url": "/commits{/sha}",
    "compare_url": "/compare/{base}...{head}",
    "contents_url": "/contents/{+path}",
    "contributors_url": "/contributors",
    "deployments_url": "/deployments",
    "downloads_url": "/downloads",
    "events_url": "/events",
    "forks_url": "/forks",
    "git_commits_url": "/git/commits{/sha}",
    "git_refs_url": "/git/refs{/sha}",
    "git_tags_url": "/git/tags{/sha}",
    "hooks_url": "/hooks",
    "issue_comment_url": "/issues/comments{/number}",
    "issue_events_url": "/issues/events{/number}",
    "issues_url": "/issues{/number}",
    "keys_url": "/keys{/key_id}",
    "labels_url": "/labels{/name}",
    "languages_url": "/languages",
    "merges_url": "/merges",
    "milestones_url": "/milestones{/number}",
    "notifications_url": "/notifications{?since,all,participating}",
    "pulls_url": "/pulls{/number}",
    "releases_url": "/releases{/id}",
    "stargazers_url": "/stargazers",
    "statuses_url": "/statuses/{sha}",
    "subscribers_url": "/subscribers",
    "subscription_url": "/subscription",
    "tags_url": "/tags",
    "teams_url": "/teams",
    "trees_url": "/git/trees{/sha}",
}
_COUNTS = ("forks", "forks_count", "stargazers_count", "watchers", "watchers_count", "size")
_HAS = ("has_issues", "has_projects", "has_wiki", "has_discussions")


def short(repo: Repository) -> Json:
    """Return a repository as runs and statuses name it."""
    return {
        "id": repo.number,
        "node_id": node("Repository", repo.number),
        "name": repo.name,
        "full_name": repo.full_name,
        "private": repo.private,
        "owner": user(repo.site, repo.site.user(repo.owner)),
        "html_url": repo.web,
        "description": None,
        "fork": repo.parent is not None,
        "url": repo.api,
        **{name: repo.api + end for name, end in _ADDRESSES.items()},
    }


def usual(repo: Repository) -> Json:
    """Return a repository as pull requests name it."""
    still_open = sum(1 for one in repo.pulls.values() if one.state == "open")
    when = moment(repo.created)
    return {
        **short(repo),
        "git_url": f"git:{repo.web.partition(':')[2]}.git",
        "ssh_url": f"git@{repo.site.web.partition('://')[2]}:{repo.full_name}.git",
        "clone_url": f"{repo.web}.git",
        "svn_url": repo.web,
        "mirror_url": None,
        "homepage": None,
        "language": None,
        "license": None,
        **dict.fromkeys(_COUNTS, 0),
        **dict.fromkeys(_HAS, True),
        "has_pages": False,
        "has_downloads": True,
        "default_branch": repo.default_branch,
        "open_issues": still_open,
        "open_issues_count": still_open,
        "archived": False,
        "disabled": False,
        "visibility": "private" if repo.private else "public",
        "pushed_at": when,
        "created_at": when,
        "updated_at": when,
    }


def full(repo: Repository) -> Json:
    """Return a repository as it is asked for by name."""
    parent = {"parent": usual(repo.parent), "source": usual(repo.parent)} if repo.parent else {}
    return {**usual(repo), "subscribers_count": 0, "network_count": 0, **parent}
