"""One of the talk's services, small enough to read: it answers for its health and its version over HTTP.

What kind of release it is stands beside it in release.json, so that the demo can show bad ones.
"""

import json
import os
import socket
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

RELEASE = json.loads((Path(__file__).parent / "release.json").read_text())
INSTANCE = os.environ.get("DEPLOYGATE_INSTANCE", "by-hand")


class Health:
    """Healthy, until a release that is made to fall ill has answered so often on that instance."""

    def __init__(self) -> None:
        ill = RELEASE.get("falls_ill", {})
        self.left = ill["after"] if ill.get("on") == INSTANCE else None

    def good(self) -> bool:
        if self.left is None:
            return True
        self.left -= 1
        return self.left >= 0


class Answers(BaseHTTPRequestHandler):
    """GET /health and GET /version."""

    health = Health()

    def do_GET(self) -> None:
        if self.path == "/health":
            good = self.health.good()
            self.answer(200 if good else 503, {"status": "pass" if good else "fail"})
        elif self.path == "/version":
            self.answer(200, {"service": RELEASE["service"], "version": RELEASE.get("says", RELEASE["version"])})
        else:
            self.answer(404, {})

    def answer(self, status: int, body: dict[str, str]) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        """Keep quiet: the gate asks often."""


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def server_bind(self) -> None:
        """Bind without asking a name server who we are, which takes seconds where there is none."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_name, self.server_port = self.server_address[0], self.server_address[1]  # type: ignore[assignment]


if __name__ == "__main__":
    port = int(sys.argv[1])
    server = Server(("127.0.0.1", port), Answers)
    print(f"{RELEASE['service']} {RELEASE['version']} as {INSTANCE} on port {port}", flush=True)
    server.serve_forever()
