"""Many instances in one process: every loopback address answers at one port, each as an instance of its own.

`many.py PORT VERSION`: health, and a version with the boot's name; one request a connection. It says `ready` when
it listens.
"""

import selectors
import socket
import sys

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s"


def main() -> None:
    """Serve for ever."""
    port, version = int(sys.argv[1]), sys.argv[2].encode()
    health = HEAD % (2, b"{}")
    server = socket.create_server(("0.0.0.0", port), backlog=4096)  # noqa: S104 - all of 127/8
    server.setblocking(False)
    ready = selectors.EpollSelector()
    ready.register(server, selectors.EVENT_READ)
    print("ready", flush=True)
    while True:
        for key, _ in ready.select():
            if key.fileobj is server:
                try:
                    while True:
                        client, _ = server.accept()
                        client.setblocking(False)
                        ready.register(client, selectors.EVENT_READ)
                except BlockingIOError:
                    continue
            client = key.fileobj  # type: ignore[assignment] - it is one of the clients
            ready.unregister(client)
            with client:
                try:
                    asked = client.recv(4096)
                    body = b'{"version": "%s", "boot": "%s"}' % (version, client.getsockname()[0].encode())
                    client.sendall(HEAD % (len(body), body) if asked.startswith(b"GET /version ") else health)
                except OSError:
                    continue  # a caller that went away


if __name__ == "__main__":
    main()
