"""HAProxy: what is out gets nothing new, what it was doing is finished, and what comes back has passed its checks."""

import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploygate.adapters.balancers.haproxy import HAProxies
from deploygate.adapters.balancers.runtime_api import RuntimeApiError, order, servers
from deploygate.events import Trouble
from deploygate.inventory import Service
from deploygate.ways import Balancing, HAProxy
from e2e.balancing import FUSE, NO_HAPROXY, Backend, HAProxyServer, behind, free_port, held, until
from e2e.load import Load

pytestmark = pytest.mark.skipif(bool(NO_HAPROXY), reason=NO_HAPROXY)
NAMES = ("adcaster-1", "adcaster-2", "adcaster-3")


@pytest.fixture(scope="module")
def backends() -> Iterator[list[Backend]]:
    with Backend(NAMES[0]) as first, Backend(NAMES[1]) as second, Backend(NAMES[2]) as third:
        yield [first, second, third]


@pytest.fixture
def ports(backends: list[Backend]) -> dict[str, int]:
    return {one.name: one.as_new().port for one in backends}


@pytest.fixture
def server(ports: dict[str, int]) -> Iterator[HAProxyServer]:
    """The first instance has checks, which it must pass twice; the others have none."""
    with HAProxyServer(ports, {"adcaster-1": "check inter 100ms rise 2 fall 1"}) as one:
        yield one


def made(ports: dict[str, int], *sockets: str, up: float = 10.0) -> tuple[HAProxies, Service]:
    way = HAProxy(sockets, "adcaster")
    return HAProxies(way, up=up), behind(Balancing(way), ports)


def all_in(**changed: bool) -> dict[str, bool]:
    return dict.fromkeys(NAMES, True) | {name.replace("_", "-"): value for name, value in changed.items()}


@pytest.mark.parametrize("kind", ["unix", "tcp", "both"])
def test_an_instance_is_taken_out_and_put_back(server: HAProxyServer, ports: dict[str, int], kind: str) -> None:
    sockets = {"unix": (server.unix,), "tcp": (server.tcp,), "both": (server.unix, server.tcp)}[kind]
    balancer, svc = made(ports, *sockets)
    one = svc.instances[:1]
    assert balancer.in_service(svc, svc.instances) == all_in()
    for _ in range(2):  # and once more, which changes nothing
        assert balancer.drain(svc, one, 5.0) == ()
        assert balancer.in_service(svc, svc.instances) == all_in(adcaster_1=False)
    for _ in range(2):
        assert balancer.restore(svc, one) == ()
        assert balancer.in_service(svc, svc.instances) == all_in()


def test_a_request_in_progress_is_waited_for(
    server: HAProxyServer, ports: dict[str, int], backends: list[Backend]
) -> None:
    balancer, svc = made(ports, server.unix)
    assert balancer.drain(svc, svc.instances[1:], 1.0) == ()
    thread, said = held(server.url)
    until(lambda: backends[0].begun, "the request to arrive")
    assert servers(server.unix, "adcaster")["adcaster-1"].sessions == 1
    threading.Timer(0.3, backends[0].let_go).start()
    assert balancer.drain(svc, svc.instances[:1], FUSE) == ()
    backends[0].kill()
    thread.join(FUSE)  # all that is left is the answer's way to the client
    assert said == ["adcaster-1"]


def test_a_request_that_stays_is_waited_for_no_longer_than_patience_says_and_is_no_trouble(
    server: HAProxyServer, ports: dict[str, int], backends: list[Backend]
) -> None:
    balancer, svc = made(ports, server.unix)
    assert balancer.drain(svc, svc.instances[:2], 0.0) == ()
    thread, said = held(server.url)
    until(lambda: backends[2].begun, "the request to arrive")
    for patience in (0.0, 0.2):
        assert balancer.drain(svc, svc.instances[2:], patience) == ()
    assert (said, balancer.in_service(svc, svc.instances)) == ([], dict.fromkeys(NAMES, False))
    backends[2].let_go()
    thread.join(FUSE)
    assert said == ["adcaster-3"]


def test_what_comes_back_must_pass_its_checks_first(
    server: HAProxyServer, ports: dict[str, int], backends: list[Backend]
) -> None:
    balancer, svc = made(ports, server.unix, up=0.5)
    one = svc.instances[:1]
    assert balancer.drain(svc, one, 1.0) == ()
    backends[0].kill()
    until(lambda: servers(server.unix, "adcaster")["adcaster-1"].status == "DOWN", "the check to fail")
    assert balancer.drain(svc, one, 1.0) == ()
    says = f"is not in service 500 ms after it was put back: HAProxy at {server.unix} says DOWN"
    assert balancer.restore(svc, one) == (Trouble(one[0].name, says),)
    backends[0].start("new")
    assert HAProxies(HAProxy((server.unix,), "adcaster")).restore(svc, one) == ()
    assert balancer.in_service(svc, svc.instances) == all_in()


