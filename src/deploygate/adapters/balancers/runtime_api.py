"""One HAProxy, asked and told through its runtime API: a socket, a line of command, an answer that is bounded."""

import csv
import re
import socket
import time
from collections.abc import Iterator
from typing import NamedTuple

from deploygate.wording import plain, quoted

LIMIT = 2.0  # seconds that a command may take, from the connection to the last byte of the answer
MOST = 8 * 1024 * 1024  # bytes of an answer: a backend of 10,000 servers
_NAME = re.compile(r"[A-Za-z0-9_.:-]{1,256}")
_UNKNOWN = {"No such proxy.", "No such backend.", "Can't find backend."}
_ORDERED_MAINTENANCE = 0x01 | 0x02 | 0x04  # forced, inherited from the server it tracks, or `disabled` in the file
_ORDERED_DRAIN = 0x08


class RuntimeApiError(Exception):
    """What an HAProxy could not be asked or told, in one line that names its socket."""


class Server(NamedTuple):
    """What an HAProxy says of a server; `orders` are the bits of its administrative state.

    A `backup` is sent requests only while no other server is up.
    """

    status: str
    orders: int
    sessions: int
    queue: int
    backup: bool = False

    @property
    def serving(self) -> bool:
        """Whether it is sent requests as a matter of course."""
        return self.up and not self.backup

    @property
    def up(self) -> bool:
        """Whether it may be sent requests: it passes its checks, or has none, and nobody took it out."""
        return self.status == "no check" or self.status.split(" ")[0] == "UP"

    @property
    def in_maintenance(self) -> bool:
        """Whether an operator or the configuration has put it into maintenance."""
        return bool(self.orders & _ORDERED_MAINTENANCE)

    @property
    def draining(self) -> bool:
        """Whether it was ordered out; a server that fails its checks as well says only DOWN in its status."""
        return bool(self.orders & _ORDERED_DRAIN)

    @property
    def idle(self) -> bool:
        """Whether no request is in progress on it or waits for it."""
        return self.sessions == 0 and self.queue == 0


def servers(where: str, backend: str) -> dict[str, Server]:
    """Return every server of a backend, as the HAProxy behind a socket sees it.

    Raises:
        RuntimeApiError: It can't be asked, doesn't know the backend, or answers something else.
    """
    name = _checked(backend)
    answer = _ask(where, f"show stat {name} 4 -1;show servers state {name}")
    if answer.partition("\n")[0].strip() in _UNKNOWN:
        raise RuntimeApiError(f"HAProxy at {where} has no backend {quoted(backend)}")
    try:
        orders = dict(_orders(answer))
        return {
            row["svname"]: Server(
                row["status"], orders[row["svname"]], int(row["scur"]), int(row["qcur"]), row["bck"] != "0"
            )
            for row in csv.DictReader(_block(answer, "# pxname,"), strict=True)
            if row["pxname"] == name
        }
    except (KeyError, TypeError, ValueError, csv.Error):
        raise RuntimeApiError(_odd(where, answer)) from None


def order(where: str, backend: str, server: str, state: str) -> None:
    """Tell an HAProxy which state a server must have: `ready` or `drain`.

    Raises:
        RuntimeApiError: It can't be told, or says no.
    """
    answer = _ask(where, f"set server {_checked(backend)}/{_checked(server)} state {state}").strip()
    if answer.startswith("Permission denied"):
        raise RuntimeApiError(f'{where} may not change servers: HAProxy\'s "stats socket" needs "level admin"')
    if answer:
        raise RuntimeApiError(
            f"HAProxy at {where} refuses {quoted(f'{backend}/{server}')} state {state}: {plain(answer)}"
        )


def _orders(answer: str) -> Iterator[tuple[str, int]]:
    """Give the administrative state of each server, by its name."""
    lines = _block(answer, "# be_id ")
    head = lines[0].split(" ")
    name, orders = head.index("srv_name"), head.index("srv_admin_state")
    for line in lines[1:]:
        cells = line.split(" ")
        if len(cells) > max(name, orders):
            yield cells[name], int(cells[orders])


def _block(answer: str, head: str) -> list[str]:
    """Return a table of an answer, from its head (without its mark) to the next empty line.

    Raises:
        ValueError: There is none.
    """
    lines = answer.splitlines()
    start = next((number for number, line in enumerate(lines) if line.startswith(head)), None)
    if start is None:
        raise ValueError(head)
    end = next((number for number in range(start, len(lines)) if not lines[number].strip()), len(lines))
    return [lines[start].removeprefix("# "), *lines[start + 1 : end]]


def _checked(name: str) -> str:
    """Return a name that a command may hold: a command line has no quotes, so a blank or a `;` would end it."""
    if not _NAME.fullmatch(name):
        raise RuntimeApiError(f"{quoted(name)} can't be a name in HAProxy: letters, digits and _ . : - are what it has")
    return name


def _ask(where: str, command: str) -> str:
    """Send one command, and return the whole answer."""
    end = time.monotonic() + LIMIT
    try:
        with _connected(where) as api:
            heard = _exchanged(api, command, end)
    except (FileNotFoundError, ConnectionRefusedError):
        says = f"nobody listens at {where}: is HAProxy running, with that as its stats socket?"
    except PermissionError:
        says = f"this user may not use {where}: give it the socket's group, or the socket another mode"
    except TimeoutError:
        says = f"HAProxy at {where} did not answer within {LIMIT:g} s"
    except (OSError, ValueError) as error:
        says = f"HAProxy at {where} can't be asked: {plain(str(error))}"
    else:
        if heard:
            return heard.decode(errors="replace")
        says = f"HAProxy at {where} answered nothing: is it its runtime API?"
    raise RuntimeApiError(says)


def _exchanged(api: socket.socket, command: str, end: float) -> bytes:
    """Send a line, and return what comes until the other side hangs up."""
    api.sendall(command.encode() + b"\n")
    heard = bytearray()
    while True:
        left = end - time.monotonic()
        if left <= 0:
            raise TimeoutError
        api.settimeout(left)
        more = api.recv(64 * 1024)
        if not more:
            return bytes(heard)
        heard += more
        if len(heard) > MOST:
            raise ValueError(f"its answer has more than {MOST:,} bytes")


def _connected(where: str) -> socket.socket:
    if not where.startswith("/"):
        host, _, port = where.rpartition(":")
        if not 0 < int(port) < 65536:
            raise ValueError(f"there is no port {port}")
        return socket.create_connection((host, int(port)), timeout=LIMIT)
    api = socket.socket(socket.AF_UNIX)
    api.settimeout(LIMIT)
    try:
        api.connect(where)
    except BaseException:
        api.close()
        raise
    return api


def _odd(where: str, answer: str) -> str:
    return f"HAProxy at {where} answered something else than its servers: {quoted(answer)}"
