"""One bounded GET, straight to an address, and what it answered; the one door to requests."""

import re
import socket
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from http.client import HTTPConnection, HTTPException, HTTPResponse, IncompleteRead
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.structures import CaseInsensitiveDict
from urllib3 import HTTPSConnectionPool
from urllib3.connection import HTTPSConnection
from urllib3.exceptions import HTTPError, ProtocolError

from deploygate.probe import BODY_LIMIT, NoReply, Reply
from deploygate.wording import plain, seconds

_HEADERS = {
    "User-Agent": "deploygate",
    "Accept": "*/*",
    "Accept-Encoding": "identity",
    "Cache-Control": "no-cache, no-store",
    "Pragma": "no-cache",
    "Connection": "close",
}
_READY = re.compile(r"https?://[a-z0-9.-]+(:[0-9]+)?(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+/?")  # needs no preparation


_BROKE_OFF = "the connection broke in the middle of the answer"


class Leash:
    """The time that one look may take, in seconds, and the socket to cut when it is over."""

    def __init__(self, limit: float) -> None:
        self.limit = limit
        self.cut = False
        self._lock = threading.Lock()
        self._end = float("inf")
        self._socket: socket.socket | None = None

    def start(self) -> None:
        """Begin to count."""
        self._end = time.monotonic() + self.limit

    def left(self) -> float:
        """Return how long one step of the look may take yet."""
        return max(0.01, min(self.limit, self._end - time.monotonic()))

    def hold(self, held: socket.socket) -> None:
        """Take hold of the connection that the look is waiting for."""
        with self._lock:
            self._socket = held

    def overdue(self) -> bool:
        """Cut the connection when the time is up; say whether even that did not help."""
        late = time.monotonic() - self._end
        if late < 0:
            return False
        with self._lock:
            self.cut = True
            if self._socket is not None:
                with suppress(OSError):  # closed already
                    self._socket.shutdown(socket.SHUT_RDWR)
        return late > 1.0


class Asker:
    """Asks one thing after the other; each thread needs its own. `verify` is a file of certificates, or True."""

    def __init__(self, verify: bool | str) -> None:  # noqa: FBT001 - as requests has it
        self._verify = verify
        self._door = _Door()
        self._headers = CaseInsensitiveDict(_HEADERS)

    def get(self, url: str, leash: Leash) -> Reply | NoReply:
        """Return what a URL answers, uncached and not redirected; no proxy, no netrc, no second try."""
        try:
            return self._ask(url, leash)
        except _BrokenError as error:
            return _no_reply(error.cause, leash)
        except (requests.RequestException, HTTPError, HTTPException, OSError, ValueError) as error:
            return _no_reply(error, leash)

    def _ask(self, url: str, leash: Leash) -> Reply | NoReply:
        self._door.leash = leash
        answer = self._door.send(self._prepared(url), stream=True, timeout=leash.left(), verify=self._verify)
        try:
            body, whole = _body(answer)
        finally:
            answer.close()
            self._door.hang_up()
        if leash.cut:
            return NoReply(f"no whole answer within {seconds(leash.limit)}")
        if not whole:
            return NoReply(_BROKE_OFF)
        return Reply(answer.status_code, _headers(answer), body[:BODY_LIMIT], cut=len(body) > BODY_LIMIT)

    def _prepared(self, url: str) -> requests.PreparedRequest:
        """Return a request; a URL in which nothing is to be quoted or resolved is taken as it is."""
        if not _READY.fullmatch(url):
            return requests.Request("GET", url, headers=_HEADERS).prepare()
        request = requests.PreparedRequest()
        request.method, request.url, request.headers = "GET", url, self._headers
        return request


def _headers(answer: requests.Response) -> dict[str, str]:
    """Return the headers by their names in lower case; one that was given twice has all of its values."""
    headers: dict[str, str] = {}
    for name, value in answer.headers.items():
        known = headers.get(name.lower())
        headers[name.lower()] = value if known is None else f"{known}, {value}"
    return headers


def _body(answer: requests.Response) -> tuple[bytes, bool]:
    """Read up to one byte beyond the limit, and tell whether what was read is not less than was announced.

    urllib3 raises where a body broke off, at the read after its last byte; http.client counts what is still to come.
    """
    body = b""
    answer.raw.decode_content = False  # as it was sent
    while len(body) <= BODY_LIMIT and (more := answer.raw.read(BODY_LIMIT + 1 - len(body))):
        body += more
    return body, len(body) > BODY_LIMIT or not getattr(answer.raw, "length", None)


