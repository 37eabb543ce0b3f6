"""GitHub is asked with bounded patience, told once, and its failures are said in our words."""

import json
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import responses
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from deploygate.adapters.github.asking import Patience
from deploygate.adapters.github.client import ORDINARY, QUICK, Hub
from deploygate.adapters.github.trouble import Absent, Denied, GitHubTrouble, Unsent
from deploygate.names import Secret

API = "https://api.github.com"
SHA = "1f" * 20
STATUSES = f"{API}/repos/acme/shop/statuses/{SHA}"
PULLS = f"{API}/repos/acme/shop/commits/{SHA}/pulls"
DAY = timedelta(days=1)
FUSE = 20.0  # seconds after which a test fails rather than hangs
BRIEF = Patience(timeout=5.0, whole=5.0, tries=3, budget=30.0)  # with real servers, so that nothing is long


def hub(api_url: str = API, patience: Patience = ORDINARY, stopped: Callable[[], str] | None = None) -> Hub:
    end = time.monotonic() + FUSE
    stopped = stopped or (lambda: "the fuse has burnt" if time.monotonic() > end else "")
    return Hub(api_url, Secret("ghs_secret"), "acme/shop", patience=patience, stopped=stopped)


def tell(asked: Hub) -> object:
    with asked.asking("statuses: write", f"POST /repos/acme/shop/statuses/{SHA}"):
        return asked.repo.get_commit(SHA).create_status("pending").state


def ask(asked: Hub) -> list[int]:
    with asked.asking("pull-requests: read", f"GET /repos/acme/shop/commits/{SHA}/pulls"):
        return [pull.number for pull in asked.repo.get_commit(SHA).get_pulls()]


def whole(status: int, body: object, **headers: str) -> bytes:
    content = json.dumps(body).encode()
    lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(content)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + content


