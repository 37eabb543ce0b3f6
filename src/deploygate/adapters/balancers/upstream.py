"""The file with one upstream that nginx includes: written by deploygate, read back, and never taken from others."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from deploygate.inventory import Instance
from deploygate.names import InstanceName
from deploygate.wording import quoted

HEADER = "# written by deploygate"
_SERVER = re.compile(r"\s*server\s+(\S+?)(\s+down)?\s*;\s*")
_FRAME = re.compile(r"\s*(upstream\s+\S+\s*\{|\}|#.*)?\s*")
_NAME = re.compile(r"[A-Za-z0-9_.:-]{1,128}")
_ADDRESS = re.compile(r"([A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\]):[0-9]{1,5}")


class UpstreamError(Exception):
    """Why a file can't be read or written, in one line."""


@dataclass(frozen=True, slots=True)
class Upstream:
    """Which instances an nginx sends requests to: those that its file has, and not as `down`."""

    serving: frozenset[InstanceName]

    def without(self, names: Sequence[InstanceName]) -> "Upstream":
        """Return it with instances out."""
        return Upstream(self.serving - set(names))

    def having(self, names: Sequence[InstanceName]) -> "Upstream":
        """Return it with instances in."""
        return Upstream(self.serving | set(names))


def read(text: str, instances: Sequence[Instance]) -> Upstream:
    """Return what a file says of instances; one that it does not have is sent nothing.

    Raises:
        UpstreamError: Somebody else wrote it, or something into it, which writing would lose.
    """
    first, _, rest = text.partition("\n")
    if not first.startswith(HEADER):
        raise UpstreamError(f"was not written by deploygate: its first line would be {quoted(HEADER)}")
    serving = set()
    for line in rest.splitlines():
        if match := _SERVER.fullmatch(line):
            serving |= set() if match[2] else {match[1]}
        elif not _FRAME.fullmatch(line):
            raise UpstreamError(f"has a line that deploygate did not write, and would lose: {quoted(line.strip())}")
    return Upstream(frozenset(one.name for one in instances if _address(one) in serving))


def written(name: str, upstream: Upstream, instances: Sequence[Instance]) -> str:
    """Return the file: the same bytes for the same instances and states, in the inventory's order.

    Raises:
        UpstreamError: A name or an address is none that nginx could read as one word.
    """
    if not _NAME.fullmatch(name):
        raise UpstreamError(f"{quoted(name)} can't be the name of an upstream")
    lines = [f"    server {_address(one)}{'' if one.name in upstream.serving else ' down'};\n" for one in instances]
    return f"{HEADER}; a server that is out says down\nupstream {name} {{\n{''.join(lines)}}}\n"


def _address(one: Instance) -> str:
    host = f"[{one.host}]" if ":" in one.host else one.host
    address = f"{host}:{one.port}"
    if not _ADDRESS.fullmatch(address):
        raise UpstreamError(f"{quoted(address)} of {one.name} can't be a server's address in nginx")
    return address
