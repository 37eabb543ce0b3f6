"""People and teams."""

from deploygate.fake_github.answers import Answer, absent
from deploygate.fake_github.call import SiteCall
from deploygate.fake_github.shown import people as shown
from deploygate.fake_github.state.people import Team


def user(call: SiteCall) -> Answer:
    """Return somebody with an account, however the name is spelt."""
    one = call.site.known(call.values["username"])
    if one is None:
        raise absent()
    return Answer(200, shown.public_user(call.site, one))


def team(call: SiteCall) -> Answer:
    """Return a team."""
    return Answer(200, shown.team(call.site, _team(call)))


def members(call: SiteCall) -> Answer:
    """List the members of a team."""
    return call.page(_team(call).members, lambda one: shown.user(call.site, one))


def _team(call: SiteCall) -> Team:
    one = call.site.teams.get(f"{call.values['org']}/{call.values['team_slug']}".lower())
    if one is None:
        raise absent()
    return one


OPERATIONS = {"teams/get-by-name": team, "teams/list-members-in-org": members, "users/get-by-username": user}
