"""What ssh says when it fails: the line that explains it best, and whether it is worth another try."""

import re

from deploygate.wording import plain

_TOLD = (  # what explains a failure best comes first
    re.compile(r"Permissions \d+ for .* are too open.*"),
    re.compile(r"Load key .*: (?!Permission denied).*"),
    re.compile(r"Bad (?:configuration option|owner or permissions).*"),
    re.compile(r"(?:Could not resolve hostname|connect to host) .*"),
    re.compile(r".*(?:administratively prohibited|open failed|stdio forwarding failed).*"),
    re.compile(r".*Permission denied.*"),
    re.compile(r"(?:kex_exchange_identification|ssh_exchange_identification|Connection (?:closed|reset|to)).*"),
)
_DROPPED = ("kex_exchange_identification", "ssh_exchange_identification", "Connection closed by", "Connection reset by")
_DECIDED = ("forwarding failed", "open failed", "Host key verification failed", "Permission denied")
_UNKNOWN = re.compile(r"No (\S+) host key is known for (\S+)")


def told(stderr: str) -> str:
    """Return the one line that says best why ssh failed."""
    lines = [line.strip() for line in stderr.replace("\r", "").split("\n") if line.strip()]
    if any("REMOTE HOST IDENTIFICATION HAS CHANGED" in line for line in lines):
        return "host key verification failed: its key is not the one in known_hosts; find out why before you change it"
    if any("Host key verification failed" in line or "host key is known" in line for line in lines):
        known = next((match for line in lines if (match := _UNKNOWN.search(line))), None)
        key = f"no {known[1]} key of {known[2]} is known" if known else "its key is not known"
        return f"host key verification failed: {key}, add it to known_hosts"
    for pattern in _TOLD:
        for line in lines:
            found = pattern.search(line)
            if found:
                return plain(_short(found[0]))
    return plain(lines[-1]) if lines else ""


def dropped(stderr: str) -> bool:
    """Tell whether the server hung up before it looked at who calls, as one does that is asked by too many."""
    return any(one in stderr for one in _DROPPED) and not any(one in stderr for one in _DECIDED)


def _short(line: str) -> str:
    match = re.fullmatch(r"connect to host (\S+) port (\d+): (.*)", line)
    return f"{match[3]} (port {match[2]})" if match else line