class Server:
    """A server of real sockets on loopback: the n-th request gets the n-th answer, later ones the last."""

    def __init__(self, *answers: bytes, pause: float = 0.0) -> None:
        self._answers = answers
        self._pause = pause
        self._over = threading.Event()
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.requests: list[str] = []
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._talk, args=(connection,))
            self._threads.append(thread)
            thread.start()

    def _talk(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            connection.settimeout(FUSE)
            while head := self._head(connection):
                self.requests.append(head.split(" HTTP/")[0])
                answer = self._answers[min(len(self.requests), len(self._answers)) - 1]
                for part in range(0, len(answer), 40) if self._pause else ():
                    connection.sendall(answer[part : part + 40])
                    if self._over.wait(self._pause):
                        return
                if not self._pause:
                    connection.sendall(answer)
                if not complete(answer):
                    return

    def _head(self, connection: socket.socket) -> str:
        text = b""
        while b"\r\n\r\n" not in text:
            more = connection.recv(4096)
            if not more:
                return ""
            text += more
        head, _, body = text.partition(b"\r\n\r\n")
        length = re.search(rb"content-length: (\d+)", head.lower())
        missing = int(length[1]) - len(body) if length else 0
        while missing > 0:
            missing -= len(connection.recv(missing))
        return head.decode()

    def close(self) -> None:
        self._over.set()
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        for thread in self._threads:
            thread.join(FUSE)
            assert not thread.is_alive()


def complete(answer: bytes) -> bool:
    head, _, body = answer.partition(b"\r\n\r\n")
    return f"Content-Length: {len(body)}".encode() in head


Serving = Callable[..., Server]


@pytest.fixture
def serving() -> Iterator[Serving]:
    servers: list[Server] = []

    def serve(*answers: bytes, pause: float = 0.0) -> Server:
        servers.append(Server(*answers, pause=pause))
        return servers[-1]

    yield serve
    for server in servers:
        server.close()


def test_a_lazy_repository_costs_no_call() -> None:
    asked = hub()
    assert (asked.repo.full_name if asked.calls else "", asked.calls) == ("", 0)


@responses.activate
def test_trap_6_mocks_need_no_port_and_url_fields_carry_none() -> None:
    responses.post(STATUSES, json={"state": "pending", "url": STATUSES}, status=201)
    assert tell(hub()) == "pending"


@responses.activate
def test_trap_5_a_502_on_a_post_is_one_post_and_unsent() -> None:
    responses.post(STATUSES, status=502, body="<html>Bad gateway</html>")
    asked = hub()
    with pytest.raises(Unsent) as caught:
        tell(asked)
    assert (asked.calls, len(responses.calls), caught.value.status) == (1, 1, 502)
    assert caught.value.says == (
        f"it is not known whether GitHub did POST /repos/acme/shop/statuses/{SHA}: its answer was 502"
    )


@pytest.mark.parametrize("verb", ["PUT", "PATCH", "DELETE"])
@responses.activate
def test_f7_no_write_is_repeated_blindly(verb: str) -> None:
    responses.add(verb, f"{API}/repos/acme/shop/x", status=503)
    asked = hub()
    with pytest.raises(Unsent), asked.asking("contents: write", f"{verb} /repos/acme/shop/x"):
        asked.repo.requester.requestJsonAndCheck(verb, "/repos/acme/shop/x", input={})
    assert len(responses.calls) == asked.calls == 1


def test_f7_a_post_whose_answer_never_comes_is_sent_once(serving: Serving) -> None:
    server = serving(b"")
    asked = hub(server.url, BRIEF)
    with pytest.raises(Unsent) as caught:
        tell(asked)
    asked.close()
    assert len(server.requests) == asked.calls == 1
    assert caught.value.says.endswith("the connection broke before there was a whole answer")


def test_f7_a_post_whose_answer_can_t_be_read_is_not_known_to_have_arrived(serving: Serving) -> None:
    server = serving(b"HTTP/1.1 201 Created\r\nContent-Length: 5\r\n\r\n{nah}")
    asked = hub(server.url, BRIEF)
    with pytest.raises(Unsent) as caught:
        tell(asked)
    asked.close()
    assert caught.value.says.endswith("its answer can't be understood (JSONDecodeError)")


def test_a_get_is_repeated_after_5xx_and_after_answers_that_break_off(serving: Serving) -> None:
    good = whole(200, [{"number": 7, "url": "http://127.0.0.1/repos/acme/shop/pulls/7"}])
    server = serving(whole(502, {}), good[:-9], good)
    asked = hub(server.url, BRIEF)
    assert ask(asked) == [7]
    asked.close()
    assert len(server.requests) == asked.calls == 3


@responses.activate
def test_a_get_is_repeated_a_bounded_number_of_times() -> None:
    responses.get(PULLS, status=500, json={"message": "oops\n::error::no"})
    asked = hub(patience=replace(BRIEF, tries=2))
    with pytest.raises(GitHubTrouble) as caught:
        ask(asked)
    assert (asked.calls, caught.value.status, "\n" in caught.value.says) == (2, 500, False)


def test_a_write_that_never_left_is_repeated_and_not_called_unsent() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    asked = hub(f"http://127.0.0.1:{port}", replace(BRIEF, tries=2))
    with pytest.raises(GitHubTrouble) as caught:
        tell(asked)
    assert (type(caught.value), asked.calls) == (GitHubTrouble, 2)
    assert caught.value.says.endswith("there is no way to it: the connection is refused, or the host has no address")


@pytest.mark.parametrize(
    "limited",
    [
        whole(429, {"message": "wait"}, Retry_After="1"),
        whole(403, {"message": "You have exceeded a secondary rate limit."}, Retry_After="1"),
        whole(403, {"message": "API rate limit exceeded"}, X_RateLimit_Remaining="0", X_RateLimit_Reset="1"),
    ],
    ids=["429", "secondary", "primary"],
)
def test_f6_a_rate_limit_is_obeyed_also_for_writes(serving: Serving, limited: bytes) -> None:
    server = serving(limited, whole(201, {"state": "pending"}))
    asked = hub(server.url, BRIEF)
    assert tell(asked) == "pending"
    asked.close()
    assert len(server.requests) == asked.calls == 2


@pytest.mark.parametrize(
    ("body", "headers", "wait"),
    [
        ({"message": "You have exceeded a secondary rate limit"}, {}, "60 s"),
        ({"message": "wait"}, {"Retry-After": "3600"}, "1 h"),
        ({"message": "wait"}, {"Retry-After": "9" * 400}, "60 s"),
        ({"message": "wait"}, {"Retry-After": "Fri, 31 Dec 2027 23:59:59 GMT"}, "60 s"),
        ({"message": "API rate limit exceeded for installation"}, {"X-RateLimit-Remaining": "0"}, "60 s"),
    ],
)
@responses.activate
def test_f6_all_waiting_of_a_hub_is_within_one_budget(body: object, headers: dict[str, str], wait: str) -> None:
    responses.post(STATUSES, status=403, json=body, headers=headers)
    asked = hub(patience=replace(BRIEF, budget=59.0))
    with pytest.raises(GitHubTrouble) as caught:
        tell(asked)
    assert (type(caught.value), asked.calls, caught.value.status) == (GitHubTrouble, 1, 403)
    assert caught.value.says.endswith(
        f"its rate limit is used up, and another {wait} of waiting is more than is left for it"
    )


def test_f6_the_budget_is_one_for_all_calls(serving: Serving) -> None:
    limited = whole(429, {}, Retry_After="1")
    server = serving(limited, whole(201, {"state": "pending"}), limited)
    asked = hub(server.url, replace(BRIEF, budget=1.5))
    assert tell(asked) == "pending"
    with pytest.raises(GitHubTrouble, match="more than is left"):
        tell(asked)
    asked.close()
    assert asked.calls == 3


def test_waiting_is_cut_short_when_the_run_is_to_stop(serving: Serving) -> None:
    server = serving(whole(429, {}, Retry_After="3000"))
    asked = hub(server.url, replace(BRIEF, budget=4000.0), lambda: "SIGTERM" if server.requests else "")
    with pytest.raises(GitHubTrouble, match="the run was asked to stop"):
        tell(asked)
    asked.close()


def test_an_answer_that_does_not_come_is_given_up_when_the_run_is_to_stop(serving: Serving) -> None:
    server = serving(whole(200, [{"title": "x" * 100_000}]), pause=0.05)
    asked = hub(server.url, Patience(FUSE, FUSE, tries=1, budget=0.0), lambda: "SIGTERM" if server.requests else "")
    with pytest.raises(GitHubTrouble, match="no whole answer before the run was to stop"):
        ask(asked)
    asked.close()


def test_a_hub_can_be_used_after_an_answer_that_did_not_come(serving: Serving) -> None:
    slow = serving(whole(200, [{"title": "x" * 4000}]), pause=0.05)
    asked = hub(slow.url, Patience(timeout=1.0, whole=0.2, tries=2, budget=9.0))
    with pytest.raises(GitHubTrouble):
        ask(asked)
    asked.close()
    assert len(slow.requests) == asked.calls == 2


def test_the_quick_patience_neither_waits_nor_repeats(serving: Serving) -> None:
    server = serving(whole(502, {}), whole(429, {}, Retry_After="1"))
    asked = hub(server.url, QUICK)
    for _ in range(2):
        with pytest.raises(GitHubTrouble):
            ask(asked)
    asked.close()
    assert len(server.requests) == 2


def test_an_answer_that_comes_drop_by_drop_is_given_up_as_a_whole(serving: Serving) -> None:
    server = serving(whole(200, [{"title": "x" * 4000}]), pause=0.05)
    asked = hub(server.url, Patience(timeout=1.0, whole=0.2, tries=1, budget=0.0))
    with pytest.raises(GitHubTrouble, match="no whole answer within"):
        ask(asked)
    asked.close()


class TlsServer(Server):
    """A server with a certificate of its own, which after a request sends what is no TLS."""

    def __init__(self, certificate: Path) -> None:
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate)
        super().__init__(b"")
        self.url = self.url.replace("http://127.0.0.1", "https://localhost")

    def _talk(self, connection: socket.socket) -> None:
        with suppress(OSError):
            secured = self._context.wrap_socket(connection, server_side=True)
            self.requests.append(self._head(secured).split(" HTTP/")[0])
            with socket.socket(fileno=secured.detach()) as bare:
                bare.sendall(b"HTTP/1.1 201 Created\r\n\r\n")
                bare.shutdown(socket.SHUT_WR)
                bare.settimeout(FUSE)
                while bare.recv(4096):
                    pass


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now - DAY, now + DAY)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path / "server.pem"
    written = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(written + made.public_bytes(Encoding.PEM))
    return path


