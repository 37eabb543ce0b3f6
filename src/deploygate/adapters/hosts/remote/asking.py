"""The program that hosts run, and how one of its functions is called on one of them."""

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import TypeVar

from deploygate.adapters.commands import argv, exported, values
from deploygate.adapters.shells import Ran, Shells, words
from deploygate.inventory import Instance, Service
from deploygate.names import InstanceName, Version
from deploygate.ways import Command, KillStart, Ssh, killstart
from deploygate.wording import plain, quoted

AT_ONCE = 16  # hosts, or instances, at the same time
_PARTS = ("host.sh", "look.sh", "release.sh", "change.sh")
_REFUSED = 1  # the exit code of a trouble that the program foresaw

One = TypeVar("One")
Result = TypeVar("Result")


class HostError(Exception):
    """Something can't be done on a host; one line that names it."""


@dataclass(frozen=True, slots=True)
class Place:
    """One service's root on one host; `ssh` is None on this machine."""

    host: str
    ssh: Ssh | None
    root: str

    @property
    def called(self) -> str:
        """The host as messages name it."""
        return plain(self.host, 80) if self.ssh else "this machine"

    @property
    def staging(self) -> str:
        """The folder for a release on its way; hosts may share a disk, and each has one of its own."""
        return f"{self.root}/.deploygate/staging-{sha256(self.host.encode()).hexdigest()[:8]}"


@cache
def library() -> str:
    """Return the functions that a host gets."""
    folder = Path(__file__).parent / "program"
    return "".join((folder / part).read_text(encoding="utf-8") for part in _PARTS)


def place(service: Service, instance: Instance, folder: Path) -> Place:
    """Return where an instance lives; relative roots are relative to `folder`, on this machine only.

    Raises:
        HostError: The root can't be one there.
    """
    way = killstart(service.deploy)
    if way.ssh is None:
        return Place("", None, _sound(str((folder / way.root).resolve()), "root folder"))
    if not way.root.startswith("/"):
        raise HostError(f"the root {quoted(way.root)} of {service.name} must begin with / on other machines")
    return Place(instance.machine, way.ssh, _sound(str(PurePosixPath(way.root)), "root folder"))


def folder_name(text: str, what: str) -> str:
    """Return a name that is to be a folder's.

    Raises:
        HostError: It would be another folder, or two lines.
    """
    if text in {"", ".", "..", ".deploygate"} or "/" in text:
        raise HostError(f"{quoted(text)} can't be the name of {what}: it can't be a folder's")
    return _sound(text, what)


def each(items: Iterable[One], work: Callable[[One], Result]) -> list[Result]:
    """Do something with each at the same time, a bounded number at once."""
    listed = list(items)
    if len(listed) < 2:
        return [work(one) for one in listed]
    with ThreadPoolExecutor(min(AT_ONCE, len(listed))) as pool:
        return list(pool.map(work, listed))


class Asker:
    """Calls functions of the program on hosts."""

    def __init__(self, shells: Shells) -> None:
        self.shells = shells

    def call(self, where: Place, function: str, given: Mapping[str, str], limit: float) -> Ran:
        """Call one function, and return what it told.

        Raises:
            HostError: The host said what is wrong, or can't do what it was asked for.
            UnreachableError: It can't be reached, or was lost in the middle.
        """
        known = {
            "root": where.root,
            "called": where.called,
            "staging": where.staging,
            "instance": "",
            "run": "",
            **given,
        }
        try:
            ran = self.shells.run(where.host, where.ssh, function, known, limit, library=library())
        except ValueError as error:
            raise HostError(plain(str(error))) from None
        if ran.code == _REFUSED and ran.out:
            raise HostError(plain(ran.out, 400))
        if ran.code not in {0, 3, 4, 5, 6}:
            why = ran.err.strip().rpartition("\n")[2]
            raise HostError(plain(f"{where.called} could not do what it was asked for ({ran.code}): {why}", 300))
        return ran


def told(service: Service, instance: Instance, where: Place, version: Version | None) -> dict[str, str]:
    """Return the values that commands find in their environment on a host, and the instance's name."""
    filled = values(service, instance, version, PurePosixPath(where.root))
    return exported(filled) | {"instance": folder_name(instance.name, "an instance")}


def commanded(
    command: Command | None, service: Service, instance: Instance, where: Place, version: Version | None
) -> str:
    """Return a command as words for the host, or nothing where there is none."""
    if command is None or version is None:
        return ""
    return words(argv(command, values(service, instance, version, PurePosixPath(where.root))))


def named(service: Service, name: InstanceName) -> Instance:
    """Return an instance by its name."""
    return next(one for one in service.instances if one.name == name)


def hundredths(duration: float) -> str:
    """Return seconds as the program counts them."""
    return str(round(duration * 100))


def way_of(service: Service) -> KillStart:
    """Return how a service is deployed."""
    return killstart(service.deploy)


def _sound(text: str, what: str) -> str:
    if not text.isprintable() and any(ord(char) < 32 or ord(char) == 127 for char in text):
        raise HostError(f"{quoted(text)} can't be a {what}: it has a control character")
    return text
