"""Reaching hosts: the known key, the user, the port and the way through; and one clear line where that fails."""

import getpass
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from deploygate.adapters.shells import Shells, SshInputs, UnreachableError, pool, ssh_inputs
from deploygate.ways import Ssh

from .sshd import Sshd, missing, sshd

pytestmark = pytest.mark.skipif(bool(missing()), reason=missing())
LIMIT = 20.0


@pytest.fixture
def hosts(tmp_path: Path) -> Iterator[Sshd]:
    made = sshd(tmp_path / "hosts")
    yield made
    made.down()


@pytest.fixture
def shells(hosts: Sshd) -> Iterator[Shells]:
    made = Shells(hosts.inputs)
    yield made
    made.close()


def why(inputs: SshInputs, host: str, ssh: Ssh, limit: float = LIMIT) -> str:
    """Return why a host can't be reached."""
    shells = Shells(inputs)
    try:
        with pytest.raises(UnreachableError) as error:
            shells.run(host, ssh, "echo reached", {}, limit)
        assert shells.failed(host, ssh) == str(error.value)
        return str(error.value)
    finally:
        shells.close()


def connections(hosts: Sshd) -> int:
    """Return how many connections there are: a process of root and, for others, one of the user's for each."""
    return len([one for one in hosts.sessions() if one.ppid() in {daemon.pid for daemon in hosts.daemons}])


def test_many_shells_of_a_host_share_one_connection(hosts: Sshd, shells: Shells) -> None:
    ssh = Ssh(user=getpass.getuser(), port=hosts.port)
    host = hosts.hosts[0]
    with ThreadPoolExecutor(8) as threads:
        work = [threads.submit(shells.run, host, ssh, 'sleep 0.2; echo "$n"', {"n": f"{n}"}, LIMIT) for n in range(8)]
        assert [one.result().out for one in work] == [f"{n}\n" for n in range(8)]
    assert connections(hosts) == 1
    assert shells.opened(hosts.hosts[0], ssh)
    assert not shells.opened(hosts.hosts[1], ssh)


def test_who_was_not_asked_for_longest_is_let_go_of_when_there_are_too_many(
    hosts: Sshd, shells: Shells, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "_HOSTS", 1)
    ssh = Ssh(port=hosts.port)
    for host in hosts.hosts:
        assert shells.run(host, ssh, "echo here", {}, LIMIT).out == "here\n"
    assert [shells.opened(host, ssh) for host in hosts.hosts] == [False, False, True]
    assert shells.run(hosts.hosts[0], ssh, "echo again", {}, LIMIT).out == "again\n"


def test_a_host_behind_another_is_reached_through_it_under_the_same_settings(hosts: Sshd) -> None:
    near, far = hosts.hosts[:2]
    config = hosts.folder / "jump_config"
    config.write_text(
        f"Host near\n  HostName {near}\n  Port {hosts.port}\nHost far\n  HostName {far}\n  Port {hosts.port}\n"
    )
    inputs = replace(hosts.inputs, config=config)
    shells = Shells(inputs)
    try:
        ran = shells.run("far", Ssh(jump="near"), 'echo "$SSH_CONNECTION"', {}, LIMIT)
        assert ran.out.split()[2] == far
    finally:
        shells.close()
    empty = hosts.folder / "nobody"
    empty.touch()
    said = why(replace(inputs, known_hosts=empty), "far", Ssh(jump="near"))
    assert said.startswith("far can't be reached through near: host key verification failed: ")


def behind(hosts: Sshd, jump: str = "") -> SshInputs:
    """Give the hosts the names near, far-1 and far-2; with `jump`, the configuration names the way through one."""
    config = hosts.folder / "behind_config"
    names = zip(("near", "far-1", "far-2"), hosts.hosts, strict=True)
    lines = [f"Host {name}\n  HostName {address}\n  Port {hosts.port}\n" for name, address in names]
    more = f"Host far-*\n  ProxyJump {jump}\n" if jump else ""
    config.write_text(f"KexAlgorithms curve25519-sha256\n{more}{''.join(lines)}")
    return replace(hosts.inputs, config=config)


