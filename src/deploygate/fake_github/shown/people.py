"""Users and moments, as JSON."""

from datetime import datetime

from deploygate.fake_github.answers import Json
from deploygate.fake_github.state.people import User, node
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
