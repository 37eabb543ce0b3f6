"""What cannot be done with GitHub, in one line each, and what to do about it."""


class GitHubTrouble(Exception):  # noqa: N818 - it degrades a surface; it is the gate's word for that
    """Says in one line what failed, and in `help` what to do.

    `status` is GitHub's answer, None where there was none; `message` is GitHub's own words, one plain line of them.
    """

    def __init__(
        self,
        says: str,
        *,
        help: str = "",  # noqa: A002 - a finding's word
        status: int | None = None,
        message: str = "",
    ) -> None:
        super().__init__(says)
        self.says = says
        self.help = help
        self.status = status
        self.message = message


class Denied(GitHubTrouble):
    """The token may not do this; `permission` is the workflow's key that would allow it, as `statuses: write`."""

    def __init__(self, says: str, *, help: str, permission: str, message: str = "") -> None:  # noqa: A002 - a finding's word
        super().__init__(says, help=help, status=403, message=message)
        self.permission = permission


class Absent(GitHubTrouble):
    """What was asked for is not there, or is hidden from this token."""


class Unsent(GitHubTrouble):
    """A write of which it is not known whether GitHub did it; it is not sent again."""