@pytest.mark.parametrize("named", ["by the inventory", "by the configuration"])
def test_a_host_that_hangs_behind_another_takes_none_with_it_that_goes_the_same_way(hosts: Sshd, named: str) -> None:
    ours = named == "by the inventory"
    shells = Shells(behind(hosts, "" if ours else "near"))
    way = Ssh(jump="near" if ours else None)
    try:
        assert shells.run("far-1", way, "echo here", {}, LIMIT).out == "here\n"  # whose connection came first
        assert shells.run("far-2", way, "echo here", {}, LIMIT).out == "here\n"
        assert connections(hosts) == (3 if ours else 4)
        with ThreadPoolExecutor(2) as threads:
            other = threads.submit(shells.run, "far-2", way, "sleep 2; echo done", {}, LIMIT)
            hung = threads.submit(shells.run, "far-1", way, "sleep 20", {}, 0.5)
            assert "was lost: no answer within" in str(hung.exception(LIMIT))
            assert other.result(LIMIT).out == "done\n"
    finally:
        shells.close()


def test_a_way_through_a_host_that_is_lost_is_opened_again(hosts: Sshd) -> None:
    shells = Shells(behind(hosts))
    try:
        assert shells.run("far-1", Ssh(jump="near"), "echo here", {}, LIMIT).out == "here\n"
        hosts.cut()
        time.sleep(0.5)
        assert shells.run("far-1", Ssh(jump="near"), "echo again", {}, LIMIT).out == "again\n"
        assert shells.run("far-2", Ssh(jump="near"), "echo too", {}, LIMIT).out == "too\n"
    finally:
        shells.close()


GATE = """
import sys, time
from pathlib import Path
from deploygate.adapters.shells import Shells, SshInputs
from deploygate.ways import Ssh
shells = Shells(SshInputs(*map(Path, sys.argv[1:])))
print(shells.run("far-1", Ssh(jump="near"), "echo here", {}, 20.0).out, flush=True)
time.sleep(60)
"""


def test_no_connection_outlives_a_gate_that_is_killed(hosts: Sshd) -> None:
    inputs = behind(hosts)
    words = [sys.executable, "-c", GATE, *map(str, (inputs.known_hosts, inputs.key, inputs.config))]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as gate:
        assert gate.stdout is not None
        assert gate.stdout.readline() == "here\n"
        assert connections(hosts) == 2
        gate.kill()
    end = time.monotonic() + LIMIT
    while connections(hosts):
        assert time.monotonic() < end
        time.sleep(0.05)


def test_a_host_on_the_way_that_hangs_up_on_too_many_is_asked_again(hosts: Sshd, tmp_path: Path) -> None:
    busy = sshd(tmp_path / "busy", 1, options=("MaxStartups 1",))
    try:
        config, known = tmp_path / "config", tmp_path / "known_hosts"
        config.write_text(
            f"KexAlgorithms curve25519-sha256\nHost near\n  HostName {busy.hosts[0]}\n  Port {busy.port}\n"
            f"Host far\n  HostName {hosts.hosts[0]}\n  Port {hosts.port}\n"
        )
        known.write_text("".join((one.folder / "known_hosts").read_text() for one in (busy, hosts)))
        shutil.copy(hosts.folder / "authorized_keys", busy.folder / "authorized_keys")
        end = time.monotonic() + LIMIT
        while (other := socket.create_connection((busy.hosts[0], busy.port))).recv(4) != b"SSH-":
            other.close()
            assert time.monotonic() < end
        leaving = threading.Timer(0.5, other.close)
        leaving.start()
        shells = Shells(SshInputs(known, hosts.folder / "key", config))
        try:
            assert shells.run("far", Ssh(jump="near"), "echo reached", {}, LIMIT).out == "reached\n"
        finally:
            shells.close()
            leaving.join()
    finally:
        busy.down()


def test_a_host_on_the_way_that_refuses_is_named_with_the_one_behind_it(hosts: Sshd) -> None:
    inputs = behind(hosts)
    with socket.socket() as free:
        free.bind((hosts.hosts[0], 0))
        port = free.getsockname()[1]
    config = hosts.folder / "behind_config"
    config.write_text(f"Host near\n  Port {port}\n{config.read_text()}")
    assert why(inputs, "far-1", Ssh(jump="near")) == (
        f"far-1 can't be reached through near: Connection refused (port {port})"
    )


