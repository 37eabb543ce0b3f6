"""The file that nginx includes: deterministic, read back as it was written, and each kind of balancer by its kind."""

from collections.abc import Mapping
from pathlib import Path

import pytest
from made import service

from deploygate.adapters.balancers import Means, balancer_of
from deploygate.adapters.balancers.haproxy import HAProxies
from deploygate.adapters.balancers.nginx import NginxServers
from deploygate.adapters.balancers.nginx_host import Ran
from deploygate.adapters.balancers.programs import OwnPrograms
from deploygate.adapters.balancers.upstream import Upstream, UpstreamError, read, written
from deploygate.inventory import Instance
from deploygate.names import PRODUCTION, InstanceName
from deploygate.ports import Balancer
from deploygate.ways import Argv, BalancerPrograms, Balancing, HAProxy, Nginx, Plugin, Ssh

ADDRESSES = ("http://10.0.0.7:8080", "http://web-1.example.net", "https://[2001:db8::1]:8443", "http://a_b:81")
INSTANCES = tuple(Instance(InstanceName(f"i{n}"), PRODUCTION, one) for n, one in enumerate(ADDRESSES))
IN = Upstream(frozenset({INSTANCES[0].name, INSTANCES[2].name}))
FILE = """\
# written by deploygate; a server that is out says down
upstream adcaster {
    server 10.0.0.7:8080;
    server web-1.example.net:80 down;
    server [2001:db8::1]:8443;
    server a_b:81 down;
}
"""


def test_the_file_has_a_line_for_each_instance_and_is_read_back_as_it_was_written() -> None:
    assert written("adcaster", IN, INSTANCES) == FILE
    assert read(FILE, INSTANCES) == IN


@pytest.mark.parametrize(
    ("text", "serving"),
    [
        ("# written by deploygate\n", set()),
        ("# written by deploygate\nupstream a {\n\tserver  10.0.0.7:8080 ;\n}", {"i0"}),
        ("# written by deploygate\n# server 10.0.0.7:8080;\n", set()),
        ("# written by deploygate\nserver 10.0.0.7:8080\tdown ;\nserver 10.0.0.70:8080;\n", set()),
    ],
)
def test_only_a_server_that_is_not_down_puts_an_instance_in_service(text: str, serving: set[str]) -> None:
    assert read(text, INSTANCES).serving == serving


@pytest.mark.parametrize("line", ["server 10.0.0.7:8080 weight=5;", "keepalive 32;", "include x;", "server a:1; #"])
def test_what_somebody_has_added_is_not_lost(line: str) -> None:
    with pytest.raises(UpstreamError, match=f'has a line that deploygate did not write, and would lose: "{line}"'):
        read(FILE.replace("}", f"    {line}\n}}"), INSTANCES)


@pytest.mark.parametrize("text", ["", "upstream a { }", "\n# written by deploygate\n", " # written by deploygate\n"])
def test_a_file_without_the_header_is_somebody_else_s(text: str) -> None:
    with pytest.raises(UpstreamError, match="was not written by deploygate"):
        read(text, INSTANCES)


@pytest.mark.parametrize("name", ["", "a b", "a;", "a{", "a\nb", "$a", "ä"])
def test_a_name_that_nginx_would_read_as_more_is_not_written(name: str) -> None:
    with pytest.raises(UpstreamError, match="can't be the name of an upstream"):
        written(name, IN, INSTANCES)


@pytest.mark.parametrize("host", ["a;b", "a b", "$x", "a{b", "ü"])
def test_an_address_that_nginx_would_read_as_more_is_not_written(host: str) -> None:
    with pytest.raises(UpstreamError, match="can't be a server's address in nginx"):
        written("adcaster", IN, (Instance(InstanceName("i"), PRODUCTION, f"http://{host}:80"),))


class NoShell:
    """A shell that nothing may need."""

    def run(self, host: str, ssh: Ssh | None, program: str, values: Mapping[str, str], limit: float) -> Ran:
        assert (ssh, bool(program), limit > 0) == (Ssh(), True, True), values
        raise ConnectionError(f"{host} can't be reached")


def test_each_kind_of_balancer_has_its_own(tmp_path: Path) -> None:
    asked: list[Plugin] = []
    other = OwnPrograms(BalancerPrograms(Argv(("a",)), Argv(("b",))), tmp_path)

    def plugin(way: Plugin) -> Balancer:
        asked.append(way)
        return other

    means = Means(NoShell(), tmp_path, plugin)
    nginx = Nginx("/f", "u", Argv(("nginx", "-t")), Argv(("nginx", "-s", "reload")), "/p")
    assert isinstance(balancer_of(Balancing(HAProxy(("/s",), "b")), means), HAProxies)
    assert isinstance(balancer_of(Balancing(nginx), means), NginxServers)
    assert isinstance(balancer_of(Balancing(BalancerPrograms(Argv(("a",)), Argv(("b",)))), means), OwnPrograms)
    assert balancer_of(Balancing(Plugin("mine")), means) is other
    assert asked == [Plugin("mine")]


def test_an_nginx_that_cannot_be_reached_is_trouble_for_each_instance(tmp_path: Path) -> None:
    nginx = Nginx("/f", "u", Argv(("t",)), Argv(("r",)), "/p", ("lb-1",), Ssh())
    svc = service(balancer=Balancing(nginx))
    balancer = balancer_of(Balancing(nginx), Means(NoShell(), tmp_path, lambda way: pytest.fail(way.name)))
    troubles = balancer.drain(svc, svc.instances[1:], 0.0)
    assert [one.instance for one in troubles] == ["i1", "i2", "i3"]
    assert all(one.says == "lb-1 can't be reached" for one in troubles)
    assert balancer.in_service(svc, svc.instances) == {}
