"""Hosts with systemd: a template unit runs the releases, and the gate kills and starts them over ssh."""

import time
from pathlib import Path

import pytest

from e2e.asked import ask, until
from e2e.systemd_hosts import SystemdHost, write_ssh_config

pytestmark = [
    pytest.mark.needs("dockerd", "docker", "mmdebstrap", "ssh", "rsync"),
    pytest.mark.xdist_group("systemd"),
]
Hosts = tuple[SystemdHost, ...]
PORT = 8080
SERVICE = (Path(__file__).parent / "service.pl").read_text()
UNIT = f"""
[Unit]
Description=Demo %i

[Service]
WorkingDirectory=/srv/demo/%i
ExecStart=/usr/bin/perl service.pl 0.0.0.0 {PORT}
Restart=always
RestartSec=100ms
"""


@pytest.fixture
def hosts(two_systemd_hosts: Hosts) -> Hosts:
    """Two hosts that have the unit, and nothing that runs, nor any release."""
    for host in two_systemd_hosts:
        host.do("systemctl stop 'demo@*.service'; systemctl reset-failed; rm -rf /srv/demo")
        host.put("/etc/systemd/system/demo@.service", UNIT)
        host.do("systemctl daemon-reload")
    return two_systemd_hosts


def test_a_host_is_accepted_with_its_own_key_and_with_no_other(hosts: Hosts, tmp_path: Path) -> None:
    one, other = hosts
    assert one.do("hostname") == one.name
    mine = one.config.with_name("key")
    write_ssh_config((one,), mine, tmp_path / "ssh_config", {one.name: other.key})
    refused = one.run("hostname", config=tmp_path / "ssh_config")
    assert refused.code == 255
    assert "Host key verification failed" in refused.err


def test_there_is_no_python_on_a_host(hosts: Hosts) -> None:
    assert hosts[0].do("ls /usr/bin /usr/local/bin | grep -c python; true") == "0"


def test_a_unit_that_is_killed_comes_back_and_one_that_is_stopped_does_not(hosts: Hosts) -> None:
    host = hosts[0]
    release(host, "1.0")
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


def release(host: SystemdHost, version: str) -> None:
    """Put a release on a host by hand."""
    host.put(f"/srv/demo/{version}/service.pl", SERVICE)
    host.put(f"/srv/demo/{version}/version", f"{version}\n")
