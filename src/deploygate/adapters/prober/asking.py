"""One bounded GET, straight to an address, and what it answered; the one door to requests."""

import socket
import threading
import time
from contextlib import suppress
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
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
        self._prepared: dict[str, requests.PreparedRequest] = {}

    def get(self, url: str, leash: Leash) -> Reply | NoReply:
        """Return what a URL answers, uncached and not redirected; no proxy, no netrc, no second try."""
        try:
            return self._ask(url, leash)
        except _NoConnectionError as error:
            return _no_reply(error.cause, leash)
        except (requests.RequestException, HTTPError, OSError, ValueError) as error:
            return _no_reply(error, leash)

    def _ask(self, url: str, leash: Leash) -> Reply | NoReply:
        request = self._prepared.get(url)
        if request is None:
            request = self._prepared[url] = requests.Request("GET", url, headers=_HEADERS).prepare()
        self._door.leash = leash
        answer = self._door.send(request, stream=True, timeout=leash.left(), verify=self._verify)
        try:
            body = _body(answer)
        finally:
            answer.close()
        if leash.cut:
            return NoReply(f"no whole answer within {seconds(leash.limit)}")
        headers = {name.lower(): value for name, value in answer.headers.items()}
        return Reply(answer.status_code, headers, body[:BODY_LIMIT], cut=len(body) > BODY_LIMIT)


def _body(answer: requests.Response) -> bytes:
    """Read up to one byte beyond the limit; only the read after the last byte tells a body that broke off."""
    body = b""
    while len(body) <= BODY_LIMIT and (more := answer.raw.read(BODY_LIMIT + 1 - len(body), decode_content=False)):
        body += more
    return body


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
    if isinstance(error, ProtocolError):
        return NoReply("the connection broke in the middle of the answer")
    return NoReply(plain(f"not an HTTP answer: {type(error).__name__}"))


class _NoConnectionError(Exception):
    """No connection was made. It is not urllib3's to wrap: a refused look costs a tenth of what it would."""

    def __init__(self, cause: OSError) -> None:
        super().__init__(str(cause))
        self.cause = cause


class _Door(HTTPAdapter):
    """An adapter without retries, which hands its connection to the leash."""

    leash: Leash

    def __init__(self) -> None:
        super().__init__(max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        door = self

        def connected(host: str, port: int) -> socket.socket:
            try:
                made = socket.create_connection((host, port), timeout=door.leash.left())
            except OSError as error:
                raise _NoConnectionError(error) from error
            door.leash.hold(made)
            return made

        class Plain(HTTPConnection):
            def _new_conn(self) -> socket.socket:
                return connected(self._dns_host, self.port or self.default_port)

        class Tls(HTTPSConnection):
            def _new_conn(self) -> socket.socket:
                return connected(self._dns_host, self.port or self.default_port)

            def connect(self) -> None:
                super().connect()
                door.leash.hold(self.sock)  # the wrapped one

        class PlainPool(HTTPConnectionPool):
            ConnectionCls = Plain

        class TlsPool(HTTPSConnectionPool):
            ConnectionCls = Tls

        self.poolmanager.pool_classes_by_scheme = {"http": PlainPool, "https": TlsPool}
