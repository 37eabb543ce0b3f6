"""Addresses as written and as they are: two spellings of one host and port are one address."""

import re
from functools import lru_cache
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from typing import NamedTuple
from urllib.parse import urlsplit

_USUAL = {"http": 80, "https": 443}
_LAST = 65535
_OCTET = r"(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)"
_IPV4 = re.compile(rf"https?://({_OCTET}(?:[.]{_OCTET}){{3}}):(\d{{1,5}})/?", re.ASCII)  # what most addresses are


class Endpoint(NamedTuple):
    """Where an address leads."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def is_loopback(self) -> bool:
        """Tell whether only this machine itself can mean it."""
        return self.host == "::1" or self.host.startswith("127.")


def _host(written: str) -> str:
    host = written.lower().rstrip(".")
    if host == "localhost":
        return "127.0.0.1"
    if ":" in host:
        return str(IPv6Address(host))
    if host.replace(".", "").isdigit():
        return str(IPv4Address(host))
    return host


def flaw(address: str) -> str | None:
    """Return what is wrong with an address of the right shape, or None."""
    try:
        port = endpoint(address).port
    except AddressValueError:
        return "its host is not an IP address, though it looks like one"
    except ValueError:
        return "its host or port cannot exist; ports go from 1 to 65535"
    return "port 0 cannot be asked" if port == 0 else None


@lru_cache(maxsize=100_000)  # rules ask for the same few thousand addresses again and again
def endpoint(address: str) -> Endpoint:
    """Return where a flawless address leads.

    Raises:
        ValueError: It has a flaw.
    """
    plain = _IPV4.fullmatch(address)
    if plain and int(plain[2]) <= _LAST:
        return Endpoint(plain[1], int(plain[2]))
    parts = urlsplit(address)
    port = parts.port
    return Endpoint(_host(parts.hostname or ""), _USUAL[parts.scheme] if port is None else port)


def tidy(address: str) -> str:
    """Return the address without a slash at its end, so that a path can follow."""
    return address.removesuffix("/")
