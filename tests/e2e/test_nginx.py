"""nginx: the file that it includes is the gate's own, sound or taken back; what is out gets nothing new."""

import subprocess
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.request import urlopen

import pytest

from deploygate.adapters.balancers.nginx import NginxServers
from deploygate.events import Trouble
from deploygate.inventory import Service
from deploygate.ways import Argv, Balancing, Nginx, Ssh
from e2e.balancing import FUSE, NO_NGINX, Backend, NginxServer, behind, held, until
from e2e.load import Load

pytestmark = pytest.mark.skipif(bool(NO_NGINX), reason=NO_NGINX)
NAMES = ("adcaster-1", "adcaster-2", "adcaster-3")
SHELLS = [pytest.param([path], id=path.rpartition("/")[2]) for path in ("/bin/sh", "/bin/dash", "/bin/bash")]
SHELLS += [pytest.param(["/bin/busybox", "sh"], id="busybox")]


@dataclass(frozen=True)
class Ran:
    code: int
    out: str
    err: str


@dataclass
class Machines:
    """Runs programs here; each host has a folder, which stands for `/@` in what it is given."""

    folders: Mapping[str, Path] = field(default_factory=dict)
    shell: list[str] = field(default_factory=lambda: ["/bin/sh"])
    gone: set[str] = field(default_factory=set)

    def run(self, host: str, ssh: Ssh | None, program: str, values: Mapping[str, str], limit: float) -> Ran:
        assert (ssh is None) == (host == "")
        if host in self.gone:
            raise ConnectionError(f"{host} can't be reached")
        here = str(self.folders.get(host, "/@"))
        given = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"} | {
            name: value.replace("/@", here) for name, value in values.items()
        }
        done = subprocess.run(
            [*self.shell, "-c", program], env=given, capture_output=True, text=True, timeout=limit, check=False
        )
        return Ran(done.returncode, done.stdout, done.stderr)


@pytest.fixture(scope="module")
def backends() -> Iterator[list[Backend]]:
    with Backend(NAMES[0]) as first, Backend(NAMES[1]) as second, Backend(NAMES[2]) as third:
        yield [first, second, third]


@pytest.fixture
def ports(backends: list[Backend]) -> dict[str, int]:
    return {one.name: one.as_new().port for one in backends}


@pytest.fixture
def server(ports: dict[str, int]) -> Iterator[NginxServer]:
    with NginxServer(ports) as one:
        yield one


def way(server: NginxServer) -> Nginx:
    return Nginx(
        file=str(server.file),
        upstream="adcaster",
        test=Argv((*server.words, "-t")),
        reload=Argv((*server.words, "-s", "reload")),
        pid_file=str(server.pid_file),
    )


def made(server: NginxServer, ports: Mapping[str, int], machines: Machines) -> tuple[NginxServers, Service]:
    return NginxServers(way(server), machines), behind(Balancing(way(server)), ports)


def written(ports: Mapping[str, int], *down: str) -> str:
    lines = [f"    server 127.0.0.1:{port}{' down' if name in down else ''};\n" for name, port in ports.items()]
    return f"# written by deploygate; a server that is out says down\nupstream adcaster {{\n{''.join(lines)}}}\n"


def asked(server: NginxServer, times: int = 12) -> set[str]:
    """Return who answers through nginx."""
    said = set()
    for _ in range(times):
        with urlopen(server.url, timeout=FUSE) as answer:
            said.add(answer.read().decode())
    return said


def all_in(*out: str) -> dict[str, bool]:
    return {name: name not in out for name in NAMES}


