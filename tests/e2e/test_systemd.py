"""Hosts with systemd: a template unit runs the releases, and the gate kills and starts them over ssh."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from .asked import ask, until
from .demo import SERVICE, Demo, Place
from .systemd_hosts import PORT, UNIT, SystemdHost, write_ssh_config

pytestmark = pytest.mark.needs("dockerd", "docker", "mmdebstrap", "ssh", "rsync")
Hosts = tuple[SystemdHost, ...]


@pytest.fixture
def demo(unit_hosts: Hosts, tmp_path: Path) -> Demo:
    """The service, at 1.0 on every host, deployed by root."""
    return started(unit_hosts, tmp_path, {"unit": "demo@{version}.service"}, {"user": "root"})


@pytest.fixture
def humble(unit_hosts: Hosts, tmp_path: Path) -> Demo:
    """The service, at 1.0 on every host, deployed by a user who may call systemctl through sudo, and no more."""
    return started(unit_hosts, tmp_path, {"unit": "demo@{version}.service", "sudo": True}, {"user": "deploy"})


# What the hosts are: without this, what the gate does on them would prove little


def test_a_host_is_accepted_with_its_own_key_and_with_no_other(unit_hosts: Hosts, tmp_path: Path) -> None:
    one, other, _ = unit_hosts
    assert one.do("hostname") == one.name
    mine = one.config.with_name("key")
    write_ssh_config((one,), mine, tmp_path / "ssh_config", {one.name: other.key})
    refused = one.run("hostname", config=tmp_path / "ssh_config")
    assert refused.code == 255
    assert "Host key verification failed" in refused.err


def test_there_is_no_python_on_a_host(unit_hosts: Hosts) -> None:
    assert unit_hosts[0].do("ls /usr/bin /usr/local/bin | grep -c python; true") == "0"


def test_a_unit_that_is_killed_comes_back_and_one_that_is_stopped_does_not(unit_hosts: Hosts) -> None:
    host = unit_hosts[0]
    by_hand(host, "1.0")
    host.do("systemctl start demo@1.0")
    first = until(lambda: ask(host.address, PORT))
    assert first["version"] == "1.0"
    assert ask(host.address, PORT, "/health") == {"status": "pass"}
    host.do('kill -KILL "$(systemctl show --property=MainPID --value demo@1.0)"')
    second = until(lambda: (now := ask(host.address, PORT)) != first and now)
    assert second["version"] == "1.0"
    host.do("systemctl stop demo@1.0")
    time.sleep(1)  # ten times as long as the unit waits before it restarts
    assert ask(host.address, PORT) is None
    assert host.run("systemctl is-active demo@1.0").out == "inactive"


# What the gate does on them


@pytest.mark.parametrize("by", ["demo", "humble"], ids=["root", "sudo"])
def test_a_version_goes_through_units_to_every_host_and_the_way_back_does_too(
    by: str, request: pytest.FixtureRequest, unit_hosts: Hosts
) -> None:
    demo: Demo = request.getfixturevalue(by)
    before = demo.said()
    demo.deploy("2.0", ends=(0, "deployed"))
    assert demo.versions() == demo.all_at("2.0")
    assert [active(host) for host in unit_hosts] == [["demo@2.0.service"]] * len(unit_hosts)
    demo.rollback(ends=(0, "rolled_back"))
    assert demo.versions() == demo.all_at("1.0")
    assert [active(host) for host in unit_hosts] == [["demo@1.0.service"]] * len(unit_hosts)
    after = demo.said()
    assert not [name for name in before if before[name] == after[name]]  # other processes, not the ones from before


@pytest.mark.parametrize("mark", ["ill", "dies"])
def test_a_bad_version_is_stopped_for_good_although_its_unit_would_restart_it(
    mark: str, demo: Demo, unit_hosts: Hosts
) -> None:
    demo.release("2.0", mark)
    before = demo.said()
    demo.deploy("2.0", ends=(6, "rolled_back"))
    time.sleep(1)  # ten times as long as the unit waits before it restarts
    after = demo.said()
    assert demo.versions() == demo.all_at("1.0")
    assert [active(host) for host in unit_hosts] == [["demo@1.0.service"]] * len(unit_hosts)
    assert [name for name in before if before[name] != after[name]] == ["p-1"]


def test_a_process_that_systemd_has_restarted_is_known_and_can_be_replaced(demo: Demo, unit_hosts: Hosts) -> None:
    before = demo.said()
    unit_hosts[1].do('kill -KILL "$(systemctl show --property=MainPID --value demo@1.0)"')
    place = demo.places["s-1"]
    until(lambda: (now := ask(place.address, place.port)) != before["s-1"] and now)
    demo.deploy("2.0", ends=(0, "deployed"))
    assert demo.versions() == demo.all_at("2.0")
    assert [active(host) for host in unit_hosts] == [["demo@2.0.service"]] * len(unit_hosts)


def test_a_unit_that_is_not_there_is_found_out_before_anything_is_changed(demo: Demo, unit_hosts: Hosts) -> None:
    before = demo.said()
    unit_hosts[2].do("rm /etc/systemd/system/demo@.service && systemctl daemon-reload")
    told = demo.deploy("2.0", ends=(4, "refused"))
    assert "demo@2.0.service" in str(told.data["reasons"]) + told.why
    assert demo.said() == before


# What does not end when it is asked to, and is another user's than the gate's


def test_a_unit_that_ignores_its_stop_is_killed_and_the_next_version_runs(stubborn: Demo, unit_hosts: Hosts) -> None:
    stubborn.deploy("2.0", ends=(0, "deployed"))
    assert stubborn.versions() == stubborn.all_at("2.0")
    assert [active(host) for host in unit_hosts] == [["demo@2.0.service"]] * len(unit_hosts)


def test_a_bad_version_that_ignores_its_stop_is_killed_on_the_way_back(humble: Demo, unit_hosts: Hosts) -> None:
    humble.release("2.0", "ill", "stubborn")
    humble.deploy("2.0", ends=(6, "rolled_back"))
    assert humble.versions() == humble.all_at("1.0")
    assert [active(host) for host in unit_hosts] == [["demo@1.0.service"]] * len(unit_hosts)


@pytest.mark.usefixtures("kill_refused")
def test_where_a_unit_can_not_be_killed_the_second_stop_waits_for_systemd_to_do_it(
    stubborn: Demo, unit_hosts: Hosts
) -> None:
    patient(unit_hosts, 5)
    stubborn.deploy("2.0", ends=(0, "deployed"))
    assert stubborn.versions() == stubborn.all_at("2.0")


@pytest.mark.usefixtures("kill_refused")
def test_a_process_that_was_asked_to_stop_is_not_what_a_deploy_comes_back_to(stubborn: Demo, unit_hosts: Hosts) -> None:
    patient(unit_hosts, 16)  # longer than a change waits: the old process lives on when it is to come back, and dies
    before = stubborn.said()["p-1"]
    told = stubborn.deploy("2.0", ends=(6, "rolled_back"))
    assert "does not die" in told.why
    after = stubborn.said()["p-1"]
    assert after is not None
    assert (after["version"], after == before) == ("1.0", False)
    assert active(unit_hosts[0]) == ["demo@1.0.service"]


@pytest.fixture
def stubborn(unit_hosts: Hosts, tmp_path: Path) -> Demo:
    """The service at 1.0, which does not end when asked to, deployed with sudo."""
    return started(
        unit_hosts, tmp_path, {"unit": "demo@{version}.service", "sudo": True}, {"user": "deploy"}, "stubborn"
    )


@pytest.fixture
def kill_refused(unit_hosts: Hosts) -> Iterator[None]:
    """Let sudo run systemctl for the gate's user, but not to kill."""
    kill = "systemctl --no-ask-password kill"
    for host in unit_hosts:
        host.put("/etc/sudoers.d/no-kill", f"deploy ALL=(root) !/usr/bin/{kill} *\n")
        assert host.run(f"su deploy -c 'sudo -n -l {kill} --signal=KILL -- demo@1.0'").code != 0
        host.do("su deploy -c 'sudo -n -l systemctl --no-ask-password stop -- demo@1.0'")
    yield
    for host in unit_hosts:
        host.do("rm /etc/sudoers.d/no-kill")


