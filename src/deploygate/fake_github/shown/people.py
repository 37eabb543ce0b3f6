"""Users and moments, as JSON."""

from datetime import datetime

from deploygate.fake_github.answers import Json
from deploygate.fake_github.state.people import Team, User, node
from deploygate.fake_github.state.site import Site

_ADDRESSES = {
    "followers_url": "/followers",
    "following_url": "/following{/other_user}",
    "gists_url": "/gists{/gist_id}",
    "starred_url": "/starred{/owner}{/repo}",
    "subscriptions_url": "/subscriptions",
    "organizations_url": "/orgs",
    "repos_url": "/repos",
    "events_url": "/events{/privacy}",
    "received_events_url": "/received_events",
}


def moment(when: datetime) -> str:
    """Return a time as GitHub writes it."""
    return when.strftime("%Y-%m-%dT%H:%M:%SZ")


def moment_or_none(when: datetime | None) -> str | None:
    """Return a time, where there is one."""
    return None if when is None else moment(when)


def user(site: Site, one: User) -> Json:
    """Return a user."""
    me = f"{site.api}/users/{one.login.replace('[', '%5B').replace(']', '%5D')}"
    return {
        "login": one.login,
        "id": one.number,
        "node_id": node(one.kind, one.number),
        "avatar_url": f"{site.web}/avatars/{one.number}",
        "gravatar_id": "",
        "url": me,
        "html_url": f"{site.web}/{one.login.removesuffix('[bot]')}",
        **{name: me + end for name, end in _ADDRESSES.items()},
        "type": one.kind,
        "site_admin": False,
    }


def team(site: Site, one: Team) -> Json:
    """Return a team."""
    when = moment(site.now())
    org = site.user(one.organization)
    me, home = f"{site.api}/organizations/{org.number}/team/{one.number}", f"{site.api}/orgs/{org.login}"
    names = ("repos", "events", "hooks", "issues", "members", "public_members")
    counts = ("public_repos", "public_gists", "followers", "following")
    organization = {
        **{key: user(site, org)[key] for key in ("login", "id", "node_id", "avatar_url", "html_url", "type")},
        "url": home,
        **{f"{name}_url": f"{home}/{name}" for name in names},
        **dict.fromkeys(counts, 0),
        "description": None,
        "has_organization_projects": True,
        "has_repository_projects": True,
        "created_at": when,
        "updated_at": when,
        "archived_at": None,
    }
    return {
        "id": one.number,
        "node_id": node("Team", one.number),
        "name": one.slug,
        "slug": one.slug,
        "type": "organization",
        "description": None,
        "privacy": "closed",
        "notification_setting": "notifications_enabled",
        "permission": "pull",
        "url": me,
        "html_url": f"{site.web}/orgs/{org.login}/teams/{one.slug}",
        "members_url": f"{me}/members{{/member}}",
        "repositories_url": f"{me}/repos",
        "parent": None,
        "members_count": len(one.members),
        "repos_count": 0,
        "created_at": when,
        "updated_at": when,
        "organization": organization,
    }


def public_user(site: Site, one: User) -> Json:
    """Return somebody as others see them."""
    return {**private_user(site, one), "user_view_type": "public"}


def private_user(site: Site, one: User) -> Json:
    """Return somebody as they see themselves."""
    unknown = ("name", "company", "blog", "location", "email", "hireable", "bio")
    counts = ("public_repos", "public_gists", "followers", "following")
    when = moment(site.now())
    return {
        **user(site, one),
        **dict.fromkeys(unknown),
        **dict.fromkeys(counts, 0),
        "created_at": when,
        "updated_at": when,
    }
