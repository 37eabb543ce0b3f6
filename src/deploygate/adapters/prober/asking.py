"""One bounded GET, straight to an address, and what it answered; the one door to requests."""

import re
import socket
from http.client import HTTPException, IncompleteRead
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from requests.structures import CaseInsensitiveDict
from urllib3 import HTTPSConnectionPool
from urllib3.connection import HTTPSConnection
from urllib3.exceptions import HTTPError, ProtocolError

from deploygate.adapters.prober.lines import Answer, BrokenError, Leash, Line, connected
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
        except BrokenError as error:
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


class _Door(HTTPAdapter):
    """An adapter without retries, proxies and cookies, which hands its connection to the leash."""

    leash: Leash

    def __init__(self) -> None:
        super().__init__(max_retries=0)
        self._line: Line | None = None

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        door = self

        class Tls(HTTPSConnection):
            response_class = Answer

            def _new_conn(self) -> socket.socket:
                return connected(self._dns_host, self.port or self.default_port, door.leash)

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
        self._line = Line(url, self.leash)
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
