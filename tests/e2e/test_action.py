"""The five scenarios of the Action by an independent runner of Actions, in containers; the fleet is outside of them."""

import getpass
import random
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from scenarios.five import Five
from scenarios.fleet import NAMES, Hosts, ShopFleet
from scenarios.runner import Given
from scenarios.shop import Shop

from deploygate.fake_github import FakeGitHub

from .acted import Act, action_source
from .engine import UnobtainableError
from .ssh_fleet import needs_hosts
from .sshd import sshd

pytestmark = [needs_hosts, pytest.mark.needs("sshd", "ssh", "rsync", "dockerd", "docker", "mmdebstrap", "act")]


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """What the Action's image is built from; the engine is there as long as the tests of this file."""
    with ExitStack() as held:
        try:
            made = held.enter_context(action_source(tmp_path_factory.mktemp("source")))
        except UnobtainableError as error:
            pytest.skip(f"no containers for the Action: {error}")
        yield made


@pytest.fixture
def shop(tmp_path: Path, source: Path) -> Iterator[Shop]:
    """A shop of which the fleet runs version 1.0, on four hosts with disks of their own."""
    root = tmp_path / "mnt"
    hosts = sshd(tmp_path / "hosts", len(NAMES), root=root)
    port = random.randint(10_000, 29_000)
    given = {
        "ssh_key": (tmp_path / "hosts/key").read_text(),
        "ssh_known_hosts": (tmp_path / "hosts/known_hosts").read_text(),
        "ssh_config": f"User {getpass.getuser()}\n",
    }
    places = Hosts([(host, port) for host in hosts.hosts], str(root / "srv"), {"port": hosts.port}, given)
    fleet = ShopFleet(tmp_path / "fleet", places)
    secrets = {"DEPLOY_KEY": given["ssh_key"]}
    variables = {"KNOWN_HOSTS": given["ssh_known_hosts"], "SSH_CONFIG": given["ssh_config"]}
    with FakeGitHub() as hub:
        runner = Act(tmp_path / "jobs", Given(hub, secrets, variables), source)
        try:
            yield Shop(hub, fleet.up(), runner)
        finally:
            runner.close()
            fleet.down()
            hosts.down()


class TestByAct(Five):
    """Each job is run by act: the image is built from the project's Dockerfile, and main and post are containers."""
