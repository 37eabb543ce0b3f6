"""Users, and the bots that tokens of workflows write as."""

import base64
from dataclasses import dataclass

ACTIONS = "github-actions[bot]"


@dataclass(frozen=True, slots=True)
class User:
    """Somebody with an account, or an organization."""

    login: str
    number: int
    organization: bool = False

    @property
    def kind(self) -> str:
        """Whether it is a person, a bot or an organization, in GitHub's words."""
        if self.organization:
            return "Organization"
        return "Bot" if self.login.endswith("[bot]") else "User"


@dataclass(frozen=True, slots=True)
class Team:
    """A team of an organization."""

    number: int
    organization: str
    slug: str
    members: tuple[User, ...]


def node(kind: str, number: int) -> str:
    """Return the other name that GitHub gives to everything."""
    return base64.b64encode(f"{kind}{number}".encode()).decode()
