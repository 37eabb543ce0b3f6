"""What a user gives the gate beside the inventory: the files of ssh, each as a path or as its text, and its agent."""

from dataclasses import dataclass, replace
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
    agent: str | None = None
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
            return ssh_inputs(self.known_hosts, self.key, self.config, self.agent)
        except ValueError as error:
            way_out = "Give the path of a file that can be read, or its whole text; of an agent, its socket's path."
            raise GateError(str(error), help=way_out) from None

    def within(self, temporary: str) -> "SshGiven":
        """Return them with the agent's socket where a container has the runner's temporary folder.

        A workflow knows the folder by the path that it has outside of the container.
        """
        if not self.agent or not temporary or Path(self.agent).exists():
            return self
        inside = Path(temporary) / Path(self.agent).name
        return replace(self, agent=str(inside)) if inside.is_socket() else self

    def exported(self) -> dict[str, str]:
        """Return them as the environment of another run, whose folder may be another one."""
        given = {"KNOWN_HOSTS": self.known_hosts, "KEY": self.key, "CONFIG": self.config, "AGENT": self.agent}
        return {f"DEPLOYGATE_SSH_{name}": _absolute(value) for name, value in given.items() if value}


def _absolute(value: str) -> str:
    try:
        path = Path(value).expanduser()
        return str(path.absolute()) if path.is_file() or path.is_socket() else value
    except (OSError, ValueError, RuntimeError):  # too long for a path, or with a NUL: a text
        return value
