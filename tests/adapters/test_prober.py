"""Instances are asked over real sockets: once, directly, and never for longer than the time they have."""

import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace

import pytest
import responses
from made import PROBE, service
from msgspec.structs import replace as changed

from deploygate.adapters.prober import HttpProber
from deploygate.inventory import Instance, Service
from deploygate.names import PRODUCTION, InstanceName, Version
from deploygate.ports import Process
from deploygate.probe import BODY_LIMIT, Header, Health, HealthProbe, JsonPointer, Sighting, TextBody, VersionProbe

FUSE = 20.0  # seconds after which a test fails rather than hangs
NOW = 1000.0
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\n2.0"
Conversation = Callable[[socket.socket, threading.Event], None]


class Server:
    """A server of real sockets on loopback; each request is read, kept, and answered by `talk`."""

    def __init__(self, talk: Conversation) -> None:
        self._talk = talk
        self._over = threading.Event()
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.requests: list[bytes] = []
        self.address = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._answer, args=(connection,))
            self._threads.append(thread)
            thread.start()

    def _answer(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            connection.settimeout(FUSE)
            request = b""
            while not request.endswith(b"\r\n\r\n"):
                more = connection.recv(4096)
                if not more:
                    break
                request += more
            if request:
                self.requests.append(request)
            self._talk(connection, self._over)

    def close(self) -> None:
        self._over.set()
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        for thread in self._threads:
            thread.join(FUSE)
            assert not thread.is_alive()


@pytest.fixture
def serving() -> Iterator[Callable[[Conversation], Server]]:
    servers: list[Server] = []

    def serve(talk: Conversation) -> Server:
        servers.append(Server(talk))
        return servers[-1]

    yield serve
    for server in servers:
        server.close()


def says(answer: bytes) -> Conversation:
    return lambda connection, _: connection.sendall(answer)


def hangs(_: socket.socket, over: threading.Event) -> None:
    over.wait(FUSE)


def drips(start: bytes, drop: bytes) -> Conversation:
    def talk(connection: socket.socket, over: threading.Event) -> None:
        connection.sendall(start)
        while not over.wait(0.05):
            connection.sendall(drop)

    return talk


def of(*addresses: str, timeout: float = 5.0, path: str = "/version") -> Service:
    """Return a service at these addresses; where the paths are one, one request tells both."""
    instances = tuple(
        Instance(InstanceName(f"i{number}"), PRODUCTION, address) for number, address in enumerate(addresses, start=1)
    )
    health = HealthProbe(path="/version", interval=PROBE.interval, timeout=timeout)
    return service(instances=instances, health=health, version=VersionProbe(path=path, reads=TextBody()))


def look(asked: Service, process: Process | None = None) -> tuple[Sighting, ...]:
    """Look with a fuse, and return what was seen without how long that took."""
    prober = HttpProber(lambda *_, **__: process or Process(), lambda: NOW)
    pool = ThreadPoolExecutor(1)
    try:
        return tuple(changed(one, elapsed=0.0) for one in pool.submit(prober.look, asked, asked.instances).result(FUSE))
    finally:
        prober.close()
        pool.shutdown(wait=False)


def sight(health: Health, line: str = "", version: str | None = None, one: str = "i1") -> Sighting:
    return Sighting(InstanceName(one), NOW, health, version=version, says=line)


Serving = Callable[[Conversation], Server]


def test_a_good_answer_is_a_fact(serving: Serving) -> None:
    assert look(of(serving(says(OK)).address)) == (sight(Health.HEALTHY, "", "2.0"),)


def test_one_look_is_one_request_and_asks_for_a_fresh_answer(serving: Serving) -> None:
    server = serving(says(OK))
    look(of(server.address))
    (request,) = server.requests
    lines = request.decode().split("\r\n")
    assert lines[0] == "GET /version HTTP/1.1"
    assert {"Cache-Control: no-cache, no-store", "Pragma: no-cache", "Accept-Encoding: identity"} <= set(lines)


@pytest.mark.parametrize(
    ("path", "asked"),
    [("/a b", b"/a%20b"), ("/\u00fc", b"/%C3%BC"), ("/a/../b", b"/b"), ("/a?b=c", b"/a?b=c"), ("/a/./b/", b"/a/b/")],
)
def test_a_path_is_asked_for_as_http_writes_it(serving: Serving, path: str, asked: bytes) -> None:
    server = serving(says(OK))
    look(of(server.address, path=path))
    assert [request.split(b" ")[1] for request in server.requests] == [b"/version", asked]


def test_an_answer_at_two_places_is_two_requests(serving: Serving) -> None:
    server = serving(says(OK))
    look(of(server.address, path="/other"))
    assert [request.split(b" ")[1] for request in server.requests] == [b"/version", b"/other"]


def test_every_look_is_a_new_connection(serving: Serving) -> None:
    server = serving(says(OK.replace(b"Connection: close\r\n", b"")))
    asked = of(server.address)
    prober = HttpProber(lambda *_, **__: Process(), lambda: NOW)
    try:
        for _ in range(3):
            assert prober.look(asked, asked.instances)[0].health is Health.HEALTHY
    finally:
        prober.close()
    assert len(server.requests) == 3


def test_nothing_is_asked_twice_when_it_fails(serving: Serving) -> None:
    for talk in (says(b""), says(b"rubbish\r\n\r\n"), says(b"HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n")):
        server = serving(talk)
        look(of(server.address))
        assert len(server.requests) == 1


def test_where_nothing_listens_the_connection_is_refused() -> None:
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
    assert look(of(f"http://127.0.0.1:{port}")) == (sight(Health.ILL, "/version: connection refused"),)


def test_a_connection_that_is_closed_without_an_answer_tells_nothing(serving: Serving) -> None:
    line = "/version: the connection broke before there was an answer"
    assert look(of(serving(says(b"")).address)) == (sight(Health.UNKNOWN, line),)


@pytest.mark.parametrize(
    "rubbish", [b"hello\r\n\r\n", b"SSH-2.0-OpenSSH_9\r\n", b"\x16\x03\x01\x00", b"HTTP/1.1 x\r\n\r\n"]
)
def test_what_is_not_http_tells_nothing(serving: Serving, rubbish: bytes) -> None:
    (seen,) = look(of(serving(says(rubbish)).address))
    assert (seen.health, seen.version) == (Health.UNKNOWN, None)
    assert seen.says


def test_a_body_that_is_shorter_than_announced_tells_nothing(serving: Serving) -> None:
    line = "/version: the connection broke in the middle of the answer"
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n2.0\r\n"
    for answer in (OK.replace(b"Length: 3", b"Length: 30"), chunked):
        assert look(of(serving(says(answer)).address)) == (sight(Health.UNKNOWN, line),)


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 30\r\n\r\n2.0",
        b"HTTP/1.1 200 OK\r\nContent-Length: 3, 30\r\n\r\n2.0",
        b"HTTP/1.1 200 OK\r\nContent-Length: +3\r\n\r\n2.0",
        b"HTTP/1.1 200 OK\r\nContent-Le",
        b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n",
    ],
)
def test_a_head_that_breaks_off_or_says_two_lengths_tells_nothing(serving: Serving, answer: bytes) -> None:
    (seen,) = look(of(serving(says(answer)).address))
    assert (seen.health, seen.version) == (Health.UNKNOWN, None)
    assert seen.says


