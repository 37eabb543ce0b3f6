"""One line to an address: one request over it, an answer that is read strictly, and a leash that cuts it off."""

import socket
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from http.client import HTTPConnection, HTTPException, HTTPResponse
from typing import Any
from urllib.parse import urlsplit


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


class BrokenError(Exception):
    """There was no answer. It is not for requests to wrap: a refused look costs a tenth of what it would."""

    def __init__(self, cause: OSError | HTTPException) -> None:
        super().__init__(str(cause))
        self.cause = cause


class Line:
    """One request over one connection, in the place of a pool: nothing is kept, so there is nothing to look after."""

    def __init__(self, url: str, leash: Leash) -> None:
        at = urlsplit(url)
        self._connection = _Plain(at.hostname or "", at.port or 80)  # a port that is not given is sought in the name
        self._connection.leash = leash

    def urlopen(self, method: str, url: str, headers: Mapping[str, str], **_: object) -> HTTPResponse:
        """Ask, and return the answer with its body still to be read."""
        try:
            self._connection.request(method, url, headers=headers)
            return self._connection.getresponse()
        except (OSError, HTTPException) as error:
            self.close()
            raise BrokenError(error) from error

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


class Answer(HTTPResponse):
    """An answer whose head is whole and says one length, or none."""

    def begin(self) -> None:
        """Read the head.

        Raises:
            HTTPException: It breaks off, or is none that can be believed.
        """
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
    response_class = Answer

    def connect(self) -> None:
        self.sock = connected(self.host, self.port, self.leash)


def connected(host: str, port: int, leash: Leash) -> socket.socket:
    """Return a connection, which the leash can cut.

    Raises:
        BrokenError: There is none.
    """
    try:
        made = socket.create_connection((host, port), timeout=leash.left())
    except OSError as error:
        raise BrokenError(error) from error
    leash.hold(made)
    return made