@pytest.mark.parametrize("shell", SHELLS)
def test_an_instance_is_taken_out_and_put_back_by_any_shell(
    server: NginxServer, ports: dict[str, int], shell: list[str]
) -> None:
    if not Path(shell[0]).exists():
        pytest.skip(f"{shell[0]} is missing")
    balancer, svc = made(server, ports, Machines(shell=shell))
    one = svc.instances[:1]
    assert balancer.in_service(svc, svc.instances) == all_in()
    for _ in range(2):  # and once more, which changes nothing
        assert balancer.drain(svc, one, 5.0) == ()
        assert server.file.read_text() == written(ports, NAMES[0])
        assert (balancer.in_service(svc, svc.instances), asked(server)) == (all_in(NAMES[0]), set(NAMES[1:]))
    for _ in range(2):
        assert balancer.restore(svc, one) == ()
        assert server.file.read_text() == written(ports)
        assert (balancer.in_service(svc, svc.instances), asked(server)) == (all_in(), set(NAMES))
    assert [path.name for path in server.file.parent.iterdir() if "deploygate" in path.name] == []


def test_a_request_in_progress_is_waited_for(
    server: NginxServer, ports: dict[str, int], backends: list[Backend]
) -> None:
    balancer, svc = made(server, ports, Machines())
    asking = [held(server.url) for _ in range(12)]
    until(lambda: all(one.begun for one in backends), "the requests to arrive")
    for one in backends:
        threading.Timer(0.3, one.let_go).start()
    assert balancer.drain(svc, svc.instances[:1], FUSE) == ()
    backends[0].kill()
    for thread, _ in asking:
        thread.join(FUSE)
    assert {name for _, said in asking for name in said} == set(NAMES)
    assert all(said for _, said in asking)


def test_a_request_that_stays_is_waited_for_no_longer_than_patience_says_and_is_no_trouble(
    server: NginxServer, ports: dict[str, int], backends: list[Backend]
) -> None:
    balancer, svc = made(server, ports, Machines())
    asking = [held(server.url) for _ in range(12)]
    until(lambda: all(one.begun for one in backends), "the requests to arrive")
    for patience in (0.0, 0.1):
        assert balancer.drain(svc, svc.instances[:1], patience) == ()
    assert not any(said for _, said in asking)
    for one in backends:
        one.let_go()
    for thread, _ in asking:
        thread.join(FUSE)
    assert all(said for _, said in asking)


def test_the_last_that_is_in_service_is_not_taken_out(server: NginxServer, ports: dict[str, int]) -> None:
    balancer, svc = made(server, ports, Machines())
    says = "nothing else is in service, and nginx would answer 502 without it"
    assert balancer.drain(svc, svc.instances, 0.0) == tuple(Trouble(one.name, says) for one in svc.instances)
    assert balancer.drain(svc, svc.instances[:2], 0.0) == ()
    assert balancer.drain(svc, svc.instances[1:], 0.0) == tuple(Trouble(one.name, says) for one in svc.instances[1:])
    assert asked(server) == {NAMES[2]}


def test_what_nginx_refuses_is_taken_back(server: NginxServer, ports: dict[str, int]) -> None:
    balancer, svc = made(server, ports, Machines())
    before = server.file.read_bytes()
    server.conf.write_text(server.conf.read_text() + "nonsense;\n")
    (trouble,) = balancer.drain(svc, svc.instances[:1], 0.0)
    assert trouble.says.startswith(
        'nginx refuses the configuration, which was taken back: nginx: [emerg] unknown directive "nonsense" in '
    )
    assert (server.file.read_bytes(), asked(server)) == (before, set(NAMES))
    server.file.unlink()
    (trouble,) = balancer.restore(svc, svc.instances[:1])
    assert "nonsense" in trouble.says
    assert not server.file.exists()
    assert sorted(path.name for path in server.file.parent.iterdir() if "deploygate" in path.name) == []


def test_a_file_of_somebody_else_is_never_overwritten(server: NginxServer, ports: dict[str, int]) -> None:
    balancer, svc = made(server, ports, Machines())
    theirs = server.file.read_text().replace("# written by deploygate", "# written by hand")
    server.file.write_text(theirs)
    says = f'{server.file} was not written by deploygate: its first line would be "# written by deploygate"'
    assert balancer.drain(svc, svc.instances[:1], 0.0) == (Trouble(svc.instances[0].name, says),)
    assert balancer.restore(svc, svc.instances[:1]) == (Trouble(svc.instances[0].name, says),)
    assert (server.file.read_text(), balancer.in_service(svc, svc.instances)) == (theirs, {})


