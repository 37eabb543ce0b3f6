"""Names with everything in them that a shell obeys: they arrive to the letter or are refused, and nothing is run."""

from dataclasses import replace
from pathlib import Path

import pytest

from deploygate.names import InstanceName, RunId
from deploygate.ways import Argv

from .ssh_fleet import SshFleet, canary, needs_hosts

pytestmark = needs_hosts

ODD = [
    "with a space",
    'it\'s "quoted"',
    "$(touch owned1)",
    "`touch owned2`",
    "; touch owned3 #",
    "-rf",
    "--help",
    "*",
    "~root",
    "back\\slash",
    "é€😀",
    "| touch owned4 &",
]
REFUSED = ["a\nb", "..", "a/b", "\n touch owned5 \n", "tab\there"]


@pytest.mark.parametrize("odd", ODD)
def test_a_root_an_instance_and_a_version_may_have_any_name(tmp_path: Path, odd: str) -> None:
    whole_life(SshFleet(tmp_path, 1, root=f"srv/{odd}"), odd)


def whole_life(fleet: SshFleet, odd: str) -> None:
    """Deploy a version with an odd name to an odd instance under an odd root, from an odd artifact, and stop it."""
    try:
        fleet.release(odd)
        instances = (replace(fleet.service.instances[0], name=InstanceName(odd)),)
        fleet.service = replace(fleet.service, instances=instances)
        fleet.names = (InstanceName(odd),)
        fleet.deployed(stop=Argv(("sh", "-c", 'kill "$DEPLOYGATE_PID"', "{version}", "{root}", "{instance}")))
        fleet.up(odd)
        assert fleet.answers() == odd
        assert fleet.process().release == odd
        assert (fleet.disk() / odd / "a folder").is_dir()
        assert fleet.switch(None, odd) == ()
        assert fleet.process().alive is False
        fleet.deployed(keep=0)
        assert fleet.driver.prune(fleet.service, fleet.names, ()) == ()
        fleet.driver.leave(fleet.service, fleet.names, RunId("run-1"))
        assert canary(fleet.folder) == []
        assert list(fleet.folder.rglob("owned*[!)`#&]")) == []
    finally:
        fleet.down()


def test_names_that_can_be_no_folder_s_are_refused(tmp_path: Path) -> None:
    fleet = SshFleet(tmp_path, 1)
    try:
        fleet.up()
        for odd in REFUSED:
            (trouble,) = fleet.switch(odd)
            assert "can't be" in trouble.says, odd
            fleet.service = replace(
                fleet.service, instances=(replace(fleet.service.instances[0], name=InstanceName(odd)),)
            )
            (trouble,) = fleet.switch("1.0", only=odd)
            assert "can't be" in trouble.says, odd
            fleet.service = replace(
                fleet.service, instances=(replace(fleet.service.instances[0], name=fleet.names[0]),)
            )
        for root in ("relative", "/has\nnewline"):
            fleet.deployed(root=root)
            (trouble,) = fleet.switch("1.0")
            assert "root" in trouble.says
        assert canary(tmp_path) == []
    finally:
        fleet.down()


def test_a_file_name_that_can_not_be_listed_is_refused(tmp_path: Path) -> None:
    fleet = SshFleet(tmp_path, 1)
    try:
        (fleet.folder / "dist/Svc-1.0/two\nlines").write_text("")
        (trouble,) = fleet.stage()
        assert "a file name with a newline or a backslash" in trouble.says
        (fleet.release("1.0") / "-n é $(touch owned)").write_text("")
        assert fleet.stage() == ()
        assert fleet.prove() == ()
        assert canary(tmp_path) == []
    finally:
        fleet.down()