def patient(hosts: Hosts, seconds: int) -> None:
    """Let systemd itself kill what does not stop after so many seconds."""
    for host in hosts:
        host.put("/etc/systemd/system/demo@.service", f"{UNIT}TimeoutStopSec={seconds}\n")
        host.do("systemctl daemon-reload")


def started(hosts: Hosts, folder: Path, systemd: dict[str, Any], ssh: dict[str, Any], *marks: str) -> Demo:
    """Return the service, at 1.0 on every host, a release with these marks."""
    places = [Place(host.name, host.address, PORT) for host in hosts]
    killstart = {"root": "/srv/demo", "systemd": systemd, "ssh": ssh, "grace": "1s"}
    demo = Demo(folder, places, killstart, ["--ssh-config", str(hosts[0].config)])
    demo.release("1.0", *marks)
    return demo.up()


def active(host: SystemdHost) -> list[str]:
    """Return the units of the service that run, or try to."""
    listed = host.do("systemctl list-units --plain --no-legend --state=active,activating,deactivating 'demo@*.service'")
    return [line.split()[0] for line in listed.splitlines()]


def by_hand(host: SystemdHost, version: str) -> None:
    """Put a release on a host by hand."""
    host.put(f"/srv/demo/{version}/service.pl", SERVICE.read_text())
    host.put(f"/srv/demo/{version}/version", f"{version}\n")
