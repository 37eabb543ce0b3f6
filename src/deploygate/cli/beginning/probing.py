"""What a health check of a compose file says of how a service is asked for its health."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from deploygate.cli.beginning.foreign import Foreign
from deploygate.document import Row, Table
from deploygate.findings import Where

_URL = re.compile(r"https?://[^/\s:'\"]+(?::(?P<port>\d{1,5}))?(?P<path>/[A-Za-z0-9._~/-]*)?")
_DURATION = re.compile(r"(?:\d+(?:\.\d+)?(?:h|ms|us|m|s))+")
_PART = re.compile(r"(\d+(?:\.\d+)?)(h|ms|us|m|s)")
_SECONDS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001, "us": 0.000001}
_LONGEST = 10.0  # seconds: a gate that waits for a deploy asks more often than a supervisor that watches for months
_SHORTEST = 0.1
_MOST = 10  # bad answers in a row


@dataclass(frozen=True, slots=True)
class Asked:
    """How it is asked: `path` is None where that is not over HTTP; `health` is what goes into the inventory."""

    path: str | None = None
    port: int | None = None
    health: Mapping[str, str] = field(default_factory=dict)


def asked(file: Foreign, service: Table) -> Asked:
    """Return what a service's `healthcheck` says."""
    check = file.inner(service, "healthcheck", Table)
    if check is None or check.get("disable") is True:
        return Asked()
    test = check.get("test")
    url = _URL.search(" ".join(str(one) for one in test) if isinstance(test, Row) else str(test))
    if url is None:
        return Asked()
    health = {"path": url["path"] or "/"}
    for key in ("interval", "timeout"):
        if (value := _seconds(file, check, key)) is not None:
            health[key] = f"{round(min(max(value, _SHORTEST), _LONGEST) * 1000)}ms".replace("000ms", "s")
    retries = check.get("retries")
    if isinstance(retries, int) and 0 < retries <= _MOST:
        health["fails"] = str(retries)
    return Asked(health["path"], int(url["port"]) if url["port"] else None, health)


def _seconds(file: Foreign, check: Table, key: str) -> float | None:
    written = file.inner(check, key, str)
    if written is None or "$" in written:
        return None
    if not _DURATION.fullmatch(written):
        file.complain(Where(*check.values_at[key]), f"{key} is not a duration", "Write it as compose has it: 1m30s.")
        return None
    return sum(float(number) * _SECONDS[unit] for number, unit in _PART.findall(written))
