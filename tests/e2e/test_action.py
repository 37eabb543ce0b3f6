"""The Action's image, and its five scenarios by an independent runner, in containers; the fleet is outside of them."""

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

from .acted import BASE, Act, action_source
from .engine import MAKING, UnobtainableError, docker
from .ssh_fleet import needs_hosts
from .sshd import sshd

WITHOUT_BYTE_CODE = (
    "import importlib.util as u, pathlib; "
    'print([str(p) for p in pathlib.Path("/opt/deploygate").rglob("*.py")'
    " if not pathlib.Path(u.cache_from_source(p)).exists()])"
)
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


@pytest.fixture(scope="module")
def image(source: Path) -> str:
    """The image, built from the project's Dockerfile as it is."""
    return docker("build", "--quiet", str(source), patience=MAKING)


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


class TestImage:
    """What the image has, and what it has not."""

    def test_it_has_what_hosts_are_reached_with_and_no_compiler_and_no_git(self, image: str) -> None:
        looked = "for one in ssh rsync git gcc cc make; do command -v $one; done; true"
        assert inside(image, looked).split() == ["/usr/bin/ssh", "/usr/bin/rsync"]

    def test_every_module_has_its_byte_code(self, image: str) -> None:
        assert inside(image, f"python3 -c '{WITHOUT_BYTE_CODE}'") == "[]"

    def test_it_adds_less_than_80_megabytes_to_its_base(self, image: str) -> None:
        sizes = [int(docker("image", "inspect", "--format", "{{.Size}}", one)) for one in (image, BASE)]
        assert sizes[0] - sizes[1] < 80_000_000

    def test_nothing_is_imported_from_the_workspace_whatever_the_environment_says(
        self, image: str, tmp_path: Path
    ) -> None:
        (tmp_path / "click.py").write_text("raise SystemExit('imported from the workspace')")
        (tmp_path / "sitecustomize.py").write_text("raise SystemExit('imported from the workspace')")
        where = "/github/workspace"
        given = ("--volume", f"{tmp_path}:{where}", "--workdir", where, "--env", f"PYTHONPATH={where}")
        assert docker("run", "--rm", *given, image, "--version").startswith("deploygate")
        post = ("--entrypoint", "/usr/local/bin/deploygate-post", image, "action")
        assert "imported" not in docker("run", "--rm", *given, *post)


def inside(image: str, command: str) -> str:
    """Run a command of the shell in the image."""
    return docker("run", "--rm", "--entrypoint", "sh", image, "-c", command)
