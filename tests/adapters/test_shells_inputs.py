"""What ssh is given may be a path or the text itself, and never shows."""

import re
import shutil
import socket
import subprocess
from pathlib import Path

import pytest

from deploygate.adapters.schemas import schema
from deploygate.adapters.shells import Shells, SshInputs, UnreachableError, ssh_inputs
from deploygate.adapters.shells.client import Client, jump_of
from deploygate.adapters.shells.jumps import Jump
from deploygate.adapters.shells.sayings import dropped, told
from deploygate.ways import Ssh

KEY = "-----BEGIN OPENSSH PRIVATE KEY-----\r\nabc\r\n-----END OPENSSH PRIVATE KEY-----"


def test_a_text_becomes_a_private_file_with_a_last_newline_and_is_gone_in_the_end() -> None:
    inputs = ssh_inputs("web-1 ssh-ed25519 AAAA", KEY, "Host web-1\n  User deploy")
    assert inputs.key is not None
    assert inputs.known_hosts is not None
    assert inputs.config is not None
    assert inputs.key.read_text() == KEY.replace("\r\n", "\n") + "\n"
    assert inputs.key.stat().st_mode & 0o777 == 0o600
    assert inputs.key.parent.stat().st_mode & 0o777 == 0o700
    assert inputs.known_hosts.read_text() == "web-1 ssh-ed25519 AAAA\n"
    Shells(inputs).close()
    assert not inputs.key.exists()


def test_a_path_is_taken_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("x")
    assert ssh_inputs(None, str(tmp_path / "key"), "") == SshInputs(key=tmp_path / "key")


def test_what_is_neither_a_file_nor_a_text_is_refused_without_being_shown() -> None:
    with pytest.raises(ValueError, match=r"^--ssh-key is neither a file that is there nor the text of one$"):
        ssh_inputs(None, "s3cret", None)


@pytest.mark.parametrize(
    "host",
    [
        "-oProxyCommand=touch owned",
        "a b",
        "$(x)",
        "",
        "a\nb",
        "@host",
        "a:b:c d",
        "[::1",
        "me@-oX",
        "-oX@host",
        "host:22:",
    ],
)
def test_a_name_that_ssh_could_take_for_something_else_is_refused(host: str) -> None:
    client = Client(SshInputs())
    try:
        for name, way in ((host, Ssh()), ("web-1", Ssh(jump=host)), ("web-1", Ssh(user=f"{host}@"))):
            with pytest.raises(ValueError, match="can't be the name of"):
                client.opening(name, way, 1.0)
    finally:
        client.remove()


@pytest.mark.parametrize(
    ("text", "jump"),
    [
        ("bastion", Jump("bastion")),
        ("deploy@bastion", Jump("bastion", ("-l", "deploy"))),
        ("deploy@bastion:2222", Jump("bastion", ("-l", "deploy", "-p", "2222"))),
        ("10.0.0.7:22", Jump("10.0.0.7", ("-p", "22"))),
        ("2001:db8::7", Jump("2001:db8::7")),
        ("deploy@[2001:db8::7]:2222", Jump("2001:db8::7", ("-l", "deploy", "-p", "2222"))),
    ],
)
def test_a_host_on_the_way_may_have_a_user_and_a_port(text: str, jump: Jump) -> None:
    assert jump_of(text) == jump
    pattern = schema()["$defs"]["ssh"]["properties"]["jump"]["pattern"]
    assert re.search(pattern, text)


@pytest.mark.parametrize("text", ["host:0", "host:x", "a:b@host", "@host", "[::1]:", "[::1]x", "host:123456", "a@b@c"])
def test_what_is_no_user_host_and_port_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="can't be the name of a"):
        jump_of(text)
    assert not re.search(schema()["$defs"]["ssh"]["properties"]["jump"]["pattern"], text)


def test_our_settings_come_before_those_of_any_other_configuration(tmp_path: Path) -> None:
    other = tmp_path / "odd name %h"
    other.write_text("StrictHostKeyChecking no\n")
    client = Client(SshInputs(known_hosts=other, config=other))
    try:
        words = client.options("web-1", Ssh("deploy", 2222, "bastion"))
        config = Path(words[2]).read_text()
        assert words[3:] == [
            *("-T", "-S", f"{client.folder}/host-0", "-l", "deploy", "-p", "2222"),
            *("-o", "ProxyCommand=false"),  # over the connection that there is, or not at all
        ]
        assert config.index("StrictHostKeyChecking yes") < config.index("Include")
        assert "%h" not in config  # an odd path has a plain second name
    finally:
        client.remove()