def test_two_names_of_one_host_are_two_connections_and_losing_one_is_losing_one(hosts: Sshd) -> None:
    config = hosts.folder / "alias_config"
    config.write_text(f"Host also\n  HostName {hosts.hosts[0]}\n")
    shells = Shells(replace(hosts.inputs, config=config))
    way = Ssh(port=hosts.port)
    try:
        assert shells.run("also", way, "echo here", {}, LIMIT).out == "here\n"
        with ThreadPoolExecutor(2) as threads:
            other = threads.submit(shells.run, hosts.hosts[0], way, "sleep 2; echo done", {}, LIMIT)
            time.sleep(0.5)
            hung = threads.submit(shells.run, "also", way, "sleep 20", {}, 0.5)
            assert "was lost" in str(hung.exception(LIMIT))
            assert other.result(LIMIT).out == "done\n"
    finally:
        shells.close()


def test_a_host_whose_key_is_not_known_is_never_talked_to(hosts: Sshd) -> None:
    known = hosts.folder / "others"
    known.write_text("elsewhere ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ5dsDZGCYZmLl0DmK7QzDtjfsVvBSzWDDqNLkSBBdqo\n")
    ssh, host = Ssh(port=hosts.port), hosts.hosts[0]
    relaxed = hosts.folder / "relaxed"
    relaxed.write_text("StrictHostKeyChecking no\nUserKnownHostsFile /dev/null\nNoHostAuthenticationForLocalhost yes\n")
    said = why(replace(hosts.inputs, known_hosts=known, config=relaxed), host, ssh)
    assert said == (
        f"{host} can't be reached: host key verification failed: "
        f"no ED25519 key of [{host}]:{hosts.port} is known, add it to known_hosts"
    )


def test_a_host_whose_key_is_another_one_is_never_talked_to(hosts: Sshd) -> None:
    key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ5dsDZGCYZmLl0DmK7QzDtjfsVvBSzWDDqNLkSBBdqo"
    inputs = ssh_inputs(f"[{hosts.hosts[0]}]:{hosts.port} {key}", None, None)
    said = why(replace(inputs, key=hosts.inputs.key), hosts.hosts[0], Ssh(port=hosts.port))
    assert "its key is not the one in known_hosts" in said


def test_a_key_may_be_text_with_or_without_its_last_newline(hosts: Sshd) -> None:
    text = (hosts.folder / "key").read_text().replace("\n", "\r\n").rstrip()
    shells = Shells(ssh_inputs((hosts.folder / "known_hosts").read_text(), text, "Host *\n  Compression no"))
    try:
        assert shells.run(hosts.hosts[0], Ssh(port=hosts.port), "echo reached", {}, LIMIT).out == "reached\n"
    finally:
        shells.close()


@contextmanager
def agent(hosts: Sshd) -> Iterator[Path]:
    """Run an agent that holds the key of these hosts."""
    at = hosts.folder / "an agent"
    with subprocess.Popen(["ssh-agent", "-D", "-a", str(at)], stdout=subprocess.DEVNULL) as running:
        try:
            end = time.monotonic() + LIMIT
            while not at.is_socket():
                assert time.monotonic() < end
                time.sleep(0.01)
            add = ["ssh-add", "-q", str(hosts.folder / "key")]
            subprocess.run(add, env=os.environ | {"SSH_AUTH_SOCK": str(at)}, check=True)
            yield at
        finally:
            running.terminate()


