"""Users, and the bots that tokens of workflows write as."""

import base64
from dataclasses import dataclass

ACTIONS = "github-actions[bot]"


@dataclass(frozen=True, slots=True)
class User:
    """Somebody with an account."""

    login: str
    number: int

    @property
    def kind(self) -> str:
        """Whether it is a person or a bot, in GitHub's words."""
        return "Bot" if self.login.endswith("[bot]") else "User"


def node(kind: str, number: int) -> str:
    """Return the other name that GitHub gives to everything."""
    return base64.b64encode(f"{kind}{number}".encode()).decode()
