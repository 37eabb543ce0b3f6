"""Asks instances over HTTP, each at its own address; the one door to requests."""

import socket
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError, ProtocolError

from deploygate.answers import read_health, read_identity, read_version
from deploygate.inventory import Instance, Service
from deploygate.ports import Process
from deploygate.probe import BODY_LIMIT, Health, NoReply, Reply, Sighting
from deploygate.wording import plain, seconds

Identify = Callable[[Service, Instance], Process]

_HEADERS = {
    "User-Agent": "deploygate",
    "Accept": "*/*",
    "Accept-Encoding": "identity",
    "Cache-Control": "no-cache, no-store",
    "Pragma": "no-cache",
    "Connection": "close",
}
_AT_ONCE = 32  # instances asked at the same time


class HttpProber:
    """A `Prober`. Every look is bounded as a whole: what drips or hangs is cut off from outside."""

    def __init__(self, identify: Identify, now: Callable[[], float]) -> None:
        self._identify = identify
        self._now = now
        self._pool = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="probe")
        self._local = threading.local()

    def look(self, service: Service, instances: Sequence[Instance]) -> tuple[Sighting, ...]:
        """Return one sighting an instance, in their order."""
        leashes = {one.name: _Leash(service.health.timeout) for one in instances}
        asked = {self._pool.submit(self._ask, service, one, leashes[one.name]): one for one in instances}
        seen: dict[str, Sighting] = {}
        pending: set[Future[Sighting]] = set(asked)
        while pending:
            done, pending = wait(pending, timeout=0.2, return_when=FIRST_COMPLETED)
            for future in done:
                seen[asked[future].name] = future.result()
            for future in tuple(pending):
                if leashes[asked[future].name].overdue():
                    seen[asked[future].name] = self._given_up(service, asked[future])
                    pending.discard(future)
        return tuple(seen[one.name] for one in instances)

    def close(self) -> None:
        """Let the threads go."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _ask(self, service: Service, one: Instance, leash: "_Leash") -> Sighting:
        leash.start()
        began = time.monotonic()
        self._local.leash = leash
        health_reply = self._get(one, service.health.path, leash)
        same = service.version.path == service.health.path or (isinstance(health_reply, NoReply))
        version_reply = health_reply if same else self._get(one, service.version.path, leash)
        health, why = read_health(service.health, health_reply)
        version, why_not = read_version(service.version, version_reply)
        process = self._identify(service, one)
        says = f"{service.health.path}: {why}" if why else "" if version else f"{service.version.path}: {why_not}"
        if process.alive is False:
            says = process.says or says
        return Sighting(
            instance=one.name,
            at=self._now(),
            health=health,
            version=plain(version, 80) if version else None,
            identity=read_identity(service.version, version_reply) or process.identity,
            says=plain(says),
            alive=process.alive,
            release=process.release,
            elapsed=round(time.monotonic() - began, 4),
        )

    def _given_up(self, service: Service, one: Instance) -> Sighting:
        says = f"no whole answer within {seconds(service.health.timeout)}"
        return Sighting(one.name, self._now(), Health.UNKNOWN, says=says)

    def _get(self, one: Instance, path: str, leash: "_Leash") -> Reply | NoReply:
        session: requests.Session = getattr(self._local, "session", None) or self._session()
        timeout = leash.left()
        try:
            with session.get(
                one.address.rstrip("/") + path,
                headers=_HEADERS,
                timeout=timeout,
                allow_redirects=False,
                stream=True,
            ) as answer:
                body = _body(answer)
                headers = {name.lower(): value for name, value in answer.headers.items()}
                if leash.cut:
                    return NoReply(f"no whole answer within {seconds(leash.limit)}")
                return Reply(answer.status_code, headers, body[:BODY_LIMIT], cut=len(body) > BODY_LIMIT)
        except (requests.RequestException, HTTPError, OSError, ValueError) as error:
            return _no_reply(error, leash)

    def _session(self) -> requests.Session:
        session = requests.Session()
        session.trust_env = False  # no proxy, no netrc: the instance itself, or nothing
        door = _Door(self._local)
        session.mount("http://", door)
        session.mount("https://", door)
        self._local.session = session
        return session


def _body(answer: requests.Response) -> bytes:
    """Read up to one byte beyond the limit; only the read after the last byte tells a body that broke off."""
    body = b""
    while len(body) <= BODY_LIMIT and (more := answer.raw.read(BODY_LIMIT + 1 - len(body), decode_content=False)):
        body += more
    return body


def _no_reply(error: Exception, leash: "_Leash") -> NoReply:
    cause: BaseException | None = error
    for _ in range(8):  # requests wraps urllib3, which wraps the system's own error
        if isinstance(cause, ConnectionRefusedError):
            return NoReply("connection refused", refused=True)
        if cause is None:
            break
        cause = cause.__cause__ or cause.__context__
    if leash.cut or leash.left() <= 0.01 or isinstance(error, requests.Timeout):
        return NoReply(f"no answer within {seconds(leash.limit)}")
    if isinstance(error, requests.ConnectionError):
        return NoReply("the connection broke before there was an answer")
    if isinstance(error, ProtocolError):
        return NoReply("the connection broke in the middle of the answer")
    return NoReply(plain(f"not an HTTP answer: {type(error).__name__}"))


class _Leash:
    """The time that one look may take, and the socket to cut when it is over."""

    def __init__(self, limit: float) -> None:
        self.limit = limit
        self.cut = False
        self._lock = threading.Lock()
        self._end = float("inf")
        self._socket: socket.socket | None = None

    def start(self) -> None:
        self._end = time.monotonic() + self.limit

    def left(self) -> float:
        return max(0.01, min(self.limit, self._end - time.monotonic()))

    def hold(self, held: socket.socket) -> None:
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
                try:
                    self._socket.shutdown(socket.SHUT_RDWR)
                except OSError:
                    self._socket = None  # closed already
        return late > 1.0


class _Door(HTTPAdapter):
    """An adapter without retries, whose connections hand their socket to the leash of the thread's look."""

    def __init__(self, local: threading.local) -> None:
        self._local = local
        super().__init__(max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        local = self._local

        class Plain(HTTPConnection):
            def connect(self) -> None:
                super().connect()
                local.leash.hold(self.sock)

        class Tls(HTTPSConnection):
            def connect(self) -> None:
                super().connect()
                local.leash.hold(self.sock)

        class PlainPool(HTTPConnectionPool):
            ConnectionCls = Plain

        class TlsPool(HTTPSConnectionPool):
            ConnectionCls = Tls

        self.poolmanager.pool_classes_by_scheme = {"http": PlainPool, "https": TlsPool}
