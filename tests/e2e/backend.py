"""An instance behind a balancer: answers with its name; `/held` says when it has begun, and waits to be let go."""

import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

NAME, PORT, BEGUN, LET_GO = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]), Path(sys.argv[4])
FUSE = 25.0


class Answers(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        if self.path == "/held":
            BEGUN.touch()
            end = time.monotonic() + FUSE
            while not LET_GO.exists() and time.monotonic() < end:
                time.sleep(0.01)
        body = NAME.encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *words: object) -> None:
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, *words: object) -> None:
        pass  # whoever asked has hung up


Server(("127.0.0.1", PORT), Answers).serve_forever()