def test_a_header_that_is_given_twice_has_both_values(serving: Serving) -> None:
    aged = OK.replace(b"Content-Length", b"Age: 30\r\nAge:\r\nContent-Length")
    (seen,) = look(of(serving(says(aged)).address))
    assert seen.health is Health.UNKNOWN
    assert "aged answer" in seen.says


def test_a_body_beyond_the_limit_tells_nothing(serving: Serving) -> None:
    def huge(size: int) -> bytes:
        return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size + b"x" * size

    line = "/version: the body is longer than 64 KiB"
    assert look(of(serving(says(huge(BODY_LIMIT + 1))).address)) == (sight(Health.UNKNOWN, line),)
    assert look(of(serving(says(huge(BODY_LIMIT))).address)) == (sight(Health.HEALTHY, "", "x" * 79 + "…"),)


def test_a_body_without_end_is_not_read_to_its_end(serving: Serving) -> None:
    def endless(connection: socket.socket, over: threading.Event) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while not over.is_set():
            connection.sendall(b"x" * 65_536)

    assert look(of(serving(endless).address)) == (sight(Health.UNKNOWN, "/version: the body is longer than 64 KiB"),)


def test_a_chunked_body_is_put_together(serving: Serving) -> None:
    chunks = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n2.\r\n1\r\n0\r\n0\r\n\r\n"
    assert look(of(serving(says(chunks)).address)) == (sight(Health.HEALTHY, "", "2.0"),)


