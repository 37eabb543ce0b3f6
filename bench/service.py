"""The service under test: answers for its health and version, starts in 20 ms, falls ill when told to.

It runs in its release folder, whose name is its version. `../run/` takes its pid and, when it falls ill, the
time. A file `ill` in the release folder, "INSTANCE N", lets that instance answer its health with 503 after N
good answers.
"""

import os
import socket
import sys
import time

RUN = "../run"


def note(name: str, text: str) -> None:
    """Write a file of the run folder in one piece, so that nobody reads half of it."""
    with open(f"{RUN}/{name}.new", "w") as file:  # noqa: PTH123 - pathlib would double the start-up
        file.write(text)
    os.replace(f"{RUN}/{name}.new", f"{RUN}/{name}")  # noqa: PTH105 - as above


def good_answers(instance: str) -> float:
    """Return after how many good answers this instance falls ill: in most releases, never."""
    try:
        with open("ill") as file:  # noqa: PTH123 - as above
            name, count = file.read().split()
    except FileNotFoundError:
        return float("inf")
    return int(count) if name == instance else float("inf")


def main() -> None:
    """Serve one request a connection, for ever."""
    host = sys.argv[sys.argv.index("--host") + 1]
    port = int(sys.argv[sys.argv.index("--port") + 1])
    instance = sys.argv[sys.argv.index("--instance") + 1]
    version = os.path.basename(os.getcwd())  # noqa: PTH109, PTH119 - as above
    left = good_answers(instance)
    note(f"{instance}.pid", str(os.getpid()))
    server = socket.create_server((host, port), backlog=64)
    while True:
        client, _ = server.accept()
        client.settimeout(1.0)
        with client:
            try:
                path = client.recv(4096).split(b" ", 2)[1]
                status, body = "200 OK", f'{{"version": "{version}"}}'
                if path == b"/health":
                    if left == 0:
                        note("ill", str(time.monotonic()))
                    status, body = ("200 OK", "{}") if left > 0 else ("503 Service Unavailable", "{}")
                    left -= 1
                elif path == b"/work":
                    time.sleep(0.005)
                client.sendall(
                    f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
                    f"X-Process: {os.getpid()}\r\nConnection: close\r\n\r\n{body}".encode(),
                )
            except (OSError, IndexError):
                continue  # a caller that went away or said nothing: the next one counts


if __name__ == "__main__":
    main()
