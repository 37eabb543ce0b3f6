"""Requests without a pause, through a balancer, while something is done behind it; what became of each is counted.

Half of the clients make a connection for each request, half keep theirs. A request on a kept connection that the
server closed before a byte of an answer came is sent again on a fresh one, once, as HTTP clients do with a GET
(RFC 9110, 9.2.2). It is counted once among those that were sent, and apart from them among those that were sent again.
"""

import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from typing import Self
from urllib.parse import urlsplit

FUSE = 30.0  # seconds that clients may take to end
KEPT = 5  # failures that are told


@dataclass
class Result:
    """What became of the requests; `resent` were sent a second time, and `answers` counts by what was answered."""

    sent: int = 0
    ok: int = 0
    resent: int = 0
    failures: list[str] = field(default_factory=list)
    answers: Counter[str] = field(default_factory=Counter)

    @property
    def failed(self) -> int:
        """How many were not answered with 200."""
        return self.sent - self.ok

    def __str__(self) -> str:
        again = f"{self.resent:,} of them a second time"
        again += ", as their kept connection was closed before a byte of an answer" if self.resent else ""
        first = f"; first: {'; '.join(self.failures)}" if self.failures else ""
        return f"{self.failed:,} failed of {self.sent:,} sent, {again}{first}"


class Load:
    """Clients that ask without a pause from `__enter__` to `__exit__`."""

    def __init__(self, url: str, *, fresh: int = 3, kept: int = 3, pause: float = 0.002, timeout: float = 10.0) -> None:
        parts = urlsplit(url)
        self._host, self._port, self._path = parts.hostname or "", parts.port or 80, parts.path or "/"
        self._pause, self._timeout = pause, timeout
        self._stop = threading.Event()
        self._counting = threading.Lock()
        self._result = Result()
        self._clients = [threading.Thread(target=self._ask, args=(False,), daemon=True) for _ in range(fresh)]
        self._clients += [threading.Thread(target=self._ask, args=(True,), daemon=True) for _ in range(kept)]

    def __enter__(self) -> Self:
        for client in self._clients:
            client.start()
        return self

    def __exit__(self, *raised: object) -> None:
        self._stop.set()
        end = time.monotonic() + FUSE
        for client in self._clients:
            client.join(max(0.0, end - time.monotonic()))
            assert not client.is_alive(), "a client hangs"

    def result(self) -> Result:
        """Return what became of the requests so far."""
        with self._counting:
            counted = self._result
            return Result(counted.sent, counted.ok, counted.resent, list(counted.failures), Counter(counted.answers))

    def wait_for(self, more: int) -> None:
        """Return when so many more requests were answered or have failed."""
        target = self.result().sent + more
        end = time.monotonic() + FUSE
        while self.result().sent < target:
            assert time.monotonic() < end, f"only {self.result()}"
            time.sleep(0.005)

    def _ask(self, keep: bool) -> None:  # noqa: FBT001 - a thread's argument
        connection: HTTPConnection | None = None
        again = False  # what was sent in vain is sent again, also at the end
        while not self._stop.wait(self._pause) or again:
            fresh, again = connection is None, False
            connection = connection or HTTPConnection(self._host, self._port, timeout=self._timeout)
            try:
                said = self._once(connection, keep=keep)
            except (OSError, HTTPException) as error:
                connection.close()
                connection = None
                if isinstance(error, ConnectionError) and not fresh:  # closed before a byte of an answer
                    again = True
                    self._count_again()
                else:
                    self._count(f"{type(error).__name__}: {error}", ok=False)
                continue
            self._count(said, ok=said.startswith("200 "))
            if not keep or connection.sock is None:
                connection.close()
                connection = None
        if connection is not None:
            connection.close()

    def _once(self, connection: HTTPConnection, *, keep: bool) -> str:
        connection.request("GET", self._path, headers={} if keep else {"Connection": "close"})
        answer = connection.getresponse()
        try:
            body = answer.read().decode(errors="replace")
        except ConnectionError as error:
            raise HTTPException(f"cut off within the answer: {error}") from error
        return f"{answer.status} {body[:40]}"

    def _count_again(self) -> None:
        with self._counting:
            self._result.resent += 1

    def _count(self, said: str, *, ok: bool) -> None:
        with self._counting:
            self._result.sent += 1
            if ok:
                self._result.ok += 1
                self._result.answers[said.removeprefix("200 ")] += 1
            elif len(self._result.failures) < KEPT:
                self._result.failures.append(" ".join(said.split()))
