"""The HTTP server on loopback: it reads requests, and writes, delays or cuts off what is answered."""

import json
import socket
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any

from deploygate.fake_github.answers import Answer
from deploygate.fake_github.desk import Desk, Received
from deploygate.fake_github.faults import Fault


class Server(ThreadingHTTPServer):
    """Serves one desk, each connection in a thread of its own."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, desk: Desk, host: str, port: int) -> None:
        self.desk, self.closing = desk, Event()
        self.connections: set[socket.socket] = set()
        super().__init__((host, port), Exchange)
        self._thread = Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    def start(self) -> None:
        """Answer from now on."""
        self._thread.start()

    def stop(self) -> None:
        """Answer no more."""
        self.closing.set()
        self.shutdown()
        self.server_close()
        for one in tuple(self.connections):  # a caller may keep its connection for ever
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        self._thread.join()

    def handle_error(self, *words: object) -> None:
        """Say nothing of a caller who has hung up."""


class Exchange(BaseHTTPRequestHandler):
    """One connection."""

    server: Server
    protocol_version = "HTTP/1.1"
    server_version = "fake-github"
    disable_nagle_algorithm = True

    def setup(self) -> None:
        """Note that it is there."""
        super().setup()
        self.server.connections.add(self.connection)

    def finish(self) -> None:
        """Note that it is gone."""
        self.server.connections.discard(self.connection)
        super().finish()

    def _serve(self) -> None:
        desk, text = self.server.desk, self._text()
        heard = {name.title(): value for name, value in self.headers.items()}
        with desk.site.changed:
            received = desk.receive(self.command, self.path, heard, text)
            fault = desk.fault(received)
        if fault is not None and not fault.after_handling:
            self.server.closing.wait(fault.delay)
        answer = self._answer(received, heard, fault)
        if fault is not None and fault.after_handling:
            self.server.closing.wait(fault.delay)
        with desk.site.changed:
            received.status = None if answer is None else answer.status
            headers = desk.budget(heard)
            desk.site.changed.notify_all()
        if answer is None:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
        else:
            self._write(answer, headers)

    def _answer(self, received: Received, heard: dict[str, str], fault: Fault | None) -> Answer | None:
        """Return what is answered, or None where the connection is cut."""
        desk = self.server.desk
        with desk.site.changed:
            handled = fault is None or fault.after_handling or not fault.replaces
            answer = desk.handle(received, heard) if handled else None
            if fault is None or fault.cut:
                return None if fault else answer
            if fault.replaces or answer is None:
                return desk.faulty(received, fault)
            return Answer(answer.status, answer.body, {**answer.headers, **fault.headers})

    def _text(self) -> str:
        length = int(self.headers.get("Content-Length") or 0)
        return self.rfile.read(length).decode(errors="replace") if length else ""

    def _write(self, answer: Answer, headers: dict[str, str]) -> None:
        body = b"" if answer.body is None else _encoded(answer.body)
        kind = "text/html" if isinstance(answer.body, str) else "application/json; charset=utf-8"
        self.send_response(answer.status)
        for name, value in {"Content-Type": kind, **headers, **answer.headers}.items():
            self.send_header(name, value)
        if answer.status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _serve  # noqa: N815 - http.server's names

    def log_message(self, *words: object) -> None:
        """Say nothing: `requests` has it all."""


def _encoded(body: Any) -> bytes:
    return body.encode() if isinstance(body, str) else json.dumps(body).encode()
