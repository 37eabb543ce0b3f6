"""Hosts that lack something, or go away: one line that names the host and what is wrong, and the next run works."""

import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from deploygate.adapters.shells import UnreachableError
from deploygate.ways import Script

from .ssh_fleet import SshFleet, needs_hosts
from .sshd import FUSE, tools

pytestmark = needs_hosts


@contextmanager
def fleet_with(tmp_path: Path, *without: str, **programs: str) -> Iterator[SshFleet]:
    """Make hosts that lack some programs and have others of their own."""
    path = tools(tmp_path / "bin", *without, *programs)
    for name, text in programs.items():
        (path / name).write_text(f"#!/bin/sh\n{text}\n")
        (path / name).chmod(0o755)
    fleet = SshFleet(tmp_path, path=str(path))
    try:
        yield fleet
    finally:
        fleet.down()


@pytest.mark.parametrize("tool", ["flock", "setsid", "sha256sum"])
def test_a_host_without_a_program_that_is_needed_is_named_with_it(tmp_path: Path, tool: str) -> None:
    with fleet_with(tmp_path, tool) as fleet:
        assert fleet.claim() == ()
        assert [one.says for one in fleet.stage()] == [
            f"Svc {host} has no {tool}, which deploygate needs there" for host in fleet.sshd.hosts
        ]


OLD_RSYNC = '[ "$1" = --version ] && echo "rsync  version 2.6.9  protocol version 29"'


@pytest.mark.parametrize("rsync", [{}, {"rsync": OLD_RSYNC}], ids=["none", "old"])
def test_without_a_new_enough_rsync_a_release_is_copied_as_a_tar(tmp_path: Path, rsync: dict[str, str]) -> None:
    with fleet_with(tmp_path, "rsync", **rsync) as fleet:
        fleet.up()
        assert fleet.answers() == "1.0"
        assert (fleet.disk() / "1.0" / "a folder" / "it's; a $(file)").read_text() == "1.0"
        assert (fleet.disk() / "1.0" / "latest").readlink() == Path("a folder")


def test_without_rsync_and_tar_a_release_can_not_be_copied(tmp_path: Path) -> None:
    with fleet_with(tmp_path, "rsync", "tar") as fleet:
        (trouble, _) = fleet.stage()
        assert trouble.says == (
            f"Svc 1.0 can't be staged: it can't be unpacked on {fleet.sshd.hosts[0]}: "
            "it has neither an rsync of 3.0 or later nor a tar"
        )


@pytest.mark.parametrize("without", [[], ["rsync"]], ids=["rsync", "tar"])
def test_a_full_disk_is_one_line_and_with_room_again_the_next_run_works(tmp_path: Path, without: list[str]) -> None:
    with fleet_with(tmp_path, *without) as fleet:
        (fleet.release("1.0") / "big").write_bytes(b"x" * 3_000_000)
        daemon = psutil.Process(fleet.sshd.daemons[0].pid)
        inside = ["nsenter", "-t", str(daemon.pid), "-m"]
        subprocess.run([*inside, "mount", "-t", "tmpfs", "-o", "size=1m", "none", str(fleet.mount)], check=True)
        (trouble,) = fleet.stage()
        assert trouble.instance == fleet.names[0]
        assert "1.0 can't be staged" in trouble.says
        assert "No space left on device" in trouble.says
        subprocess.run([*inside, "mount", "-o", "remount,size=20m", str(fleet.mount)], check=True)
        assert fleet.stage() == ()
        assert fleet.prove() == ()


@pytest.mark.parametrize("without", [[], ["rsync"]], ids=["rsync", "tar"])
def test_a_host_that_dies_while_it_is_staged_is_one_line_and_the_next_run_works(
    tmp_path: Path, without: list[str]
) -> None:
    with fleet_with(tmp_path, *without) as fleet:
        for number in range(80):
            (fleet.folder / f"dist/Svc-1.0/big-{number}").write_bytes(b"%d" % number * 300_000)
        done: list[object] = []
        staging = threading.Thread(target=lambda: done.append(fleet.stage()))
        staging.start()
        fleet.until(lambda: any((fleet.disk() / ".deploygate").glob("staging-*/files/big-1")))
        fleet.sshd.cut()
        staging.join(FUSE)
        (troubles,) = done
        assert troubles, "it was too fast to be cut"
        assert all(str(fleet.sshd.hosts[0]) in one.says or str(fleet.sshd.hosts[1]) in one.says for one in troubles)  # type: ignore[attr-defined]
        assert not (fleet.disk() / "1.0").exists()
        assert fleet.stage() == ()
        assert fleet.prove() == ()
        assert not [*(fleet.disk() / ".deploygate").glob("staging-*")]


def test_a_file_that_arrives_damaged_is_not_installed(tmp_path: Path) -> None:
    tar = 'd=$PWD; /bin/tar "$@" && echo damaged >"$d/release.json"'
    with fleet_with(tmp_path, "rsync", tar=tar) as fleet:
        (trouble, _) = fleet.stage()
        host = fleet.sshd.hosts[0]
        assert trouble.says == f"Svc 1.0 did not arrive whole on {host}: ./release.json: FAILED"
        assert not (fleet.disk() / "1.0").exists()
        assert not [*(fleet.disk() / ".deploygate").glob("staging-*")]


