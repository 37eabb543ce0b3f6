"""A step of the Action that is killed while an instance is out of HAProxy: its post step puts the traffic right."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
from processes.fleet import FUSE
from processes.shops import here
from scenarios.as_processes import Processes
from scenarios.five import PRODUCTION
from scenarios.fleet import Hosts, ShopFleet
from scenarios.runner import Given
from scenarios.shop import Shop

from deploygate.adapters.balancers.runtime_api import Server, servers
from deploygate.fake_github import FakeGitHub
from e2e.balancing import NO_HAPROXY, HAProxyServer, until

pytestmark = pytest.mark.skipif(bool(NO_HAPROXY), reason=NO_HAPROXY)
BOOT = {"slow": 2.0}  # seconds; a post step that judged at once would find nobody there

# The gate stops after an action, so that it can be killed there.
HELD = """
import os, time
from deploygate import drive
from deploygate.report import action_line

perform = drive.perform

def held(world, service, action):
    event = perform(world, service, action)
    if action_line(action).startswith(os.environ["HELD_AFTER"]):
        open(os.environ["HELD"] + "/here", "w").close()
        time.sleep(600)
    return event

drive.perform = held
"""


class Behind(ShopFleet):
    """The three in production stand behind a HAProxy."""

    def __init__(self, folder: Path, hosts: Hosts) -> None:
        super().__init__(folder, hosts)
        places = {name: f"{host}:{port}" for name, (host, port) in self.places.items() if name != "p-1"}
        self.haproxy = HAProxyServer(places, dict.fromkeys(places, "check inter 100ms fall 1 rise 2"))

    def inventory(self, version: str, **more: Any) -> str:
        haproxy = {"sockets": [self.haproxy.unix], "backend": "adcaster"}
        whole: dict[str, Any] = {"health": {"deadline": "30s"}, "balancer": {"haproxy": haproxy, "drain": "1s"}} | more
        return super().inventory(version, **whole)

    def server(self, name: str) -> Server:
        return servers(self.haproxy.unix, "adcaster")[name]

    def answering(self) -> str:
        """Return who answers a request through HAProxy."""
        with urlopen(f"{self.haproxy.url}version", timeout=FUSE) as answer:
            return str(answer.read())


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    fleet = Behind(tmp_path / "fleet", here(tmp_path))
    with fleet.haproxy, FakeGitHub() as hub:
        runner = Processes(tmp_path / "jobs", Given(hub, {}, {}))
        runner.more = {"PYTHONPATH": f"{tmp_path}{os.pathsep}{os.environ.get('PYTHONPATH', '')}", "HELD": str(tmp_path)}
        (tmp_path / "sitecustomize.py").write_text(HELD)
        try:
            yield Shop(hub, fleet.up(), runner)
        finally:
            runner.close()
            fleet.down()


@pytest.mark.parametrize(
    ("after", "behaves", "left_at"),
    [
        ("take s-1 out of the balancer", {}, "1.0"),
        ("s-1: kill 1.0, start 2.0", BOOT, "2.0"),
        ("s-1: kill 2.0, start 1.0", {"dies": "no such table"}, "1.0"),
    ],
    ids=["between draining and switching", "while it is watched", "while it is contained"],
)
def test_after_a_step_that_was_killed_the_one_that_was_out_is_sent_traffic_again_and_that_is_told(
    shop: Shop, tmp_path: Path, after: str, behaves: dict[str, Any], left_at: str
) -> None:
    fleet: Any = shop.fleet
    pull = shop.wish("2.0", at={"s-1": behaves})
    job = shop.merged(pull)
    runner: Any = shop.runner
    runner.more["HELD_AFTER"] = after
    running = shop.begin(job)
    until((tmp_path / "here").exists, after)
    assert fleet.server("s-1").draining
    running.kill()
    ran = shop.over(job, running)
    assert fleet.server("s-1").serving, ran.log
    until(lambda: "s-1" in fleet.answering(), "a request to be sent to s-1")
    assert fleet.versions() == fleet.all_at("1.0") | {"p-1": "2.0", "s-1": left_at}
    assert "put s-1 back into the balancer" in shop.comment(pull)
    assert shop.statuses(job.sha)[PRODUCTION] == "error"
    assert "pending" not in shop.statuses(job.sha).values()
