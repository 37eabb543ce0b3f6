"""Hosts with systemd: a template unit runs the releases, and the gate kills and starts them over ssh."""

import time
from pathlib import Path

import pytest

from .demo import Demo, Place
from .systemd_hosts import PORT, SystemdHost

pytestmark = pytest.mark.needs("dockerd", "docker", "mmdebstrap", "ssh", "rsync")
Hosts = tuple[SystemdHost, ...]


@pytest.fixture
def demo(unit_hosts: Hosts, tmp_path: Path) -> Demo:
    """The service, at 1.0 on every host."""
    places = [Place(host.name, host.address, PORT) for host in unit_hosts]
    killstart = {"root": "/srv/demo", "systemd": {"unit": "demo@{version}.service"}, "ssh": {"user": "root"}}
    return Demo(tmp_path, places, killstart, ["--ssh-config", str(unit_hosts[0].config)]).up()


def test_a_version_goes_through_units_to_every_host_and_the_way_back_does_too(demo: Demo, unit_hosts: Hosts) -> None:
    before = demo.said()
    assert demo.deploy("2.0").end == (0, "deployed")
    assert demo.versions() == demo.all_at("2.0")
    assert [active(host) for host in unit_hosts] == [["demo@2.0.service"]] * len(unit_hosts)
    assert demo.rollback().end == (0, "rolled_back")
    assert demo.versions() == demo.all_at("1.0")
    assert [active(host) for host in unit_hosts] == [["demo@1.0.service"]] * len(unit_hosts)
    after = demo.said()
    assert not [name for name in before if before[name] == after[name]]  # other processes, not the ones from before


def test_a_version_that_is_ill_is_stopped_for_good_on_the_host_that_had_it(demo: Demo, unit_hosts: Hosts) -> None:
    demo.release("2.0", ill=True)
    before = demo.said()
    told = demo.deploy("2.0")
    assert told.end == (6, "rolled_back")
    time.sleep(1)  # ten times as long as the unit waits before it restarts
    after = demo.said()
    assert demo.versions() == demo.all_at("1.0")
    assert [active(host) for host in unit_hosts] == [["demo@1.0.service"]] * len(unit_hosts)
    assert [name for name in before if before[name] != after[name]] == ["p-1"]


def test_a_unit_that_is_not_there_is_found_out_before_anything_is_changed(demo: Demo, unit_hosts: Hosts) -> None:
    before = demo.said()
    unit_hosts[2].do("rm /etc/systemd/system/demo@.service && systemctl daemon-reload")
    told = demo.deploy("2.0")
    assert told.end == (4, "refused")
    assert "demo@2.0.service" in str(told.data["reasons"]) + told.why
    assert demo.said() == before


def active(host: SystemdHost) -> list[str]:
    """Return the units of the service that run, or try to."""
    listed = host.do("systemctl list-units --plain --no-legend --state=active,activating,deactivating 'demo@*.service'")
    return [line.split()[0] for line in listed.splitlines()]
