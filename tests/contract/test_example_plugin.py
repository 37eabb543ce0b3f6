"""The example plug-in is installed as anybody's would be: it keeps the contract, and is found."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import deploygate

SOURCE = Path(__file__).parents[2] / "examples" / "plugin"
FUSE = 120.0
FIND = """
from pathlib import Path
from deploygate.adapters.plugins import balancer_named, driver_named
from deploygate.ways import Plugin
driver = driver_named(Plugin("pidfile", {"root": "srv"}), Path("/fleet"))
balancer = balancer_named(Plugin("listed", {"file": "out.txt"}), Path("/fleet"))
print(type(driver.made).__name__, type(balancer.made).__name__)
"""
MISTAKEN = FIND.replace('"root"', '"rot"')

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Install the plug-in where nothing else is, and run Python with it."""
    folder = tmp_path_factory.mktemp("plugin")
    site, source = folder / "site", folder / "source"
    source.mkdir()
    for path in SOURCE.iterdir():
        if path.is_file():
            (source / path.name).write_bytes(path.read_bytes())
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("PIP_", "PYTEST_"))}
    known = f"{site}{os.pathsep}{Path(deploygate.__file__).parents[1]}"

    def python(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, *words],
            env=kept | {"PYTHONPATH": known},
            cwd=source,
            capture_output=True,
            text=True,
            check=False,
            timeout=FUSE,
        )

    offline = ("--no-build-isolation", "--no-deps", "--no-index", "--disable-pip-version-check", "--quiet")
    done = python("-m", "pip", "install", *offline, "--target", str(site), str(source))
    assert done.returncode == 0, done.stderr
    (source / "deploygate_pidfile.py").unlink()  # what is tested is what was installed
    return python


def test_it_keeps_the_contract(run: Run) -> None:
    done = run("-m", "pytest", "-q", "-W", "error", "-p", "no:xdist", "-p", "no:cacheprovider", "--rootdir", ".")
    assert done.returncode == 0, done.stdout + done.stderr
    assert " passed" in done.stdout
    assert "skipped" not in done.stdout


def test_it_is_found_by_its_entry_points(run: Run) -> None:
    done = run("-c", FIND)
    assert (done.stdout, done.stderr) == ("PidFiles Listed\n", "")


def test_what_is_wrong_with_its_settings_is_said_by_itself(run: Run) -> None:
    done = run("-c", MISTAKEN)
    last = done.stderr.strip().splitlines()[-1]
    assert last.endswith(
        'the plug-in "pidfile" (deploygate-pidfile 1.0.0) could not be set up: '
        "ValueError: unknown settings: rot; there is only `root`"
    )


@pytest.mark.parametrize("kind", ["toml", "python"])
def test_what_its_page_shows_stands_in_it(kind: str) -> None:
    page = (SOURCE.parents[1] / "docs" / "plugins.md").read_text()
    written = re.sub(r"^<!-- generated.*?^<!-- end -->", "", page, flags=re.MULTILINE | re.DOTALL)
    shown = re.findall(rf"^```{kind}\n(.*?)^```$", written, re.MULTILINE | re.DOTALL)
    whole = "".join(path.read_text() for path in SOURCE.iterdir() if path.is_file())
    assert shown
    assert [block for block in shown if block not in whole] == []
