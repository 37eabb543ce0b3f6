"""An nginx on another machine, told over a real ssh: drained, restored, refused, lost, and a whole roll behind it."""

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen

import pytest

from deploygate.adapters.balancers.nginx import NginxServers
from deploygate.adapters.shells import Shells
from deploygate.inventory import Instance, Service
from deploygate.ways import Argv, Balancing, Nginx, Ssh

from .balancing import FUSE, NO_NGINX, Backend, NginxServer, behind
from .served import Served, told
from .ssh_fleet import disks
from .sshd import Sshd, sshd

pytestmark = pytest.mark.skipif(bool(NO_NGINX or disks()), reason=NO_NGINX or disks())
NAMES = ("adcaster-1", "adcaster-2")


@dataclass(frozen=True)
class Told:
    """An nginx before two instances, and the host that it runs on."""

    server: NginxServer
    host: Sshd
    balancer: NginxServers
    service: Service

    @property
    def first(self) -> tuple[Instance, ...]:
        return self.service.instances[:1]

    def asked(self) -> set[str]:
        """Return who answers through nginx."""
        said = set()
        for _ in range(8):
            with urlopen(self.server.url, timeout=FUSE) as answer:
                said.add(answer.read().decode())
        return said

    def in_service(self) -> dict[str, bool]:
        found = self.balancer.in_service(self.service, self.service.instances)
        return {str(name): serves for name, serves in found.items()}

    def drain(self) -> list[str]:
        return [trouble.says for trouble in self.balancer.drain(self.service, self.first, 5.0)]

    def restore(self) -> list[str]:
        return [trouble.says for trouble in self.balancer.restore(self.service, self.first)]


@pytest.fixture
def nginx(tmp_path: Path, stack: ExitStack) -> Told:
    ports = {name: stack.enter_context(Backend(name)).port for name in NAMES}
    server = stack.enter_context(NginxServer(ports))
    host = sshd(tmp_path / "host", 1)
    stack.callback(host.down)
    shells = Shells(host.inputs)
    stack.callback(shells.close)
    test, reload = Argv((*server.words, "-t")), Argv((*server.words, "-s", "reload"))
    way = Nginx(str(server.file), "adcaster", test, reload, str(server.pid_file), (host.hosts[0],), Ssh(port=host.port))
    return Told(server, host, NginxServers(way, shells), behind(Balancing(way), ports))


def test_an_instance_is_taken_out_and_put_back_over_ssh(nginx: Told) -> None:
    assert (nginx.in_service(), nginx.asked()) == (dict.fromkeys(NAMES, True), set(NAMES))
    for _ in range(2):
        assert nginx.drain() == []
        assert (nginx.in_service(), nginx.asked()) == ({NAMES[0]: False, NAMES[1]: True}, {NAMES[1]})
    for _ in range(2):
        assert nginx.restore() == []
        assert (nginx.in_service(), nginx.asked()) == (dict.fromkeys(NAMES, True), set(NAMES))
    assert [path.name for path in nginx.server.file.parent.iterdir()] == [nginx.server.file.name]
    log = (nginx.host.folder / "sshd_0.log").read_text()
    assert log.count("Accepted publickey") == 1


def test_what_the_nginx_of_another_machine_refuses_is_taken_back_there_and_names_the_machine(nginx: Told) -> None:
    before = nginx.server.file.read_bytes()
    sound = nginx.server.conf.read_text()
    nginx.server.conf.write_text(sound + "nonsense;\n")
    says = f"{nginx.host.hosts[0]}: nginx refuses the configuration, which was taken back: nginx: [emerg] "
    for refused in (nginx.drain(), nginx.restore()):
        assert [(one.startswith(says), "nonsense" in one) for one in refused] == [(True, True)]
        assert (nginx.server.file.read_bytes(), nginx.asked()) == (before, set(NAMES))
    nginx.server.conf.write_text(sound)
    assert (nginx.drain(), nginx.asked()) == ([], {NAMES[1]})


def test_of_an_nginx_whose_machine_is_lost_nobody_can_tell_and_nothing_is_changed(nginx: Told) -> None:
    assert nginx.in_service() == dict.fromkeys(NAMES, True)
    before = nginx.server.file.read_bytes()
    nginx.host.dies(0)
    host = nginx.host.hosts[0]
    assert nginx.in_service() == {}
    for troubles in (nginx.drain(), nginx.restore()):
        assert [one.startswith(f"{host} can't be reached: ") for one in troubles] == [True], troubles
    assert (nginx.server.file.read_bytes(), nginx.asked()) == (before, set(NAMES))
    nginx.host.revives(0)
    assert (nginx.drain(), nginx.in_service()) == ([], {NAMES[0]: False, NAMES[1]: True})


def test_a_roll_and_a_rollback_behind_an_nginx_on_another_machine_lose_no_request(
    tmp_path: Path, stack: ExitStack
) -> None:
    fleet = Served(tmp_path, "nginx", stack, ssh="own")
    with fleet.load() as load:
        load.wait_for(50)
        assert fleet.deploy("2.0").end == (0, "deployed")
        assert fleet.versions() == fleet.all_at("2.0")
        assert fleet.rollback().end == (0, "rolled_back")
        load.wait_for(50)
    told(load, "nginx over ssh, a roll and a rollback")
    assert {said.split('"')[3] for said in load.result().answers} == {"1.0", "2.0"}
    assert fleet.versions() == fleet.all_at("1.0")


def test_when_the_machine_of_nginx_is_lost_nothing_more_is_killed_and_the_next_run_puts_back_what_is_out(
    tmp_path: Path, stack: ExitStack
) -> None:
    fleet = Served(tmp_path, "nginx", stack, ssh="own")
    assert fleet.ssh is not None
    with fleet.load() as load:
        load.wait_for(50)
        gate = fleet.begin("deploy", "Svc", "2.0")
        fleet.began(gate, ("s-1", "2.0"))
        fleet.ssh.dies(4)
        ended = gate.told()
        load.wait_for(50)
        assert ended.end == (8, "rollback_failed"), ended
        assert ended.why.startswith(f"s-1: {fleet.ssh.hosts[4]} can't be reached: ")
        untouched = dict.fromkeys(("s-2", "s-3"), "not touched")
        assert ended.states == {"p-1": "taken back", "s-1": "stuck, out of the balancer"} | untouched
        assert fleet.versions() == fleet.all_at("1.0")
        fleet.ssh.revives(4)
        back = fleet.rollback()
        assert back.end == (0, "already_there"), back
        assert back.states["s-1"] == "taken back"
        load.wait_for(50)
    told(load, "nginx over ssh, whose machine is lost and comes back")
