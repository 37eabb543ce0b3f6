"""What a user gives the gate beside the inventory: the files of ssh, each as a path or as the text itself."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from deploygate.errors import GateError

if TYPE_CHECKING:
    from deploygate.adapters.shells import SshInputs


@dataclass(frozen=True, slots=True, repr=False)
class SshGiven:
    """The options of ssh as they were given; they may be secrets, and are never shown.

    `in_words` says that the key stands on the command line, where other users can read it: a path may, a text not.
    """

    known_hosts: str | None = None
    key: str | None = None
    config: str | None = None
    in_words: bool = False

    def inputs(self) -> "SshInputs":
        """Return them as files.

        Raises:
            GateError: One is neither a file nor a text, or the key itself stands on the command line.
        """
        from deploygate.adapters.shells import ssh_inputs  # noqa: PLC0415 - most verbs need no ssh, and it costs start-up

        if self.in_words and self.key and "\n" in self.key.strip():
            raise GateError(
                "--ssh-key has the text of a key, which every user of this machine can read on a command line",
                help="Put the text into DEPLOYGATE_SSH_KEY, or give the path of a file.",
            )
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
