"""Where the shops of the scenarios live on this machine, and the permissions that a token may have there."""

import random
from pathlib import Path

from scenarios.fleet import NAMES, Hosts

MAY = {"actions": "write", "contents": "read", "deployments": "write", "pull-requests": "write", "statuses": "write"}


def here(folder: Path, instances: int = len(NAMES)) -> Hosts:
    """Return places of this machine that no other test has."""
    host = f"127.{random.randint(1, 250)}.{random.randint(1, 250)}.{random.randint(1, 250)}"
    first = random.randint(10_000, 29_000)
    return Hosts([(host, first + number) for number in range(instances)], str(folder / "srv"))