def test_a_host_that_is_gone_is_one_verdict_and_the_others_are_changed(tmp_path: Path) -> None:
    with fleet_with(tmp_path) as fleet:
        fleet.up()
        fleet.sshd.dies(0)
        assert fleet.process(1).alive
        (trouble,) = fleet.switch("1.0", "1.0")
        assert trouble.instance == fleet.names[0]
        assert trouble.says.startswith(f"{fleet.sshd.hosts[0]} ")
        found = fleet.process(0)
        assert (found.alive, found.release, found.identity) == (None, None, None)
        assert "Connection refused" in found.says


def test_what_was_begun_on_a_host_is_finished_there_when_the_connection_breaks(tmp_path: Path) -> None:
    with fleet_with(tmp_path) as fleet:
        fleet.release("1.0", stubborn=True)
        fleet.up()
        assert fleet.answers() == "1.0"
        assert fleet.stage("2.0") == ()
        done: list[object] = []
        changing = threading.Thread(target=lambda: done.append(fleet.switch("2.0", "1.0", only="i1")))
        changing.start()
        time.sleep(0.2)  # within its grace
        fleet.shells._pool.close()  # noqa: SLF001 - as if the gate was killed
        changing.join(FUSE)
        assert "was lost" in str(done[0])
        assert "when i1 was to go from 1.0 to 2.0" in str(done[0])
        fleet.until((fleet.disk() / ".deploygate/instances/i1/2.0.log").exists)
        assert fleet.answers() in {"1.0", "2.0"}
        fleet.until(lambda: fleet.answers() == "2.0")


def test_a_service_that_was_answered_by_is_not_asked_of_a_host_that_costs_a_connection(tmp_path: Path) -> None:
    with fleet_with(tmp_path) as fleet:
        found = fleet.driver.process(fleet.service, fleet.service.instances[0], answered=True)
        assert found.alive is None
        assert "Accepted publickey" not in (fleet.sshd.folder / "sshd_0.log").read_text()
        assert fleet.process().alive is None
        assert "Accepted publickey" in (fleet.sshd.folder / "sshd_0.log").read_text()


def test_a_look_that_ends_late_does_not_take_the_connection_of_another_away(tmp_path: Path) -> None:
    with fleet_with(tmp_path) as fleet:
        host, ssh = fleet.sshd.hosts[0], fleet.service.deploy.ssh  # type: ignore[union-attr]
        fleet.shells.run(host, ssh, ":", {}, FUSE)  # the first shell carries the connection
        late: list[object] = []

        def look() -> None:
            try:
                fleet.shells.run(host, ssh, "sleep 5", {}, 0.5)
            except UnreachableError as error:
                late.append(str(error))

        looking = threading.Thread(target=look)
        looking.start()
        time.sleep(0.1)
        other = fleet.shells.run(host, ssh, "sleep 1; echo changed", {}, FUSE)
        looking.join(FUSE)
        assert [str(one).partition(" within ")[0] for one in late] == [f"{host} was lost: no answer"]
        assert other.out == "changed\n"
        assert fleet.shells.run(host, ssh, "echo again", {}, FUSE).out == "again\n"
        fleet.until(lambda: len([one for one in fleet.sshd.sessions() if one.name() == "sh"]) <= 1)


def test_in_another_language_a_release_is_as_whole(tmp_path: Path) -> None:
    french = '[ "$LC_ALL" = C ] && exec /usr/bin/sha256sum "$@"; /usr/bin/sha256sum "$@" | sed "s/: OK$/: Réussi/"'
    with fleet_with(tmp_path, sha256sum=french) as fleet:
        fleet.up()
        assert fleet.answers() == "1.0"


def test_a_log_with_bytes_that_are_no_text_still_says_how_a_process_ended(tmp_path: Path) -> None:
    with fleet_with(tmp_path) as fleet:
        fleet.deployed(start=Script("printf 'no \\0 such \\377 table\\n'; exit 3"))
        fleet.up()
        fleet.until(lambda: fleet.process().alive is False)
        assert "its log ends: no " in fleet.process().says
        assert "table" in fleet.process().says


def test_a_file_name_that_sha256sum_would_take_for_another_is_refused_before_anything_is_copied(
    tmp_path: Path,
) -> None:
    with fleet_with(tmp_path) as fleet:
        (fleet.folder / "dist/Svc-1.0/end\r").touch()
        (trouble, _) = fleet.stage()
        assert trouble.says == "Svc 1.0 has a file name that ends with a carriage return, 'end\\r': rename it"


def forced(fleet: SshFleet, script: str) -> None:
    """Have the hosts run another command in place of any that is asked for."""
    program = fleet.folder / "forced"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    fleet.sshd.down()
    fleet.sshd.options = (f"ForceCommand {program}",)
    fleet.sshd.up()


def test_a_login_shell_that_greets_does_no_harm(tmp_path: Path) -> None:
    with fleet_with(tmp_path) as fleet:
        forced(fleet, 'echo "3 updates are waiting."; echo Welcome >&2; exec /bin/sh -c "$SSH_ORIGINAL_COMMAND"')
        fleet.up()
        assert fleet.answers() == "1.0"


def test_a_host_that_forces_another_command_is_told_with_what_it_says(tmp_path: Path) -> None:
    with fleet_with(tmp_path) as fleet:
        forced(fleet, "echo 'This account is for backups only.'")
        (trouble, _) = fleet.stage()
        assert trouble.says == (
            f"Svc {fleet.sshd.hosts[0]} can't be reached: what answers is no POSIX shell, "
            'it says "This account is for backups only."'
        )