def test_a_certificate_that_is_not_trusted_is_said_and_nothing_was_sent(certificate: Path) -> None:
    server = TlsServer(certificate)
    asked = hub(server.url, replace(BRIEF, tries=2))
    with pytest.raises(GitHubTrouble, match="its certificate is not trusted here") as caught:
        tell(asked)
    asked.close()
    server.close()
    assert (type(caught.value), server.requests) == (GitHubTrouble, [])


def test_f7_a_post_is_not_repeated_where_tls_breaks_after_it(
    certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    server = TlsServer(certificate)
    asked = hub(server.url, BRIEF)
    with pytest.raises(Unsent, match="its TLS broke off"):
        tell(asked)
    asked.close()
    server.close()
    assert len(server.requests) == asked.calls == 1


@responses.activate
def test_f24_a_401_says_that_the_token_has_expired_or_is_wrong() -> None:
    responses.post(STATUSES, status=401, json={"message": "Bad credentials"})
    with pytest.raises(GitHubTrouble) as caught:
        tell(hub())
    assert caught.value.says.startswith("GitHub does not accept the token")
    assert caught.value.help.startswith("It has expired or is wrong.")
    assert caught.value.status == 401


@responses.activate
def test_f1_a_403_names_the_missing_permission() -> None:
    responses.post(STATUSES, status=403, json={"message": "Resource not accessible by integration"})
    asked = hub()
    with pytest.raises(Denied) as caught:
        tell(asked)
    assert (caught.value.permission, caught.value.message, asked.calls) == (
        "statuses: write",
        "Resource not accessible by integration",
        1,
    )
    assert "`permissions: statuses: write`" in caught.value.help


@responses.activate
def test_trap_19_forks_and_dependabot_are_named_where_a_token_can_only_read() -> None:
    responses.post(STATUSES, status=403, json={"message": "Resource not accessible by integration"})
    with pytest.raises(Denied, match="does not allow") as caught:
        tell(hub())
    assert "forks and of Dependabot" in caught.value.help


@responses.activate
def test_a_403_of_the_last_call_before_the_limit_is_still_a_missing_permission() -> None:
    headers = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(int(time.time()) + 3000)}
    responses.post(STATUSES, status=403, json={"message": "Resource not accessible by integration"}, headers=headers)
    with pytest.raises(Denied):
        tell(hub())