def test_a_symbolic_link_is_not_replaced(server: NginxServer, ports: dict[str, int]) -> None:
    balancer, svc = made(server, ports, Machines())
    server.file.rename(server.folder / "elsewhere")
    server.file.symlink_to(server.folder / "elsewhere")
    says = f"{server.file} is a symbolic link, which writing would replace"
    assert balancer.drain(svc, svc.instances[:1], 0.0) == (Trouble(svc.instances[0].name, says),)
    assert server.file.is_symlink()


def test_without_a_file_all_are_in_and_nobody_can_tell(server: NginxServer, ports: dict[str, int]) -> None:
    balancer, svc = made(server, ports, Machines())
    server.file.unlink()
    assert balancer.in_service(svc, svc.instances) == {}
    assert balancer.drain(svc, svc.instances[:1], 5.0) == ()
    assert server.file.read_text() == written(ports, NAMES[0])


def test_an_instance_that_the_file_does_not_have_comes_in_only_when_it_is_put_in(
    server: NginxServer, ports: dict[str, int]
) -> None:
    balancer, svc = made(server, ports, Machines())
    server.file.write_text(written({name: ports[name] for name in NAMES[:2]}))
    assert balancer.in_service(svc, svc.instances) == all_in(NAMES[2])
    assert balancer.drain(svc, svc.instances[:1], 0.0) == ()
    assert server.file.read_text() == written(ports, NAMES[0], NAMES[2])
    assert balancer.restore(svc, [svc.instances[0], svc.instances[2]]) == ()
    assert server.file.read_text() == written(ports)


@pytest.mark.parametrize(
    "called", ["a b.conf", "$(touch owned).conf", "`touch owned`.conf", "-n.conf", "*.conf", "a\"b'c"]
)
@pytest.mark.parametrize("shell", SHELLS)
def test_a_name_of_a_file_is_only_a_name(ports: dict[str, int], called: str, shell: list[str]) -> None:
    if not Path(shell[0]).exists():
        pytest.skip(f"{shell[0]} is missing")
    with NginxServer(ports, called=called) as server:
        balancer, svc = made(server, ports, Machines(shell=shell))
        assert balancer.drain(svc, svc.instances[:1], 5.0) == ()
        assert server.file.read_text() == written(ports, NAMES[0])
        assert asked(server) == set(NAMES[1:])
        assert list(server.folder.rglob("owned*")) == []
        assert not Path("owned").exists()


def test_an_nginx_that_does_not_run_is_told_and_nothing_is_changed(server: NginxServer, ports: dict[str, int]) -> None:
    balancer, svc = made(server, ports, Machines())
    before = server.file.read_bytes()
    server.stop()
    server.pid_file.write_text("999999999\n")
    says = f"nginx is not running: {server.pid_file} names no living process"
    assert balancer.drain(svc, svc.instances[:1], 0.0) == (Trouble(svc.instances[0].name, says),)
    assert server.file.read_bytes() == before


def test_a_reload_that_does_nothing_is_told_and_the_file_is_put_back(
    server: NginxServer, ports: dict[str, int]
) -> None:
    svc = behind(Balancing(way(server)), ports)
    lame = Nginx(str(server.file), "adcaster", Argv(("true",)), Argv(("true",)), str(server.pid_file))
    (trouble,) = NginxServers(lame, Machines(), fresh=0.2).drain(svc, svc.instances[:1], 0.0)
    assert trouble.says.startswith("nginx has no new workers 200 ms after a reload: see its error log")
    assert server.file.read_text() == written(ports)
    failing = Nginx(
        str(server.file), "adcaster", Argv(("true",)), Argv(("sh", "-c", "echo 'not' 'now' >&2; exit 3")),
        str(server.pid_file),
    )  # fmt: skip
    (trouble,) = NginxServers(failing, Machines()).restore(svc, svc.instances[:1])
    assert trouble.says == "nginx can't be reloaded: not now"


@pytest.fixture
def pair(ports: dict[str, int]) -> Iterator[tuple[NginxServer, NginxServer]]:
    with NginxServer(ports) as first, NginxServer(ports) as second:
        yield first, second