def test_an_instance_that_fails_its_checks_is_not_in_service(
    server: HAProxyServer, ports: dict[str, int], backends: list[Backend]
) -> None:
    balancer, svc = made(ports, server.unix)
    backends[0].kill()
    until(lambda: balancer.in_service(svc, svc.instances) == all_in(adcaster_1=False), "the check to fail")


def test_a_backup_that_is_up_is_no_capacity_while_others_serve(ports: dict[str, int]) -> None:
    with HAProxyServer(ports, {"adcaster-3": "backup"}) as server:
        balancer, svc = made(ports, server.unix)
        assert balancer.in_service(svc, svc.instances) == all_in(adcaster_3=False)
        with Load(server.url) as load:
            load.wait_for(50)
        assert set(load.result().answers) == {"adcaster-1", "adcaster-2"}
        assert balancer.drain(svc, svc.instances[2:], 1.0) == ()
        assert balancer.drained(svc, svc.instances) == frozenset()  # it was not in service before either
        assert balancer.restore(svc, svc.instances[2:]) == ()  # it is up, which is all that it can be
        assert balancer.in_service(svc, svc.instances) == all_in(adcaster_3=False)


def test_an_operator_s_maintenance_is_left_alone(server: HAProxyServer, ports: dict[str, int]) -> None:
    balancer, svc = made(ports, server.unix)
    one = svc.instances[1:2]
    server.told("set server adcaster/adcaster-2 state maint")
    assert balancer.drain(svc, one, 1.0) == ()
    assert servers(server.unix, "adcaster")["adcaster-2"].status == "MAINT"
    says = (
        f"is in maintenance in HAProxy at {server.unix}, which deploygate did not order: "
        "end it with `set server adcaster/adcaster-2 state ready`"
    )
    assert balancer.restore(svc, one) == (Trouble(one[0].name, says),)
    assert balancer.in_service(svc, svc.instances) == all_in(adcaster_2=False)


def test_behind_two_haproxies_an_instance_serves_only_where_both_say_so(ports: dict[str, int]) -> None:
    with HAProxyServer(ports) as first, HAProxyServer(ports) as second:
        balancer, svc = made(ports, first.unix, second.tcp)
        second.told("set server adcaster/adcaster-3 state drain")
        assert balancer.in_service(svc, svc.instances) == all_in(adcaster_3=False)
        assert balancer.restore(svc, svc.instances) == ()
        assert balancer.in_service(svc, svc.instances) == all_in()
        assert balancer.drain(svc, svc.instances[:2], 1.0) == ()
        for one in (first, second):
            states = {name: known.status for name, known in servers(one.unix, "adcaster").items()}
            assert states == {"adcaster-1": "DRAIN", "adcaster-2": "DRAIN", "adcaster-3": "no check"}
        second.stop()
        assert balancer.in_service(svc, svc.instances) == {}
        nobody = f"nobody listens at {second.tcp}: is HAProxy running, with that as its stats socket?"
        (trouble,) = balancer.drain(svc, svc.instances[2:], 1.0)
        assert trouble == Trouble(svc.instances[2].name, nobody)
        assert servers(first.unix, "adcaster")["adcaster-3"].serving  # nothing was changed
        (trouble,) = balancer.restore(svc, svc.instances[:1])
        assert trouble == Trouble(svc.instances[0].name, nobody)
        assert servers(first.unix, "adcaster")["adcaster-1"].serving  # put back where that can be done


def test_what_cannot_be_taken_out_everywhere_stays_in(ports: dict[str, int]) -> None:
    with HAProxyServer(ports) as first, HAProxyServer(ports) as second:
        balancer, svc = made(ports, first.unix, second.operator)
        says = f'{second.operator} may not change servers: HAProxy\'s "stats socket" needs "level admin"'
        assert balancer.drain(svc, svc.instances[:1], 1.0) == (Trouble(svc.instances[0].name, says),)
        assert servers(first.unix, "adcaster")["adcaster-1"].serving
        assert balancer.in_service(svc, svc.instances) == all_in()


def test_an_unknown_backend_or_server_is_named(server: HAProxyServer, ports: dict[str, int]) -> None:
    way = HAProxy((server.unix,), "nope")
    svc = behind(Balancing(way), ports | {"adcaster-4": 1})
    says = f'HAProxy at {server.unix} has no backend "nope"'
    assert HAProxies(way).drain(svc, svc.instances[:1], 1.0) == (Trouble(svc.instances[0].name, says),)
    balancer = HAProxies(HAProxy((server.unix,), "adcaster"))
    says = f'HAProxy at {server.unix} has no server "adcaster-4" in backend "adcaster"'
    assert balancer.drain(svc, svc.instances[2:], 0.0) == (Trouble(svc.instances[3].name, says),)
    assert balancer.in_service(svc, svc.instances) == all_in(adcaster_3=False)
    assert balancer.restore(svc, svc.instances[2:]) == (Trouble(svc.instances[3].name, says),)
    assert balancer.in_service(svc, svc.instances) == all_in()


