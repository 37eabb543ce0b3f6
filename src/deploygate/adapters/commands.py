"""Commands of the inventory, filled in: an argument vector word by word, a script through its environment."""

import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path, PurePath

from deploygate.inventory import Instance, Service
from deploygate.names import Version
from deploygate.ways import Argv, Command

_PLACE = re.compile(r"\{(service|instance|environment|version|unit-version|release|root|address|host|port|machine)\}")
# What systemd.unit(5) does not allow in a unit's name is escaped as it says, but for the dash: systemd-escape takes
# care of that because its dash is a slash. No version has a slash, and `ads@1.0-rc1` is what people type; %i is then
# the version itself.
_NOT_IN_A_UNIT = re.compile(rb"[^A-Za-z0-9:_.-]")
# The gate's own, and no business of a service.
_PRIVATE = ("ACTIONS_", "DEPLOYGATE_SSH_", "GITHUB_", "INPUT_", "RUNNER_", "STATE_")


def values(service: Service, instance: Instance, version: Version | None, root: PurePath | None) -> dict[str, str]:
    """Return what a command may use: as `{name}` in a word, as `DEPLOYGATE_NAME` in the environment.

    What is not known (no version, no root) is empty.
    """
    return {
        "service": service.name,
        "instance": instance.name,
        "environment": instance.environment,
        "version": version or "",
        "unit-version": _in_a_unit(version or ""),
        "release": str(root / version) if root and version else "",
        "root": str(root) if root else "",
        "address": instance.address,
        "host": instance.host,
        "port": str(instance.port),
        "machine": instance.machine,
    }


def _in_a_unit(text: str) -> str:
    return _NOT_IN_A_UNIT.sub(lambda match: b"\\x%02x" % match[0][0], text.encode()).decode()


def exported(filled: Mapping[str, str]) -> dict[str, str]:
    """Return the values as they are named in an environment."""
    return {f"DEPLOYGATE_{name.upper()}": value for name, value in filled.items() if "-" not in name}


def environment(filled: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a command: the gate's, without what is private to it, and the values."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(_PRIVATE)}
    return inherited | exported(filled)


def argv(command: Command, filled: Mapping[str, str]) -> list[str]:
    """Return the argument vector of a command; nothing that is filled in is ever read by a shell."""
    if isinstance(command, Argv):
        return [_PLACE.sub(lambda match: filled[match[1]], word) for word in command.words]
    return ["/bin/sh", "-c", command.text]


def not_executable(words: list[str], release: Path) -> str:
    """Say why a command can't be run from a release, or nothing."""
    program = words[0]
    if "/" in program:
        path = release / program
        if not path.is_file():
            return f"{program} is not in the release"
        return "" if os.access(path, os.X_OK) else f"{program} is not executable"
    return "" if shutil.which(program) else f"{program} is not on the PATH"
