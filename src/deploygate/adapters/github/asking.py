"""One request to GitHub and its whole answer, bounded in time and size; what breaks it is said in our words."""

import ssl
import threading
import time
from collections.abc import Callable, ItemsView
from contextlib import closing
from dataclasses import dataclass

import requests
from requests.structures import CaseInsensitiveDict
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError

from deploygate.wording import seconds

LARGEST = 64 * 1024 * 1024  # bytes of an answer: the inventory's limit, as base64 in JSON, and more
POLL = 0.05  # seconds between two looks at whether the run was asked to stop
_GRACE = 2.0  # seconds that an answer gets once the run was asked to stop


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


class Caller:
    """Asks one thing after the other, over connections that are kept; `stopped` cuts what is being waited for."""

    def __init__(self, patience: Patience, stopped: Callable[[], str]) -> None:
        self._patience = patience
        self._stopped = stopped
        self._session = _session()

    def ask(self, verb: str, url: str, body: str | None, headers: dict[str, str]) -> Answer:
        """Return the whole answer, and wait no longer than patience has it: not for names, drops, or after a stop.

        Raises:
            LineError: There is none.
        """
        why = f"no whole answer within {seconds(self._patience.whole)}"
        end = time.monotonic() + self._patience.whole
        asking = _Asking(self._session, requests.Request(verb, url, headers, data=body), self._patience, end)
        asking.start()
        while not asking.over.wait(POLL):
            if self._stopped() and time.monotonic() + _GRACE < end:
                end = time.monotonic() + _GRACE
                why = "no whole answer before the run was to stop"
            if time.monotonic() > end:
                self._session = _session()  # the other one is still being waited for, by nobody
                raise LineError(why, unsure=True)
        try:
            return asking.result()
        except (requests.RequestException, HTTPError, OSError, ValueError) as error:
            says, unsure = _broken(error, self._patience)
            raise LineError(says, unsure=unsure) from error

    def hang_up(self) -> None:
        """Close what is open."""
        self._session.close()


class _Asking(threading.Thread):
    """One request, in a thread of its own: no library ends a name's look-up, or a wait for a line that drips."""

    def __init__(self, session: requests.Session, request: requests.Request, patience: Patience, end: float) -> None:
        super().__init__(daemon=True)
        self.over = threading.Event()
        self._session = session
        self._request = request
        self._patience = patience
        self._end = end
        self._answer: Answer | None = None
        self._error: BaseException | None = None

    def run(self) -> None:
        try:
            self._answer = self._whole()
        except BaseException as error:  # noqa: BLE001 - it is raised where the answer is waited for
            self._error = error
        finally:
            self.over.set()

    def result(self) -> Answer:
        """Return the answer, or raise what came of it; nothing is kept that would hold the connection."""
        error, self._error = self._error, None
        try:
            if error is not None:
                raise error
        finally:
            del error
        if self._answer is None:
            raise AssertionError
        return self._answer

    def _whole(self) -> Answer:
        request = self._session.prepare_request(self._request)
        around = self._session.merge_environment_settings(request.url or "", {}, True, None, None)  # noqa: FBT003
        with closing(
            self._session.send(request, timeout=self._patience.timeout, allow_redirects=False, **around)
        ) as answer:
            return Answer(answer.status_code, answer.headers, _read(answer, self._end))


def _session() -> requests.Session:
    made = requests.Session()
    made.auth = _as_it_is  # or a .netrc would be asked for a password
    return made


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


def _broken(error: Exception, patience: Patience) -> tuple[str, bool]:
    """Say why there is no answer, never in the error's own words, and whether the request may have arrived."""
    cause = getattr(error.args[0], "reason", None) if error.args else None
    if isinstance(error, requests.exceptions.ProxyError):
        return "the proxy of this machine does not let us through", False
    if isinstance(error, requests.exceptions.SSLError):
        untrusted = bool(cause and isinstance(getattr(cause, "args", [None])[0], ssl.SSLCertVerificationError))
        return ("its certificate is not trusted here" if untrusted else "its TLS broke off"), not untrusted
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