@pytest.mark.parametrize("name", ["a b", "a;b", "a\nshow info", "", "a/b", "ä", "a" * 300])
def test_a_name_that_would_end_a_command_is_never_sent(server: HAProxyServer, name: str) -> None:
    with pytest.raises(RuntimeApiError, match="can't be a name in HAProxy"):
        servers(server.unix, name)
    with pytest.raises(RuntimeApiError, match="can't be a name in HAProxy"):
        order(server.unix, "adcaster", name, "drain")


def test_a_socket_that_nobody_listens_at_is_told_apart(tmp_path: Path) -> None:
    with pytest.raises(RuntimeApiError, match=f"nobody listens at {tmp_path}/none: is HAProxy running"):
        servers(f"{tmp_path}/none", "adcaster")
    closed = f"127.0.0.1:{free_port()}"
    with pytest.raises(RuntimeApiError, match=f"nobody listens at {closed}: is HAProxy running"):
        servers(closed, "adcaster")
    with pytest.raises(RuntimeApiError, match="can't be asked"):
        servers("127.0.0.1:99999", "adcaster")


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (b"", "answered nothing"),
        (b"HTTP/1.1 400 Bad request\r\n\r\n", "answered something else than its servers"),
        (b"# pxname,svname,scur,qcur,status\nadcaster,a,x,0,UP,\n\n1\n# be_id srv_name srv_admin_state\n1 a 0\n\n",
         "answered something else"),
        (b"# pxname,svname,scur,qcur,status\nadcaster,a,0,0,UP,\n\n", "answered something else"),
        (b"# pxname,svname\nadcaster,a\n\n1\n# be_id srv_name srv_admin_state\n1 a 0\n\n", "answered something else"),
        (b"x" * (9 * 1024 * 1024), "its answer has more than 8,388,608 bytes"),
    ],
)  # fmt: skip
def test_an_answer_that_is_none_is_told_apart(answer: bytes, says: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as door:
        thread = threading.Thread(target=say, args=(door, answer), daemon=True)
        thread.start()
        with pytest.raises(RuntimeApiError, match=says):
            servers(f"127.0.0.1:{door.getsockname()[1]}", "adcaster")
        thread.join(FUSE)
        assert not thread.is_alive()


def test_one_that_hangs_or_drips_is_not_waited_for(server: HAProxyServer, ports: dict[str, int]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as door:
        hanging = f"127.0.0.1:{door.getsockname()[1]}"
        with pytest.raises(RuntimeApiError, match=f"HAProxy at {hanging} did not answer within 2 s"):
            servers(hanging, "adcaster")
        door.accept()[0].close()
        thread = threading.Thread(target=drip, args=(door,), daemon=True)
        thread.start()
        balancer, svc = made(ports, server.unix, hanging)
        assert balancer.in_service(svc, svc.instances) == {}
        thread.join(FUSE)
        assert not thread.is_alive()


def say(door: socket.socket, answer: bytes) -> None:
    door.settimeout(FUSE)
    connection, _ = door.accept()
    with connection:
        connection.recv(4096)
        try:
            connection.sendall(answer)
        except ConnectionError:
            return  # hung up upon: it was too much


def drip(door: socket.socket) -> None:
    door.settimeout(FUSE)
    connection, _ = door.accept()
    end = time.monotonic() + FUSE
    with connection:
        while time.monotonic() < end:
            try:
                connection.sendall(b"x")
            except ConnectionError:
                return
            time.sleep(0.05)


@pytest.mark.parametrize("sockets", [1, 2])
def test_nothing_is_lost_while_every_instance_in_turn_is_killed_and_started(
    server: HAProxyServer, ports: dict[str, int], backends: list[Backend], sockets: int
) -> None:
    balancer, svc = made(ports, *(server.unix, server.tcp)[:sockets])
    with Load(server.url) as load:
        load.wait_for(50)
        for backend, instance in zip(backends, svc.instances, strict=True):
            assert balancer.drain(svc, [instance], 10.0) == ()
            backend.kill()
            backend.start(f"{backend.name} new")
            assert balancer.restore(svc, [instance]) == ()
            load.wait_for(50)
    result = load.result()
    assert (result.failed, result.failures) == (0, []), str(result)
    assert set(result.answers) == {*NAMES, *(f"{name} new" for name in NAMES)}


def test_without_draining_the_load_does_see_a_loss(
    server: HAProxyServer, ports: dict[str, int], backends: list[Backend]
) -> None:
    assert ports
    with Load(server.url) as load:
        load.wait_for(50)
        backends[1].kill()
        load.wait_for(100)
        backends[1].start(backends[1].name)
    assert load.result().failed > 0