@responses.activate
def test_a_404_can_be_a_missing_permission_and_says_so() -> None:
    responses.get(PULLS, status=404, json={"message": "Not Found"})
    with pytest.raises(Absent) as caught:
        ask(hub())
    assert "`permissions: pull-requests: read`" in caught.value.help


@responses.activate
def test_a_422_tells_what_github_says_of_each_field_in_one_plain_line() -> None:
    body = {"message": "Validation Failed", "errors": [{"field": "state", "code": "##[error]bad\n::x::"}, "a\x1b[1mb"]}
    responses.post(STATUSES, status=422, json=body)
    with pytest.raises(GitHubTrouble) as caught:
        tell(hub())
    assert caught.value.message == "Validation Failed, state ## [error]bad ::x::, a\\x1b[1mb"


@responses.activate
def test_no_answer_becomes_a_long_text() -> None:
    responses.post(STATUSES, status=422, json={"message": "x" * 100_000, "errors": ["y" * 9_000] * 900})
    with pytest.raises(GitHubTrouble) as caught:
        tell(hub())
    assert len(caught.value.says) < 500


@responses.activate
def test_an_answer_that_is_no_api_s_is_not_taken_for_one() -> None:
    responses.get(PULLS, body='{"message": "' + "[" * 5, content_type="text/html")
    with pytest.raises(GitHubTrouble, match="can't be understood"):
        ask(hub())


