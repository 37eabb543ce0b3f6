"""What a run costs its hosts: one connection each from first to last, and never too many copies at once."""

from contextlib import ExitStack
from pathlib import Path

from .served import Served
from .ssh_fleet import SshFleet, needs_hosts
from .sshd import tools

pytestmark = needs_hosts
BOUND = 16  # hosts that are copied to at the same time


def test_a_whole_run_has_one_connection_to_each_host(tmp_path: Path, stack: ExitStack) -> None:
    fleet = Served(tmp_path, "", stack, ssh="own", production=2)

    def connections() -> list[int]:
        logs = [fleet.folder / f"hosts/sshd_{number}.log" for number in range(3)]
        return [log.read_text().count("Accepted publickey") for log in logs]

    assert connections() == [1, 1, 1]
    assert fleet.deploy("2.0").end == (0, "deployed")
    assert connections() == [2, 2, 2]
    assert fleet.rollback().end == (0, "rolled_back")
    assert connections() == [3, 3, 3]


# Each copy waits until as many as may be are at work, or it was long enough; and then for others that may not be.
TAR = """#!/bin/sh
mkdir "{noted}/now-$$"
looked=0
until [ -e "{noted}/full" ] || [ "$looked" = 150 ]; do
    [ "$(ls "{noted}" | grep -c now-)" -lt {bound} ] || touch "{noted}/full"
    looked=$((looked + 1))
    sleep 0.1
done
sleep 0.5
ls "{noted}" | grep -c now- >>"{noted}/seen"
/bin/tar "$@" && /bin/rmdir "{noted}/now-$$"
"""


def test_no_more_hosts_are_copied_to_at_once_than_the_bound_says_and_each_gets_its_copy(
    tmp_path: Path, stack: ExitStack
) -> None:
    noted = tmp_path / "noted"
    noted.mkdir()
    path = tools(tmp_path / "bin", "rsync", "tar")
    (path / "tar").write_text(TAR.format(noted=noted, bound=BOUND))
    (path / "tar").chmod(0o755)
    fleet = SshFleet(tmp_path, BOUND + 3, path=str(path))
    stack.callback(fleet.down)
    assert fleet.stage() == ()
    assert fleet.prove() == ()
    seen = [int(line) for line in (noted / "seen").read_text().split()]
    assert (len(seen), max(seen)) == (BOUND + 3, BOUND)