def test_a_redirect_is_not_followed(serving: Serving) -> None:
    target = serving(says(OK))
    answer = f"HTTP/1.1 302 Found\r\nLocation: {target.address}/version\r\nContent-Length: 0\r\n\r\n"
    line = "/version: redirects (302); redirects are not followed"
    assert look(of(serving(says(answer.encode())).address)) == (sight(Health.UNKNOWN, line),)
    assert target.requests == []


def test_proxies_of_the_environment_are_passed_by(serving: Serving, monkeypatch: pytest.MonkeyPatch) -> None:
    proxy, server = serving(says(OK)), serving(says(OK))
    for variable in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(variable, proxy.address)
    monkeypatch.delenv("no_proxy", raising=False)
    assert look(of(server.address))[0].health is Health.HEALTHY
    assert (len(proxy.requests), len(server.requests)) == (0, 1)


@pytest.mark.parametrize(
    "talk",
    [
        hangs,
        drips(b"", b"H"),
        drips(b"HTTP/1.1 200 OK\r\n", b"X-Drop: 1\r\n"),
        drips(b"HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n", b"x"),
        drips(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
        drips(b"HTTP/1.1 200 OK\r\n\r\n", b"x"),
    ],
    ids=["silence", "status line", "headers", "body", "chunks", "body without length"],
)
def test_what_hangs_or_drips_is_cut_off(serving: Serving, talk: Conversation) -> None:
    (seen,) = look(of(serving(talk).address, timeout=0.4))
    assert (seen.health, seen.version) == (Health.UNKNOWN, None)
    assert seen.says.startswith("/version: no ")


def test_one_that_hangs_does_not_spoil_the_others_and_the_order_stays(serving: Serving) -> None:
    good, other = serving(says(OK)), serving(says(OK.replace(b"2.0", b"1.0")))
    seen = look(of(good.address, serving(hangs).address, other.address, timeout=0.4))
    assert [(one.instance, one.health, one.version) for one in seen] == [
        ("i1", Health.HEALTHY, "2.0"),
        ("i2", Health.UNKNOWN, None),
        ("i3", Health.HEALTHY, "1.0"),
    ]


def test_more_instances_than_threads_are_all_asked(serving: Serving) -> None:
    server = serving(says(OK))
    seen = look(of(*([server.address] * 100)))
    assert [one.instance for one in seen] == [f"i{number}" for number in range(1, 101)]
    assert {one.health for one in seen} == {Health.HEALTHY}
    assert len(server.requests) == 100


def test_what_befalls_one_look_is_told_and_the_others_are_asked(serving: Serving) -> None:
    asked = of(*([serving(says(OK)).address] * 50))

    def identify(_: Service, one: Instance, *, answered: bool) -> Process:
        assert isinstance(answered, bool)
        if one.name == "i50":
            return Process()
        raise PermissionError("not yours")

    prober = HttpProber(identify, lambda: NOW)
    pool = ThreadPoolExecutor(1)
    try:
        seen = pool.submit(prober.look, asked, asked.instances).result(FUSE)
    finally:
        prober.close()
        pool.shutdown(wait=False)
    assert {one.says for one in seen[:-1]} == {"could not be asked: PermissionError: not yours"}
    assert {one.health for one in seen[:-1]} == {Health.UNKNOWN}
    assert seen[-1].health is Health.HEALTHY


def test_nobody_is_asked_where_nobody_is() -> None:
    assert look(of()) == ()


def test_what_the_host_knows_stands_beside_what_the_service_says(serving: Serving) -> None:
    server = serving(says(OK))
    process = Process(alive=True, release=Version("2.0"), identity="12-3.00")
    (seen,) = look(of(server.address), process)
    assert (seen.alive, seen.release, seen.identity) == (True, "2.0", "12-3.00")


def test_how_a_process_ended_outweighs_that_nothing_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
    process = Process(alive=False, release=Version("2.0"), says="2.0 exited with 1")
    assert look(of(f"http://127.0.0.1:{port}"), process)[0].says == "2.0 exited with 1"


def test_bytes_that_are_not_text_break_nothing(serving: Serving) -> None:
    body = b'{"version": "\xff"}'
    asked = of(serving(says(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)).address)
    broken = service(instances=asked.instances, health=asked.health, version=VersionProbe("/version"))
    assert look(broken) == (sight(Health.UNKNOWN, "/version: the body is not JSON"),)


def test_what_a_service_says_is_one_harmless_line(serving: Serving) -> None:
    body = b"1.0\n::error::x\x1b[31m"
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    (seen,) = look(of(serving(says(answer)).address))
    assert seen.version == "1.0 ::error::x\\x1b[31m"


# The same, with answers on the wire


@pytest.fixture
def wire() -> Iterator[str]:
    """Return an address at which something listens; what it answers is given by `responses`."""
    with socket.create_server(("127.0.0.1", 0)) as held:
        yield f"http://127.0.0.1:{held.getsockname()[1]}"


@responses.activate
def test_headers_are_found_in_any_case(wire: str) -> None:
    responses.get(f"{wire}/version", body="x", headers={"X-VERSION": "2.0", "X-Boot": "b-7"})
    one = of(wire)
    asked = service(
        instances=one.instances,
        health=one.health,
        version=VersionProbe("/version", Header("x-Version"), Header("x-bOOt")),
    )
    (seen,) = look(asked, Process(identity="12-3.00"))
    assert (seen.version, seen.identity) == ("2.0", "b-7")


@responses.activate
def test_an_aged_answer_tells_nothing(wire: str) -> None:
    responses.get(f"{wire}/version", body="2.0", headers={"Age": "12"})
    line = "/version: an aged answer (Age: 12) is not an answer"
    assert look(of(wire)) == (sight(Health.UNKNOWN, line),)


@responses.activate
def test_a_slash_at_an_addresss_end_is_not_doubled(wire: str) -> None:
    responses.get(f"{wire}/version", body="2.0")
    assert look(of(f"{wire}/"))[0].version == "2.0"


@responses.activate
@pytest.mark.parametrize("status", [200, 503])
def test_a_health_document_is_read_by_its_content_type(wire: str, status: int) -> None:
    responses.get(
        f"{wire}/version",
        body='{"status": "fail", "releaseId": "2.0"}',
        content_type="application/health+json",
        status=status,
    )
    line = f'/version: answered {status} and says "fail"'
    one = of(wire)
    asked = service(
        instances=one.instances, health=one.health, version=VersionProbe("/version", JsonPointer("/releaseId"))
    )
    assert look(asked) == (sight(Health.ILL, line, "2.0" if status == 200 else None),)


def test_a_host_that_disagrees_with_the_service_is_asked_anew(serving: Callable[[Conversation], Server]) -> None:
    asked_with: list[bool] = []

    def identify(_: Service, _one: Instance, *, answered: bool) -> Process:
        asked_with.append(answered)
        return Process(alive=True, release=Version("1.0" if answered else "2.0"), identity="1")

    body = b'{"status": "pass", "version": "2.0", "boot": "7"}'
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n"
    answer = head + b"Content-Length: %d\r\n\r\n" % len(body) + body
    asked = replace(of(serving(says(answer)).address), version=VersionProbe(identity=JsonPointer("/boot")))
    prober = HttpProber(identify, lambda: NOW)
    try:
        (seen,) = prober.look(asked, asked.instances)
    finally:
        prober.close()
    assert (seen.version, seen.release, seen.identity, asked_with) == ("2.0", "2.0", "7", [True, False])


@pytest.mark.parametrize(
    ("status", "how", "enough"), [(200, "in passing", True), (200, "to prove", False), (503, "in passing", False)]
)
def test_in_passing_the_word_of_a_service_that_answers_well_is_enough(
    serving: Callable[[Conversation], Server], status: int, how: str, enough: object
) -> None:
    asked_with: list[bool] = []

    def identify(_: Service, _one: Instance, *, answered: bool) -> Process:
        asked_with.append(answered)
        return Process()

    asked = of(serving(says(b"HTTP/1.1 %d Said\r\nContent-Length: 3\r\n\r\n2.0" % status)).address)
    prober = HttpProber(identify, lambda: NOW)
    try:
        prober.look(asked, asked.instances, in_passing=how == "in passing")
    finally:
        prober.close()
    assert asked_with == [enough]
