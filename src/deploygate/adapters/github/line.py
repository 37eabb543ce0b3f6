"""One request to GitHub's API and its whole answer, bounded in time and size; said again only where that is safe."""

import time
from collections.abc import Callable, ItemsView
from contextlib import closing
from dataclasses import dataclass

import requests
from requests.structures import CaseInsensitiveDict
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError

from deploygate.wording import seconds

LARGEST = 64 * 1024 * 1024  # bytes of an answer: the inventory's limit, as base64 in JSON, and more
_POLL = 0.05  # seconds between two looks at whether the run was asked to stop
_UNTOLD = 60.0  # seconds to wait where a rate limit does not say how long; GitHub asks for a minute
_MOVED = {302, 303, 307, 308}
_READS = {"GET", "HEAD"}


@dataclass(frozen=True, slots=True)
class Patience:
    """How long GitHub is waited for, in seconds.

    `timeout` is for a connection and for silence in it, `whole` for one answer, `budget` for all the waiting between
    requests that a `Hub` does in its life; `tries` is how often a request is made at the most, where that is safe.
    """

    timeout: float
    whole: float
    tries: int
    budget: float


class LineError(Exception):
    """There is no answer to go by. With `unsure` it is not known whether GitHub did what it was told."""

    def __init__(self, says: str, *, unsure: bool = False, status: int | None = None) -> None:
        super().__init__(says)
        self.says = says
        self.unsure = unsure
        self.status = status


class Answer:
    """An answer, read to its end, in the form that PyGithub knows."""

    def __init__(self, status: int, headers: CaseInsensitiveDict[str], body: bytes) -> None:
        self.status = status
        self.headers = headers
        self._body = body

    def getheaders(self) -> ItemsView[str, str]:
        """Return names and values."""
        return self.headers.items()

    def read(self) -> str:
        """Return the body as text."""
        return self._body.decode("utf-8", "replace")


class Line:
    """What PyGithub calls a connection. It is kept between requests, until `hang_up`; `calls` counts the requests."""

    def __init__(self, origin: str, patience: Patience, stopped: Callable[[], str]) -> None:
        self.calls = 0
        self._origin = origin
        self._patience = patience
        self._stopped = stopped
        self._left = patience.budget
        self._session = requests.Session()
        self._session.auth = _as_it_is  # or a .netrc would be asked for a password
        self._asked: tuple[str, str, str | None, dict[str, str]] = ("GET", "/", None, {})

    def request(self, verb: str, url: str, body: str | None, headers: dict[str, str], stream: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002 - as PyGithub calls it
        """Keep what is to be asked."""
        self._asked = (verb, url, body, headers)

    def getresponse(self) -> Answer:
        """Ask, and ask again where nothing can be done twice by it: what was refused, never arrived, or only reads.

        Raises:
            LineError: There is no answer, or none that is worth more tries.
        """
        again = self._asked[0] in _READS
        tries = 0
        while True:
            tries += 1
            last = tries >= self._patience.tries
            try:
                answer = self._once()
            except LineError as error:
                if last or (error.unsure and not again):
                    raise
                self._wait(2.0 ** (tries - 2), error.says)
                continue
            if (pause := _pause(answer)) is not None:
                tries -= 1  # what was refused was not done, and waiting has a limit of its own
                self._wait(pause, "its rate limit is used up", status=answer.status)
            elif answer.status in _MOVED:
                raise LineError(f"it sends us elsewhere ({answer.status}): was the repository moved?")
            elif answer.status >= 500 and again and not last:
                self._wait(2.0 ** (tries - 2), f"its answer was {answer.status}")
            else:
                return answer

    def close(self) -> None:
        """Do nothing: PyGithub closes after each request what is good for the next one."""

    def hang_up(self) -> None:
        """Close what is open."""
        self._session.close()

    def _once(self) -> Answer:
        verb, path, body, headers = self._asked
        self.calls += 1
        end = time.monotonic() + self._patience.whole
        try:
            with closing(
                self._session.request(
                    verb,
                    f"{self._origin}{path}",
                    data=body,
                    headers=headers,
                    timeout=self._patience.timeout,
                    allow_redirects=False,
                    stream=True,
                )
            ) as answer:
                return Answer(answer.status_code, answer.headers, _read(answer, end))
        except (requests.RequestException, HTTPError, OSError, ValueError) as error:
            says, unsure = _broken(error, self._patience)
            raise LineError(says, unsure=unsure) from error

    def _wait(self, pause: float, why: str, *, status: int | None = None) -> None:
        """Wait before another try, out of the budget; a run that was asked to stop waits no longer."""
        if pause > self._left:
            raise LineError(
                f"{why}, and another {seconds(pause)} of waiting is more than is left for it", status=status
            )
        self._left -= pause
        end = time.monotonic() + pause
        while (left := end - time.monotonic()) > 0:
            if self._stopped():
                raise LineError(f"{why}, and the run was asked to stop", status=status)
            time.sleep(min(left, _POLL))


def _as_it_is(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


def _read(answer: requests.Response, end: float) -> bytes:
    """Return the body; what arrives drop by drop is given up on as a whole."""
    body = bytearray()
    for more in answer.iter_content(1024):
        body += more
        if len(body) > LARGEST:
            raise requests.exceptions.ContentDecodingError
        if time.monotonic() > end:
            raise requests.ReadTimeout
    return bytes(body)


def _pause(answer: Answer) -> float | None:
    """Return how many seconds a rate limit asks to wait, None where it is not a rate limit that refused."""
    if answer.status not in {403, 429}:
        return None
    after = answer.headers.get("retry-after", "")
    if after:
        return max(1.0, float(after)) if after.isdecimal() else _UNTOLD
    text = answer.read().lower()
    if answer.headers.get("x-ratelimit-remaining") == "0" and "not accessible" not in text:
        reset = answer.headers.get("x-ratelimit-reset", "")
        return max(1.0, float(reset) - time.time() + 1) if reset.isdecimal() else _UNTOLD
    return _UNTOLD if answer.status == 429 or "rate limit" in text or "abuse detection" in text else None


def _broken(error: Exception, patience: Patience) -> tuple[str, bool]:
    """Say why there is no answer, never in the error's own words, and whether the request may have arrived."""
    cause = getattr(error.args[0], "reason", None) if error.args else None
    if isinstance(error, requests.exceptions.ProxyError):
        return "the proxy of this machine does not let us through", False
    if isinstance(error, requests.exceptions.SSLError):
        return "its certificate is not trusted here", False
    if isinstance(error, requests.ConnectTimeout) or isinstance(cause, ConnectTimeoutError):
        return _unreached(cause, patience), False
    if isinstance(cause, NewConnectionError):
        return _unreached(cause, patience), False
    if isinstance(error, requests.Timeout) or "timed out" in str(error).lower():
        return f"no whole answer within {seconds(patience.timeout)}", True
    if isinstance(error, requests.exceptions.InvalidHeader | requests.exceptions.InvalidURL):
        return "the request can't be made: is the token or the address cut off or broken?", False
    if isinstance(error, requests.exceptions.ContentDecodingError):
        return "its answer is too long or can't be unpacked", True
    return "the connection broke before there was a whole answer", True


def _unreached(cause: object, patience: Patience) -> str:
    if isinstance(cause, NewConnectionError):
        return "there is no way to it: the connection is refused, or the host has no address"
    return f"no connection within {seconds(patience.timeout)}"
