"""What ssh is given: host keys, a key and a configuration, each as a file or as its text; and an agent's socket."""

import re
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

_TEXT = re.compile(r"[\r\n]|-----BEGIN |\S\s+(ssh|ecdsa|sk)-\S+\s|^\s*(Host|Match|Include)\s", re.IGNORECASE)
_SAFE = re.compile(r"[A-Za-z0-9/._+-]{1,60}")  # what ssh's configuration and its sockets take as it is


@dataclass(frozen=True, slots=True)
class SshInputs:
    """Files for ssh; what is None is as ssh finds it by itself. `made` is a folder to remove in the end."""

    known_hosts: Path | None = None
    key: Path | None = None
    config: Path | None = None
    agent: Path | None = None
    made: Path | None = None

    def remove(self) -> None:
        """Remove the files that were made from texts."""
        if self.made is not None:
            shutil.rmtree(self.made, ignore_errors=True)


def ssh_inputs(known_hosts: str | None, key: str | None, config: str | None, agent: str | None = None) -> SshInputs:
    """Return inputs from values that are each a path, or the text itself; texts become private files.

    Raises:
        ValueError: A value is neither, or the agent's is no socket; what may be a secret is not in what is said.
    """
    socket = _socket(agent) if agent and agent.strip() else None
    given = {"known_hosts": known_hosts, "key": key, "config": config}
    made: Path | None = None
    files: dict[str, Path] = {}
    for name, value in given.items():
        if not value or not value.strip():
            continue
        path = _file(value)
        if path is None:
            if not _TEXT.search(value):
                if made is not None:
                    shutil.rmtree(made, ignore_errors=True)
                option = f"--ssh-{name.replace('_', '-')}"
                raise ValueError(f"{option} is neither a file that is there nor the text of one")
            made = made or private_folder()
            path = made / name
            path.touch(0o600)
            text = value.replace("\r\n", "\n").replace("\r", "\n")
            path.write_text(text if text.endswith("\n") else f"{text}\n", encoding="utf-8")
        files[name] = path
    return SshInputs(**files, agent=socket, made=made)


def private_folder() -> Path:
    """Return a new folder of this user alone, with a path that is short and plain enough for ssh."""
    place = tempfile.gettempdir()
    where = place if _SAFE.fullmatch(place) else "/tmp"  # noqa: S108 - mkdtemp makes it safe
    return Path(tempfile.mkdtemp(prefix="dg-", dir=where))


def _socket(value: str) -> Path:
    path = Path(value.strip()).expanduser()
    if "\0" in value or not path.is_socket():
        raise ValueError("--ssh-agent is no socket of an agent that is there")
    return path.absolute()


def _file(value: str) -> Path | None:
    try:
        path = Path(value).expanduser()
        return path.absolute() if path.is_file() else None
    except (OSError, ValueError, RuntimeError):  # too long for a path, or with a NUL: a text
        return None
