"""The names that everything else is about: services, instances, versions, environments, secrets."""

import re
from typing import NewType

ServiceName = NewType("ServiceName", str)
InstanceName = NewType("InstanceName", str)
Environment = NewType("Environment", str)
Version = NewType("Version", str)
RunId = NewType("RunId", str)

PARALLEL_CHAIN = Environment("parallel-chain")
PRODUCTION = Environment("production")

# As in the inventory's schema; both become names of folders.
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}", re.ASCII)
VERSION = re.compile(r"(?!.*[.][.])[A-Za-z0-9][A-Za-z0-9._+~-]{0,127}", re.ASCII)

_NUMBERS = re.compile(r"[vV]?([0-9]{1,9}(?:[.][0-9]{1,9})*)(?:[-+~_.].*)?")


def numbers(version: Version) -> tuple[int, ...]:
    """Return the numbers that a version begins with, such as (1, 10); none where it is of another kind."""
    found = _NUMBERS.fullmatch(version)
    return tuple(int(one) for one in found[1].split(".")) if found else ()


class Secret:
    """A value that must not be seen: it prints as `***` wherever it is formatted."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the value itself, at the one place where it is used."""
        return self._value

    def __repr__(self) -> str:
        return "***"

    __str__ = __repr__