@pytest.mark.skipif(shutil.which("ssh") is None, reason="ssh is not installed")
def test_ssh_itself_takes_no_key_but_those_that_are_given_whatever_a_configuration_says(tmp_path: Path) -> None:
    known, other = tmp_path / "known_hosts", tmp_path / "config"
    known.touch()
    other.write_text(
        "Host *\nStrictHostKeyChecking no\nUserKnownHostsFile /dev/null\nGlobalKnownHostsFile /etc/hosts\n"
        "KnownHostsCommand /bin/echo %H\nVerifyHostKeyDNS yes\nNoHostAuthenticationForLocalhost yes\n"
        "UpdateHostKeys yes\nBatchMode no\nForwardAgent yes\n"
    )
    client = Client(SshInputs(known_hosts=known, config=other))
    try:
        words = [*client.options("web-1", Ssh()), "-G", "--", "web-1"]
        done = subprocess.run(words, capture_output=True, text=True, check=True, timeout=20)
    finally:
        client.remove()
    settings = dict(line.partition(" ")[::2] for line in done.stdout.splitlines())
    assert settings["stricthostkeychecking"] in {"true", "yes"}
    assert (settings["userknownhostsfile"], settings["globalknownhostsfile"]) == (str(known), "none")
    assert settings.get("knownhostscommand", "none") == "none"
    assert {settings[one] for one in ("verifyhostkeydns", "updatehostkeys", "forwardagent")} <= {"false", "no"}
    assert settings["nohostauthenticationforlocalhost"] == "no"
    assert settings["batchmode"] == "yes"


@pytest.mark.parametrize(
    ("said", "line"),
    [
        ("ssh: connect to host web-1 port 22: Connection refused\r\n", "Connection refused (port 22)"),
        (
            "No ED25519 host key is known for web-1 and you want it so.\nHost key verification failed.\n",
            "host key verification failed: no ED25519 key of web-1 is known, add it to known_hosts",
        ),
        (
            "@@@\n@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @\n@@@\nHost key verification failed.\n",
            "host key verification failed: its key is not the one in known_hosts; find out why before you change it",
        ),
        (
            "Permissions 0644 for '/k' are too open.\nLoad key: bad\nPermission denied (publickey).",
            "Permissions 0644 for '/k' are too open.",
        ),
        ("deploy@web-1: Permission denied (publickey).\n", "deploy@web-1: Permission denied (publickey)."),
        ("", ""),
    ],
)
def test_what_ssh_says_becomes_the_one_line_that_explains_it(said: str, line: str) -> None:
    assert told(said) == line


def test_only_a_server_that_hangs_up_at_once_is_asked_again() -> None:
    assert dropped("kex_exchange_identification: Connection closed by remote host")
    assert not dropped("open failed: connect failed\nstdio forwarding failed\nkex_exchange_identification: x")
    assert not dropped("Permission denied (publickey).")


def test_a_gate_that_has_let_go_reaches_nobody() -> None:
    shells = Shells(SshInputs())
    shells.close()
    with pytest.raises(UnreachableError, match="let go"):
        shells.run("", None, ":", {}, 5.0)


def test_an_agent_is_a_socket_that_is_there_and_no_other_configuration_names_another(tmp_path: Path) -> None:
    at = tmp_path / "an agent"
    with pytest.raises(ValueError, match=r"^--ssh-agent is no socket of an agent that is there$"):
        ssh_inputs(None, None, None, str(at))
    with socket.socket(socket.AF_UNIX) as agent:
        agent.bind(str(at))
        inputs = ssh_inputs(None, None, "Host *\n  IdentityAgent none\n", str(at))
    client = Client(inputs)
    try:
        config = Path(client.options("web-1", Ssh())[2]).read_text()
        named = config.partition("IdentityAgent ")[2].partition("\n")[0]
        assert Path(named).resolve() == at
        assert config.index("IdentityAgent") < config.index("Include")
    finally:
        client.remove()
        inputs.remove()