def _no_reply(error: Exception, leash: Leash) -> NoReply:
    if isinstance(error, ConnectionRefusedError):
        return NoReply("connection refused", refused=True)
    if leash.cut or leash.left() <= 0.01 or isinstance(error, requests.Timeout | TimeoutError):
        return NoReply(f"no answer within {seconds(leash.limit)}")
    if isinstance(error, socket.gaierror):
        return NoReply("its host has no address")
    if isinstance(error, requests.exceptions.SSLError):
        return NoReply(plain(f"its certificate is not trusted: {error.args[0] if error.args else ''}", 120))
    if isinstance(error, requests.ConnectionError | OSError):
        return NoReply("the connection broke before there was an answer")
    if isinstance(error, ProtocolError | IncompleteRead):
        return NoReply(_BROKE_OFF)
    return NoReply(plain(f"not an HTTP answer: {type(error).__name__}"))


class _BrokenError(Exception):
    """There was no answer. It is not for requests to wrap: a refused look costs a tenth of what it would."""

    def __init__(self, cause: OSError | HTTPException) -> None:
        super().__init__(str(cause))
        self.cause = cause


class _Line:
    """One request over one connection, in the place of a pool: nothing is kept, so there is nothing to look after."""

    def __init__(self, url: str, leash: Leash) -> None:
        at = urlsplit(url)
        self._connection = _Plain(at.hostname or "", at.port)
        self._connection.leash = leash

    def urlopen(self, method: str, url: str, headers: Mapping[str, str], **_: object) -> HTTPResponse:
        """Ask, and return the answer with its body still to be read."""
        try:
            self._connection.request(method, url, headers=headers)
            return self._connection.getresponse()
        except (OSError, HTTPException) as error:
            self.close()
            raise _BrokenError(error) from error

    def close(self) -> None:
        """Close the connection, which the other side may want to keep."""
        self._connection.close()


class _Head:
    """What an answer is read from, with the last line that was read."""

    def __init__(self, file: Any) -> None:
        self._file = file
        self.last = b""

    def readline(self, limit: int = -1) -> bytes:
        self.last = self._file.readline(limit)
        return self.last

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


class _Answer(HTTPResponse):
    """An answer whose head is whole and says one length, or none."""

    def begin(self) -> None:
        file = self.fp
        head = _Head(file)
        self.fp = head  # type: ignore[assignment]  # which reads as a file does
        super().begin()
        self.fp = file
        lengths = set(self.headers.get_all("Content-Length") or ())
        if head.last not in {b"\r\n", b"\n"}:
            raise HTTPException("its head broke off")
        if len(lengths) > 1 or not all(one.isascii() and one.isdigit() for one in lengths):
            raise HTTPException("it says more than one length")


class _Plain(HTTPConnection):
    leash: Leash
    response_class = _Answer

    def connect(self) -> None:
        self.sock = _connected(self.host, self.port, self.leash)


def _connected(host: str, port: int, leash: Leash) -> socket.socket:
    try:
        made = socket.create_connection((host, port), timeout=leash.left())
    except OSError as error:
        raise _BrokenError(error) from error
    leash.hold(made)
    return made


class _Door(HTTPAdapter):
    """An adapter without retries, proxies and cookies, which hands its connection to the leash."""

    leash: Leash

    def __init__(self) -> None:
        super().__init__(max_retries=0)
        self._line: _Line | None = None

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        door = self

        class Tls(HTTPSConnection):
            response_class = _Answer

            def _new_conn(self) -> socket.socket:
                return _connected(self._dns_host, self.port or self.default_port, door.leash)

            def connect(self) -> None:
                super().connect()
                door.leash.hold(self.sock)  # the wrapped one

        class TlsPool(HTTPSConnectionPool):
            ConnectionCls = Tls

        self.poolmanager.pool_classes_by_scheme = {"https": TlsPool}

    def get_connection_with_tls_context(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> Any:
        """Return a line; TLS is left to requests, which knows whose certificates to trust."""
        url = request.url or ""
        if url.startswith("https:"):
            return super().get_connection_with_tls_context(request, *args, **kwargs)
        self._line = _Line(url, self.leash)
        return self._line

    def hang_up(self) -> None:
        """Close the line, where there was one."""
        if self._line is not None:
            self._line.close()

    def request_url(self, request: requests.PreparedRequest, _: object) -> str:
        return request.path_url

    def build_response(self, request: requests.PreparedRequest, answered: Any) -> requests.Response:
        answer = requests.Response()
        answer.request = request
        answer.status_code, answer.headers, answer.raw = answered.status, answered.headers, answered
        return answer
