"""One repository on GitHub, and every failure of PyGithub in our words."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from github.Auth import Token
from github.GithubException import BadAttributeException, GithubException
from github.Repository import Repository
from github.Requester import Requester

from deploygate.adapters.github.asking import LineError, Patience
from deploygate.adapters.github.line import Line
from deploygate.adapters.github.trouble import Absent, Denied, GitHubTrouble, Unsent
from deploygate.names import Secret
from deploygate.wording import plain, quoted

ORDINARY = Patience(timeout=15.0, whole=60.0, tries=4, budget=120.0)
QUICK = Patience(timeout=2.0, whole=2.0, tries=1, budget=0.0)
_NAME = re.compile(r"[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+")
_MISREAD = (ValueError, LookupError, TypeError, AttributeError, AssertionError, RuntimeError)


class Hub:
    """One repository, asked and told by one thread; `repo` is PyGithub's, lazy: it costs no call by itself.

    `stopped` says by what the run was asked to stop, or nothing; then nothing is waited for any more.
    """

    def __init__(
        self,
        api_url: str,
        token: Secret,
        repository: str,
        *,
        patience: Patience = ORDINARY,
        stopped: Callable[[], str] = lambda: "",
    ) -> None:
        _check(api_url, repository)
        self.repository = repository
        self.told: dict[tuple[str, str], tuple[str, str]] = {}  # (commit, context) -> the status written last
        self._line = Line(_origin(api_url), patience, stopped)
        self.repo = Repository(_requester(api_url, _token(token), self._line), url=f"/repos/{repository}")

    @property
    def calls(self) -> int:
        """Return how many HTTP requests were made."""
        return self._line.calls

    def close(self) -> None:
        """Close the connection."""
        self._line.hang_up()

    @contextmanager
    def asking(self, permission: str, call: str) -> Iterator[None]:
        """Translate every failure of one call, as `POST /repos/a/b/statuses/1f`, which needs one permission.

        Raises:
            Denied: The token may not.
            Absent: It is not there, or the token may not know of it.
            Unsent: It is a write, and it is not known whether it was done.
            GitHubTrouble: Anything else.
        """
        call = plain(call, 120)
        writes = not call.startswith(("GET ", "HEAD "))
        calls = self.calls
        try:
            yield
        except GithubException as error:
            raise _refused(error, permission, call, writes=writes) from error
        except LineError as error:
            if error.unsure and writes:
                raise _unsent(call, error.says, error.status) from error
            raise GitHubTrouble(f"GitHub can't be used for {call}: {error.says}", status=error.status) from error
        except (*_MISREAD, BadAttributeException) as error:
            if self.calls == calls:
                raise  # nothing was asked yet: that is no answer's fault
            says = f"its answer can't be understood ({type(error).__name__})"
            if writes:
                raise _unsent(call, says, None) from error
            raise GitHubTrouble(f"GitHub was asked to {call}, and {says}") from error


def _refused(error: GithubException, permission: str, call: str, *, writes: bool) -> GitHubTrouble:
    """Return what an answer of 400 and above means."""
    message = _message(error.data)
    words = f', and says "{message}"' if message else ""
    match error.status:
        case 401:
            return GitHubTrouble(
                f"GitHub does not accept the token ({call})",
                help="It has expired or is wrong. The token of a job ends with the job, that of an App after an hour.",
                status=401,
                message=message,
            )
        case 403:
            return Denied(
                f"GitHub does not allow this token to {call}{_lacking(permission)}{words}",
                help=f"Give the job `permissions: {permission}`. In runs of forks and of Dependabot the token can only "
                "read, whatever the workflow says.",
                permission=permission,
                message=message,
            )
        case 404:
            return Absent(
                f"GitHub finds nothing at {call}, or the token may not know of it{_lacking(permission)}{words}",
                help=f"Look for a wrong name. A token without `permissions: {permission}` is told the same.",
                status=404,
                message=message,
            )
        case status if status >= 500 and writes:
            return _unsent(call, f"its answer was {status}", status)
        case status:
            return GitHubTrouble(f"GitHub refuses to {call} ({status}){words}", status=status, message=message)


def _lacking(permission: str) -> str:
    return f", which needs {permission}" if permission else ""


def _unsent(call: str, says: str, status: int | None) -> Unsent:
    return Unsent(
        f"it is not known whether GitHub did {call}: {says}",
        help="It is not sent twice. Look there before it is done again.",
        status=status,
    )


def _message(data: object) -> str:
    """Return GitHub's own words in one plain line: the message, and what it says of single fields."""
    if not isinstance(data, dict):
        return ""
    errors = data.get("errors")
    parts = [data.get("message"), *(errors if isinstance(errors, list) else [errors])]
    said = [_said(part) for part in parts[:5]]
    return plain(", ".join(dict.fromkeys(text for text in said if text)), 200)


def _said(part: Any) -> str:
    if isinstance(part, dict):
        return str(part.get("message") or " ".join(str(part[key]) for key in ("field", "code") if key in part))
    return part if isinstance(part, str) else ""


def _check(api_url: str, repository: str) -> None:
    if not _NAME.fullmatch(repository):
        raise GitHubTrouble(f"{quoted(repository)} is not the name of a repository", help="It is `owner/name`.")
    try:
        at = urlsplit(api_url)
        sound = at.scheme in {"https", "http"} and bool(at.hostname) and at.port != 0 and not at.query
    except ValueError:
        sound = False
    if not sound:
        raise GitHubTrouble(f"{quoted(api_url)} is not the address of GitHub's API", help="See GITHUB_API_URL.")


def _token(token: Secret) -> str:
    """Return the token without the white space that is pasted along; what can't be sent is never shown."""
    value = token.reveal().strip()
    if not value or not value.isascii() or not value.isprintable() or " " in value:
        raise GitHubTrouble(
            "there is no token to ask GitHub with" if not value else "the token is not one that GitHub gives",
            help="Leave the input `token` out: then the job's own is used.",
        )
    return value


def _origin(api_url: str) -> str:
    at = urlsplit(api_url)
    return f"{at.scheme}://{at.netloc.rpartition('@')[2]}"


def _requester(api_url: str, token: str, line: Line) -> Requester:
    """Return PyGithub's requester, which asks over this line and no other: the token goes nowhere else."""

    class Ours(Requester):
        pass

    def connected(host: str, port: int | None, **_: object) -> Line:
        at = urlsplit(api_url)
        if (host, port) != (at.hostname, at.port):
            raise LineError("it names another server than its own")
        return line

    made: Any = staticmethod(connected)
    Ours.injectConnectionClasses(made, made)
    return Ours(
        Token(token),
        base_url=api_url,
        timeout=0,
        user_agent="deploygate",
        per_page=100,
        verify=True,
        retry=None,
        pool_size=None,
        lazy=True,
    )