@pytest.mark.parametrize("status", [302, 307, 308])
@responses.activate
def test_nothing_is_sent_on_to_where_a_redirection_points(status: int) -> None:
    responses.post(STATUSES, status=status, headers={"Location": "https://elsewhere.example/"})
    with pytest.raises(GitHubTrouble, match="was the repository moved") as caught:
        tell(hub())
    assert (type(caught.value), len(responses.calls)) == (GitHubTrouble, 1)


@responses.activate
def test_the_token_goes_to_no_other_server_whatever_a_link_says() -> None:
    link = '<https://uploads.github.com/repos/acme/shop?page=2>; rel="next"'
    responses.get(PULLS, json=[{"number": 1}], headers={"Link": link})
    with pytest.raises(GitHubTrouble, match="another server than its own"):
        ask(hub())
    assert len(responses.calls) == 1


@responses.activate
def test_trap_21_all_pages_are_read_a_hundred_at_a_time() -> None:
    rows = [{"number": number} for number in range(250)]
    for page in (1, 2, 3):
        link = {"Link": f'<{PULLS}?page={page + 1}&per_page=100>; rel="next"'} if page < 3 else {}
        asked = {"per_page": "100"} | ({"page": str(page)} if page > 1 else {})
        responses.get(
            PULLS,
            json=rows[(page - 1) * 100 : page * 100],
            headers=link,
            match=[responses.matchers.query_param_matcher(asked)],
        )
    assert ask(hub()) == list(range(250))


@pytest.mark.parametrize("api_url", ["https://ghe.example.com/api/v3", "https://ghe.example.com:8443/api/v3/"])
@responses.activate
def test_a_server_of_one_s_own_is_asked_at_its_own_address(api_url: str) -> None:
    responses.post(f"{api_url.rstrip('/')}/repos/acme/shop/statuses/{SHA}", json={"state": "pending"}, status=201)
    assert tell(hub(api_url)) == "pending"


@responses.activate
def test_writes_follow_each_other_without_a_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "sleep", lambda _: pytest.fail("something waits between two writes"))
    responses.post(STATUSES, json={"state": "pending"}, status=201)
    asked = hub()
    assert [tell(asked), tell(asked)] == ["pending", "pending"]


@pytest.mark.parametrize("token", ["", " \n", "a b", "ghs_ü", "a\nb"])
def test_a_token_that_can_t_be_sent_is_refused_and_not_shown(token: str) -> None:
    with pytest.raises(GitHubTrouble) as caught:
        Hub(API, Secret(token), "acme/shop")
    assert token.strip() == "" or token not in f"{caught.value} {caught.value.help}"


@responses.activate
def test_white_space_pasted_along_with_a_token_is_left_out() -> None:
    responses.post(
        STATUSES,
        json={"state": "pending"},
        match=[responses.matchers.header_matcher({"Authorization": "token ghs_secret"})],
    )
    assert tell(Hub(API, Secret("ghs_secret\n"), "acme/shop")) == "pending"


@pytest.mark.parametrize("repository", ["", "acme", "acme/shop/x", "acme/../x", "acme/sh op", "acme/shop\n"])
def test_a_repository_is_an_owner_and_a_name(repository: str) -> None:
    with pytest.raises(GitHubTrouble, match="not the name of a repository"):
        Hub(API, Secret("t"), repository)


@pytest.mark.parametrize(
    "api_url", ["", "api.github.com", "ftp://api.github.com", "https://", "http://[x", "http://a:z"]
)
def test_an_api_is_at_an_address(api_url: str) -> None:
    with pytest.raises(GitHubTrouble, match="not the address"):
        Hub(api_url, Secret("t"), "acme/shop")
