"""What the hosts with systemd are: without this, what the gate does on them would prove little."""

import time
from pathlib import Path

import pytest

from .asked import ask, until
from .demo import SERVICE
from .systemd_hosts import PORT, SystemdHost, write_ssh_config

pytestmark = pytest.mark.needs("dockerd", "docker", "mmdebstrap", "ssh", "rsync")
Hosts = tuple[SystemdHost, ...]


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
    host.put(f"/srv/demo/{version}/service.pl", SERVICE.read_text())
    host.put(f"/srv/demo/{version}/version", f"{version}\n")
