"""Requests without a pause through a balancer, each over a connection of its own; what became of each is counted."""

import threading
import time
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from typing import Self

CLIENTS = 6
PAUSE = 0.002  # seconds
TIMEOUT = 10.0
FUSE = 30.0


@dataclass(frozen=True, slots=True)
class Count:
    """How many requests were sent, and how many of them were not answered with 200."""

    sent: int
    failed: int


class Load:
    """Clients that ask from `__enter__` to `__exit__`."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._over = threading.Event()
        self._lock = threading.Lock()
        self._sent = self._failed = 0
        self._clients = [threading.Thread(target=self._ask, daemon=True) for _ in range(CLIENTS)]

    def __enter__(self) -> Self:
        for one in self._clients:
            one.start()
        return self

    def __exit__(self, *raised: object) -> None:
        self._over.set()
        end = time.monotonic() + FUSE
        for one in self._clients:
            one.join(max(0.0, end - time.monotonic()))

    def count(self) -> Count:
        """Return what became of the requests so far."""
        with self._lock:
            return Count(self._sent, self._failed)

    def _ask(self) -> None:
        while not self._over.wait(PAUSE):
            connection = HTTPConnection("127.0.0.1", self._port, timeout=TIMEOUT)
            try:
                connection.request("GET", "/work", headers={"Connection": "close"})
                answer = connection.getresponse()
                answer.read()
                good = answer.status == 200
            except (OSError, HTTPException):
                good = False
            finally:
                connection.close()
            with self._lock:
                self._sent += 1
                self._failed += not good
