"""Who is on GitHub: logins, teams and their members; a job's own token knows of logins only."""

from urllib.parse import quote

from github.NamedUser import NamedUser
from github.PaginatedList import PaginatedList

from deploygate.adapters.github.client import Hub
from deploygate.adapters.github.trouble import Absent, GitHubTrouble
from deploygate.owners import Account

_TEAMS = "members: read"  # of an app: no workflow can give it
_HELP = "A job's own token knows of no team: give `token` that of an app with `members: read`."


def account(hub: Hub, name: str) -> Account:
    """Return what is known of a login, or of a team as organization/team."""
    return _team(hub, name) if "/" in name else _person(hub, name)


def members(hub: Hub, team: str) -> frozenset[str]:
    """Return the logins in a team, as organization/team, those of the teams below it included.

    Raises:
        GitHubTrouble: They are not known, which is not the same as none.
    """
    org, slug = (quote(part, safe="") for part in team.split("/", 1))
    with hub.asking(_TEAMS, f"GET /orgs/{org}/teams/{slug}/members"):
        path = f"/orgs/{org}/teams/{slug}/members"
        return frozenset(one.login for one in PaginatedList(NamedUser, hub.repo.requester, path, None))


def _person(hub: Hub, login: str) -> Account:
    try:
        with hub.asking("", f"GET /users/{quote(login, safe='')}"):
            _, data = hub.repo.requester.requestJsonAndCheck("GET", f"/users/{quote(login, safe='')}")
            kind, found = str(data["type"]), str(data["login"])
    except Absent:
        return Account(login, exists=False, says="GitHub knows nobody of that name")
    except GitHubTrouble as trouble:
        return Account(login, exists=None, says=trouble.says, help=trouble.help)
    if kind == "Organization":
        return Account(login, exists=False, says="that is an organization, and nobody in it")
    if found.casefold() != login.casefold():
        return Account(login, exists=False, says=f"that is {found} now")
    return Account(login, exists=True)


def _team(hub: Hub, name: str) -> Account:
    org, slug = (quote(part, safe="") for part in name.split("/", 1))
    try:
        with hub.asking(_TEAMS, f"GET /orgs/{org}/teams/{slug}"):
            _, data = hub.repo.requester.requestJsonAndCheck("GET", f"/orgs/{org}/teams/{slug}")
            str(data["slug"])
    except GitHubTrouble as trouble:  # a team that is not there, and one that the token may not know of, look the same
        return Account(name, exists=None, says=trouble.says, help=_HELP)
    return Account(name, exists=True)
