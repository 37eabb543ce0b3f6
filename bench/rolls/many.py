"""Many instances in one process: every loopback address answers at one port, each as an instance of its own.

`many.py PORT VERSION`: health, and a version with the boot's name; one request a connection. It says `ready` when
it listens.
"""

import selectors
import socket
import sys
from contextlib import suppress

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s"


def main() -> None:
    """Serve for ever."""
    port, version = int(sys.argv[1]), sys.argv[2].encode()
    health = HEAD % (2, b"{}")
    server = socket.create_server(("0.0.0.0", port), backlog=4096)
    server.settimeout(0)
    ready = selectors.EpollSelector()
    ready.register(server, selectors.EVENT_READ)
    print("ready", flush=True)
    while True:
        for key, _ in ready.select():
            if key.data is None:
                _accept(server, ready)
                continue
            ready.unregister(key.data)
            _answer(key.data, version, health)


def _accept(server: socket.socket, ready: selectors.EpollSelector) -> None:
    try:
        while True:
            client, _ = server.accept()
            client.settimeout(0)
            ready.register(client, selectors.EVENT_READ, client)
    except BlockingIOError:
        return


def _answer(client: socket.socket, version: bytes, health: bytes) -> None:
    with client, suppress(OSError):  # a caller that went away
        asked = client.recv(4096)
        body = b'{"version": "%s", "boot": "%s"}' % (version, client.getsockname()[0].encode())
        client.sendall(HEAD % (len(body), body) if asked.startswith(b"GET /version ") else health)


if __name__ == "__main__":
    main()
