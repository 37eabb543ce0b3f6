"""Where things lie under a service's root, and what was started last on each instance."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec

from deploygate.adapters.files import exclusive, write_whole
from deploygate.names import InstanceName, Version


class Current(msgspec.Struct, frozen=True):
    """What was started last on an instance; `version` is None when it was stopped for good."""

    version: Version | None
    previous: Version | None
    run: str
    at: float
    schema: int = 1


@dataclass(frozen=True, slots=True)
class Layout:
    """`root/<version>/` are the releases, side by side; all else is under `root/.deploygate/`."""

    root: Path

    def release(self, version: Version) -> Path:
        """Return where a release is installed."""
        return self.root / version

    @property
    def staging(self) -> Path:
        """Return where releases are put together before they are moved into place."""
        return self.root / ".deploygate" / "staging"

    def manifest(self, version: Version) -> Path:
        """Return where a release's files and digests are listed."""
        return self.root / ".deploygate" / "releases" / f"{version}.json"

    def instance(self, name: InstanceName) -> Path:
        """Return the folder of one instance's records."""
        return self.root / ".deploygate" / "instances" / name

    def pid_file(self, name: InstanceName) -> Path:
        """Return the file into which a started process writes its own id before it becomes the service."""
        return self.instance(name) / "pid"

    def identity_file(self, name: InstanceName) -> Path:
        """Return the file with the identity of the started process."""
        return self.instance(name) / "identity"

    def log(self, name: InstanceName, version: Version) -> Path:
        """Return the file that takes what the process prints."""
        return self.instance(name) / f"{version}.log"

    def current(self, name: InstanceName) -> Current | None:
        """Return what was started last on an instance, as far as is recorded."""
        try:
            return msgspec.json.decode((self.instance(name) / "current.json").read_bytes(), type=Current)
        except (FileNotFoundError, NotADirectoryError, ValueError):
            return None

    def record(self, name: InstanceName, current: Current) -> None:
        """Write down what is started now: the switch, made in one step; the journal has it on the disk already."""
        write_whole(self.instance(name) / "current.json", msgspec.json.encode(current), surely=False)

    @contextmanager
    def alone(self, name: InstanceName, patience: float) -> Iterator[None]:
        """Keep every other gate off an instance while it is changed.

        Raises:
            TimeoutError: Another gate did not let go within `patience` seconds.
        """
        with exclusive(self.instance(name) / "lock", patience):
            yield
