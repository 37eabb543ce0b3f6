"""What a user gives the gate beside the inventory: the files of ssh, each as a path or as the text itself."""

from dataclasses import dataclass
from pathlib import Path

from deploygate.adapters.shells import SshInputs, ssh_inputs
from deploygate.errors import GateError


@dataclass(frozen=True, slots=True, repr=False)
class SshGiven:
    """The options of ssh as they were given; they may be secrets, and are never shown."""

    known_hosts: str | None = None
    key: str | None = None
    config: str | None = None

    def inputs(self) -> SshInputs:
        """Return them as files.

        Raises:
            GateError: One is neither a file nor a text.
        """
        try:
            return ssh_inputs(self.known_hosts, self.key, self.config)
        except ValueError as error:
            raise GateError(str(error), help="Give the path of a file that can be read, or its whole text.") from None

    def exported(self) -> dict[str, str]:
        """Return them as the environment of another run, whose folder may be another one."""
        given = {"KNOWN_HOSTS": self.known_hosts, "KEY": self.key, "CONFIG": self.config}
        return {f"DEPLOYGATE_SSH_{name}": _absolute(value) for name, value in given.items() if value}


def _absolute(value: str) -> str:
    try:
        path = Path(value).expanduser()
        return str(path.absolute()) if path.is_file() else value
    except (OSError, ValueError, RuntimeError):  # too long for a path, or with a NUL: a text
        return value