def both(pair: tuple[NginxServer, NginxServer], ports: Mapping[str, int]) -> tuple[NginxServers, Service, Machines]:
    first, second = pair
    words = tuple(word.replace(str(first.folder), "/@") for word in first.words)
    balanced = Nginx(
        "/@/conf.d/adcaster.conf", "adcaster", Argv((*words, "-t")), Argv((*words, "-s", "reload")), "/@/nginx.pid",
        ("lb-1", "lb-2"), Ssh(),
    )  # fmt: skip
    machines = Machines({"lb-1": first.folder, "lb-2": second.folder})
    return NginxServers(balanced, machines), behind(Balancing(balanced), ports), machines


def test_every_nginx_is_told_and_all_must_agree(pair: tuple[NginxServer, NginxServer], ports: dict[str, int]) -> None:
    balancer, svc, _ = both(pair, ports)
    assert balancer.drain(svc, svc.instances[:1], 5.0) == ()
    assert [one.file.read_text() for one in pair] == [written(ports, NAMES[0])] * 2
    pair[1].file.write_text(written(ports))
    assert balancer.in_service(svc, svc.instances) == all_in(NAMES[0])
    assert balancer.restore(svc, svc.instances[:1]) == ()
    assert [one.file.read_text() for one in pair] == [written(ports)] * 2


def test_what_cannot_be_taken_out_everywhere_stays_in(
    pair: tuple[NginxServer, NginxServer], ports: dict[str, int]
) -> None:
    balancer, svc, machines = both(pair, ports)
    before = [one.file.read_text() for one in pair]
    machines.gone.add("lb-2")
    assert balancer.drain(svc, svc.instances[:1], 0.0) == (Trouble(svc.instances[0].name, "lb-2 can't be reached"),)
    assert ([one.file.read_text() for one in pair], balancer.in_service(svc, svc.instances)) == (before, {})
    machines.gone.clear()
    pair[1].conf.write_text(pair[1].conf.read_text() + "nonsense;\n")
    (trouble,) = balancer.drain(svc, svc.instances[:1], 0.0)
    assert trouble.says.startswith("lb-2: nginx refuses the configuration, which was taken back: ")
    assert "not put back" not in trouble.says
    assert balancer.in_service(svc, svc.instances) == all_in()
    assert asked(pair[0]) == set(NAMES)


def test_what_can_be_put_back_somewhere_is_put_back_there(
    pair: tuple[NginxServer, NginxServer], ports: dict[str, int]
) -> None:
    balancer, svc, machines = both(pair, ports)
    assert balancer.drain(svc, svc.instances[:1], 0.0) == ()
    machines.gone.add("lb-1")
    assert balancer.restore(svc, svc.instances[:1]) == (Trouble(svc.instances[0].name, "lb-1 can't be reached"),)
    assert asked(pair[1]) == set(NAMES)


def test_nothing_is_lost_while_every_instance_in_turn_is_killed_and_started(
    server: NginxServer, ports: dict[str, int], backends: list[Backend]
) -> None:
    balancer, svc = made(server, ports, Machines())
    with Load(server.url, fresh=4, kept=0) as fresh, Load(server.url, fresh=0, kept=4) as kept:
        for load in (fresh, kept):
            load.wait_for(50)
        for backend, instance in zip(backends, svc.instances, strict=True):
            assert balancer.drain(svc, [instance], 10.0) == ()
            backend.kill()
            backend.start(f"{backend.name} new")
            assert balancer.restore(svc, [instance]) == ()
            for load in (fresh, kept):
                load.wait_for(50)
    for load in (fresh, kept):
        result = load.result()
        assert (result.failed, result.failures) == (0, []), str(result)
        assert set(result.answers) == {*NAMES, *(f"{name} new" for name in NAMES)}
    assert fresh.result().resent == 0


def test_without_draining_the_load_does_see_a_loss(
    server: NginxServer, ports: dict[str, int], backends: list[Backend]
) -> None:
    assert ports
    with Load(server.url) as load:
        load.wait_for(50)
        backends[1].kill()
        load.wait_for(100)
    assert load.result().failed > 0