@pytest.mark.parametrize("named", ["any key", "the key"])
def test_an_agent_holds_the_key_and_no_file_does(hosts: Sshd, named: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    monkeypatch.setenv("HOME", str(hosts.folder / "nobody's home"))
    known_hosts, key = str(hosts.folder / "known_hosts"), str(hosts.folder / "key.pub") if named == "the key" else None
    with agent(hosts) as at:
        (hosts.folder / "key").rename(hosts.folder / "away")
        shells = Shells(ssh_inputs(known_hosts, key, None, str(at)))
        try:
            assert shells.run(hosts.hosts[0], Ssh(port=hosts.port), "echo reached", {}, LIMIT).out == "reached\n"
        finally:
            shells.close()
        said = why(
            ssh_inputs(known_hosts, None, "Host *\n  IdentityAgent none\n"), hosts.hosts[0], Ssh(port=hosts.port)
        )
    assert "Permission denied" in said


def test_a_key_that_others_may_read_or_that_is_none_says_so(hosts: Sshd) -> None:
    loose = hosts.folder / "loose"
    loose.write_bytes((hosts.folder / "key").read_bytes())
    loose.chmod(0o644)
    said = why(replace(hosts.inputs, key=loose), hosts.hosts[0], Ssh(port=hosts.port))
    assert said == f"{hosts.hosts[0]} can't be reached: Permissions 0644 for '{loose}' are too open."
    broken = ssh_inputs(None, "-----BEGIN OPENSSH PRIVATE KEY-----\nabc\n-----END OPENSSH PRIVATE KEY-----", None)
    said = why(replace(broken, known_hosts=hosts.inputs.known_hosts), hosts.hosts[0], Ssh(port=hosts.port))
    assert "Load key" in said


def test_a_host_that_refuses_says_so(hosts: Sshd) -> None:
    with socket.socket() as free:
        free.bind((hosts.hosts[0], 0))
        port = free.getsockname()[1]
    assert why(hosts.inputs, hosts.hosts[0], Ssh(port=port)) == (
        f"{hosts.hosts[0]} can't be reached: Connection refused (port {port})"
    )
    said = why(hosts.inputs, hosts.hosts[0], Ssh(user="nobody-at-all", port=hosts.port))
    assert said.startswith(f"{hosts.hosts[0]} can't be reached: nobody-at-all@")
    assert "Permission denied" in said


def test_a_host_that_never_answers_holds_up_nobody_else(hosts: Sshd, shells: Shells) -> None:
    with socket.socket() as silent:
        silent.bind((hosts.hosts[0], 0))
        silent.listen()
        hung = Ssh(port=silent.getsockname()[1])
        with ThreadPoolExecutor(4) as threads:
            waiting = [threads.submit(shells.run, hosts.hosts[0], hung, ":", {}, 2.0) for _ in range(3)]
            assert shells.run(hosts.hosts[1], Ssh(port=hosts.port), "echo here", {}, LIMIT).out == "here\n"
            for one in waiting:
                assert isinstance(one.exception(LIMIT), UnreachableError)
            said = str(waiting[0].exception())
    assert said.startswith(f"{hosts.hosts[0]} can't be reached: no answer within")


def test_a_program_that_takes_too_long_is_one_line_and_is_not_waited_for(hosts: Sshd, shells: Shells) -> None:
    ssh, host = Ssh(port=hosts.port), hosts.hosts[0]
    with pytest.raises(UnreachableError, match=rf"^{host} was lost: no answer within [0-9. ]+m?s$"):
        shells.run(host, ssh, "sleep 3", {}, 0.7)
    assert shells.run(host, ssh, "echo again", {}, LIMIT).out == "again\n"


def test_a_connection_that_breaks_is_one_line_and_the_next_call_connects_again(hosts: Sshd, shells: Shells) -> None:
    ssh, host = Ssh(port=hosts.port), hosts.hosts[0]
    shells.run(host, ssh, ":", {}, LIMIT)
    with ThreadPoolExecutor(1) as threads:
        cut = threads.submit(shells.run, host, ssh, "sleep 10", {}, LIMIT)
        time.sleep(0.2)
        hosts.cut()
        assert str(cut.exception(LIMIT)).startswith(f"{host} was lost: ")
    assert shells.run(host, ssh, "echo again", {}, LIMIT).out == "again\n"
    hosts.cut()
    time.sleep(0.2)
    assert shells.run(host, ssh, "echo and again", {}, LIMIT).out == "and again\n"


def test_a_server_that_hangs_up_on_too_many_is_asked_again(tmp_path: Path) -> None:
    busy = sshd(tmp_path / "busy", 1, options=("MaxStartups 1", "LogLevel DEBUG1"))
    shells = Shells(busy.inputs)
    try:
        end = time.monotonic() + LIMIT
        while (other := socket.create_connection((busy.hosts[0], busy.port))).recv(4) != b"SSH-":
            other.close()  # the test's own look at the door still counts
            assert time.monotonic() < end
        leaving = threading.Timer(0.5, other.close)
        leaving.start()
        ran = shells.run(busy.hosts[0], Ssh(port=busy.port), "echo reached", {}, LIMIT)
        leaving.join()
        assert ran.out == "reached\n"
        assert "drop connection" in (busy.folder / "sshd_0.log").read_text()
    finally:
        shells.close()
        busy.down()
