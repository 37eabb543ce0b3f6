"""How the system's OpenSSH client is called: its configuration, its words, and what it says when it fails."""

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from functools import cache
from itertools import count
from pathlib import Path

from deploygate.adapters.shells.inputs import SshInputs, private_folder
from deploygate.adapters.shells.jumps import Jump, Jumps
from deploygate.ways import Ssh
from deploygate.wording import plain

# The first value of a setting wins, so these hold whatever the user's own configuration says below them.
_STRICT = """\
BatchMode yes
StrictHostKeyChecking yes
VerifyHostKeyDNS no
NoHostAuthenticationForLocalhost no
UpdateHostKeys no
PasswordAuthentication no
ConnectTimeout 10
ConnectionAttempts 1
ServerAliveInterval 5
ServerAliveCountMax 3
ControlMaster no
ControlPath none
ControlPersist no
RequestTTY no
RemoteCommand none
PermitLocalCommand no
ForwardAgent no
ForwardX11 no
ClearAllForwardings yes
LogLevel ERROR
"""
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._:-]{0,251}[A-Za-z0-9])?")
_USER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,62}")
_PORT = re.compile(r"[1-9][0-9]{0,4}")
_BRACKETED = re.compile(r"\[([0-9A-Fa-f:.]+)\](?::([0-9]+))?")
_PLAIN = re.compile(r"[A-Za-z0-9/._+=,@:-]+")


class Client:
    """Calls of ssh that share one connection a host, under settings that nothing switches off."""

    def __init__(self, inputs: SshInputs, environment: Mapping[str, str] | None = None) -> None:
        self.folder = private_folder()
        self._config = self.folder / "config"
        self._config.touch(0o600)
        self._config.write_text("".join(self._settings(inputs)), encoding="utf-8")
        self._ssh = ["ssh", "-F", str(self._config)]
        self._jumps = Jumps(self._ssh, self.folder, environment)
        self._sockets: dict[tuple[str, Ssh], Path] = {}
        self._numbers = count()

    def opening(self, host: str, ssh: Ssh, limit: float, *, anew: bool = True) -> list[str]:
        """Return the call that reaches a host, the command for it still to come; others may share its connection.

        With `anew` it is a connection of its own, even while an earlier one is on its way out.

        Raises:
            ValueError: A name could be taken for something else.
            LostError: The host on the way can't be reached, or not within `limit` seconds.
        """
        if anew:
            self._sockets.pop((host, ssh), None)
        way, words = [], self.options(host, ssh)
        if ssh.jump is not None:
            way = self._jumps.through(jump_of(ssh.jump), limit)
        return [*self._ssh, *way, *words[len(self._ssh) :], "-o", "ControlMaster=auto", "--", host]

    def options(self, host: str, ssh: Ssh) -> list[str]:
        """Return the call that goes over the open connection to a host, without the host.

        Raises:
            ValueError: A name could be taken for something else.
        """
        _must(_HOST, host, "host")
        words = [*self._ssh, "-T", "-S", str(self._socket(host, ssh))]
        if ssh.user is not None:
            words += ["-l", _must(_USER, ssh.user, "user")]
        if ssh.port is not None:
            words += ["-p", str(int(ssh.port))]
        if ssh.jump is not None:
            jump_of(ssh.jump)
            words += [
                "-o",
                "ProxyCommand=false",
            ]  # unless another comes before it: never past that host
        return words

    def _socket(self, host: str, ssh: Ssh) -> Path:
        """Return where the connection to a host is found: each way to one has its own, as %C would not have."""
        return self._sockets.setdefault((host, ssh), self.folder / f"host-{next(self._numbers)}")

    def remove(self) -> None:
        """End the connections to hosts on the way, and remove the configuration and the sockets."""
        self._jumps.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _settings(self, inputs: SshInputs) -> list[str]:
        lines = [_STRICT]
        if inputs.known_hosts is not None:
            named = self._named(inputs.known_hosts, "known_hosts")
            lines.append(f"UserKnownHostsFile {named}\nGlobalKnownHostsFile none\n{_no_command()}")
        if inputs.key is not None:
            lines.append(f"IdentityFile {self._named(inputs.key, 'key')}\nIdentitiesOnly yes\n")
        if inputs.agent is not None:
            lines.append(f"IdentityAgent {self._named(inputs.agent, 'agent')}\n")
        if inputs.config is not None:
            lines.append(f"Include {self._named(inputs.config, 'included')}\n")
        else:
            lines.append("Include ~/.ssh/config\n")
        lines.append("Match all\nInclude /etc/ssh/ssh_config\n")
        return lines

    def _named(self, path: Path, name: str) -> Path:
        """Return a path that ssh's configuration takes as it is; an odd one gets a plain second name."""
        if _PLAIN.fullmatch(str(path)):
            return path
        link = self.folder / name
        link.symlink_to(path)
        return link


def found_by_path() -> dict[str, str]:
    """Return the environment of a program that only has to be found, to say of which version it is."""
    return {"PATH": os.environ.get("PATH", os.defpath)}


@cache
def _no_command() -> str:
    """Return the setting that keeps a user's own program from naming keys, where this ssh knows of such (8.5)."""
    setting = "KnownHostsCommand none\n"
    words = ["ssh", "-F", "none", "-G", "-o", setting.strip(), "localhost"]
    try:
        asked = subprocess.run(
            words, stdin=subprocess.DEVNULL, capture_output=True, check=False, env=found_by_path(), timeout=10
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return "" if asked.returncode else setting


def jump_of(text: str) -> Jump:
    """Return a host on the way, as `user@host:port`, of which user and port may be left out.

    Raises:
        ValueError: It could be taken for something else.
    """
    user, at, rest = text.rpartition("@")
    bracketed = _BRACKETED.fullmatch(rest)
    host, colon, port = rest.rpartition(":") if rest.count(":") == 1 else (rest, "", "")
    if bracketed:
        host, port = bracketed[1], bracketed[2] or ""
    words = ["-l", _must(_USER, user, "user")] if at else []
    if colon or port:
        words += ["-p", _must(_PORT, port, "jump host's port")]
    return Jump(_must(_HOST, host, "jump host"), tuple(words))


def _must(pattern: re.Pattern[str], text: str, what: str) -> str:
    if not pattern.fullmatch(text):
        raise ValueError(f"{plain(repr(text), 80)} can't be the name of a {what}")
    return text
