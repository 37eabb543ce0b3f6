"""The Action's image, and its five scenarios by an independent runner, in containers; the fleet is outside of them."""

import getpass
import random
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from scenarios.five import Five
from scenarios.fleet import NAMES, SERVICE_NAME, Hosts, ShopFleet
from scenarios.runner import Given
from scenarios.shop import Shop
from scenarios.workflows import PROJECT

from deploygate.fake_github import FakeGitHub

from .acted import BASE, TOO_NEW, Act, action_source
from .engine import MAKING, UnobtainableError, docker
from .parts import as_root
from .ssh_fleet import needs_hosts
from .sshd import sshd

EXAMPLE = PROJECT / "examples" / "workflows" / "one-repository"
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


class TestExamples:
    """What a team copies runs as it is, but for the build of its releases, which are in the repository here."""

    def test_a_merge_is_deployed_and_taken_back_by_hand(self, shop: Shop) -> None:
        copied = {path.name: TOO_NEW.sub("", path.read_text()) for path in EXAMPLE.iterdir()}
        copied["deploygate.yml"] = copied["deploygate.yml"].replace("- run: make dist", "- run: ls dist")
        shop.commit({f".github/workflows/{name}": text for name, text in copied.items()}, "Copied")
        workflow = shop.repo.workflow("deploygate.yml", dispatchable=False)
        job = shop.merged(shop.wish("2.0"))
        may = yaml.safe_load(copied["deploygate.yml"])["jobs"]["deploy"]["permissions"]
        ran = shop.run(replace(job, run=shop.repo.run(workflow), permissions=may))
        assert ran.green, ran.log
        assert shop.fleet.versions() == shop.fleet.all_at("2.0")
        may = yaml.safe_load(copied["rollback.yml"])["jobs"]["rollback"]["permissions"]
        ran = shop.run(replace(shop.by_hand(service=SERVICE_NAME, reason="orders fail"), permissions=may))
        assert ran.green, ran.log
        assert shop.fleet.versions() == shop.fleet.all_at("1.0")


class TestImage:
    """What the image has, and what it has not."""

    def test_it_is_what_an_image_of_the_action_must_be(self, image: str) -> None:
        words = [*(as_root() or ()), "sh", str(PROJECT / "tools" / "check_image.sh"), image, "220"]
        done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=MAKING)
        assert done.returncode == 0, done.stdout + done.stderr

    def test_every_module_has_its_byte_code(self, image: str) -> None:
        assert inside(image, f"python3 -c '{WITHOUT_BYTE_CODE}'") == "[]"

    def test_it_adds_less_than_80_megabytes_to_its_base(self, image: str) -> None:
        sizes = [int(docker("image", "inspect", "--format", "{{.Size}}", one)) for one in (image, BASE)]
        assert sizes[0] - sizes[1] < 80_000_000


def inside(image: str, command: str) -> str:
    """Run a command of the shell in the image."""
    return docker("run", "--rm", "--entrypoint", "sh", image, "-c", command)
