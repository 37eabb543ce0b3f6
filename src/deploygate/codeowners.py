"""The CODEOWNERS section of an inventory: who is asked to review which file, between two lines of ours.

GitHub's rules: of the lines that match a file the last one wins; all owners of a file stand on that line; a line that
is malformed is passed over; a file of 3 MB is not read at all; capitals in a path count. A pattern can't begin with an
escaped `#`, negate with `!`, or have a range in brackets.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from deploygate.findings import Finding, Severity, Where
from deploygate.inventory import Inventory, Service
from deploygate.names import ServiceName
from deploygate.patterns import matches, pattern, rule_of, writable
from deploygate.wording import count, plain

BEGIN = "# deploygate: begin (`deploygate codeowners` writes these lines, and writes over what is changed by hand)"
END = "# deploygate: end"
LARGEST = 3_000_000  # bytes: GitHub reads files below 3 MB
PLACES = (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS")  # in the order in which GitHub looks


@dataclass(frozen=True, slots=True)
class Entry:
    """One line: a pattern, and who owns what it matches; `services` are those that stand in the file."""

    pattern: str
    owners: tuple[str, ...]
    services: tuple[ServiceName, ...] = ()

    def __str__(self) -> str:
        return " ".join((self.pattern, *(f"@{one}" for one in self.owners)))


def unmapped(inventory: Inventory) -> tuple[Finding, ...]:
    """Return a finding for each owner who is nobody on GitHub."""
    found: dict[str, list[tuple[str, Service]]] = {}
    for service in inventory.services.values():
        for role in ("ops", "dev", "pm"):
            name = getattr(service.owners, role)
            if name not in inventory.people:
                found.setdefault(name, []).append((role, service))
    return tuple(_unmapped(name, some) for name, some in found.items())


def entries(inventory: Inventory, path: str, *, folder: bool) -> tuple[Entry, ...]:
    """Return the lines of an inventory whose file or folder is at `path` in the repository.

    In a folder, what has no line of its own, and a file that is yet to come, is everybody's. A file whose name can't
    be written comes before those that can, since its line matches more than it.
    """
    every = tuple(inventory.services.values())
    if not folder:
        return (_entry(inventory, pattern(path), every),)
    below = "" if path in {"", "."} else pattern(path)
    files: dict[str, list[Service]] = {}
    for service in every:
        files.setdefault(service.where.file.rpartition("/")[2], []).append(service)
    rest = [_entry(inventory, f"{below}/*{ending}", every, everybody=True) for ending in (".yml", ".yaml")]
    own = [(file, _entry(inventory, f"{below}{pattern(file)}", some)) for file, some in files.items()]
    own.sort(key=lambda one: (writable(one[0]), one[0]))
    return (*rest, *(entry for _, entry in own))


def section(lines: Iterable[Entry]) -> str:
    """Return the lines between their markers."""
    return "\n".join((BEGIN, *map(str, lines), END)) + "\n"


def placed(content: bytes, text: str) -> bytes:
    """Return a CODEOWNERS file with the section in it: in its old place, or at the end, where it wins.

    Everything else stays as it is, to the byte; the section ends its lines as the file does.

    Raises:
        ValueError: The markers do not stand as a pair, so nobody can tell what is between them.
    """
    ending = b"\r\n" if b"\r\n" in content else b"\n"
    made = text.encode().replace(b"\n", ending)
    lines = content.splitlines(keepends=True)
    begins, ends = ([number for number, line in enumerate(lines) if _is(line, marker)] for marker in _MARKERS)
    if not begins and not ends:
        gap = b"" if not content or content.endswith(b"\n") else ending
        return content + gap + (ending if content else b"") + made
    if len(begins) != 1 or len(ends) != 1 or ends[0] < begins[0]:
        raise ValueError("its two marker lines do not stand there once each, the first before the last")
    last = lines[ends[0]]
    if not last.endswith((b"\n", b"\r")):
        made = made.removesuffix(ending)
    return b"".join((*lines[: begins[0]], made, *lines[ends[0] + 1 :]))


def shared(lines: Sequence[Entry], inventory: Inventory, where: Where) -> tuple[Finding, ...]:
    """Return a finding for each file whose services have different owners: all of them are asked each time."""
    found = []
    for one in lines:
        asked = {_accounts(inventory, [inventory.services[name]]) for name in one.services}
        if len(asked) > 1:
            found.append(
                Finding(
                    "shared-file",
                    where,
                    f"{one.pattern} has {count(len(one.services), 'service')} with different owners: "
                    f"all {len(one.owners)} are asked for each change of it",
                    "Make the inventory a folder with a file for each service: then each file has its own owners.",
                    Severity.WARNING,
                )
            )
    return tuple(found)


def overridden(content: bytes, paths: Sequence[str], file: str) -> tuple[Finding, ...]:
    """Return a finding for each line after the section that takes files of the inventory from their owners."""
    lines = content.decode(errors="replace").split("\n")
    last = max((number for number, line in enumerate(lines) if line.startswith(END)), default=len(lines))
    found = []
    for number, line in enumerate(lines[last + 1 :], start=last + 2):
        taken = [path for path in paths if (rule := rule_of(line)) and matches(rule, path)]
        if taken:
            more = f" and {count(len(taken) - 1, 'other')}" if len(taken) > 1 else ""
            found.append(
                Finding(
                    "overridden",
                    Where(file, number, 1),
                    f"{plain(line.strip(), 80)} comes after the section, and takes {taken[0]}{more} from the owners",
                    "Move it above the section: of the lines that match a file, the last one wins.",
                    Severity.WARNING,
                )
            )
    return tuple(found)


_MARKERS = (BEGIN.partition(" (")[0], END)


def _unmapped(name: str, some: Sequence[tuple[str, Service]]) -> Finding:
    (role, first), *more = some
    others = f", and {count(len(more), 'other')}" if more else ""
    return Finding(
        "unmapped-owner",
        first.where,
        f"{plain(name, 60)} ({role} of {first.name}{others}) has no account on GitHub",
        "Give the login, or the team as organization/team, under `people`.",
    )


def _entry(inventory: Inventory, rule: str, services: Sequence[Service], *, everybody: bool = False) -> Entry:
    return Entry(rule, _accounts(inventory, services), () if everybody else tuple(one.name for one in services))


def _accounts(inventory: Inventory, services: Iterable[Service]) -> tuple[str, ...]:
    """Return the accounts of the owners of services, each once, in an order that does not depend on the file."""
    names = {name for one in services for name in (one.owners.ops, one.owners.dev, one.owners.pm)}
    found = {account.casefold(): account for name in sorted(names) if (account := inventory.people.get(name))}
    return tuple(found[key] for key in sorted(found))


def _is(line: bytes, marker: str) -> bool:
    start = marker.encode()
    return line.startswith(start) and line[len(start) : len(start) + 1] in {b"", b" ", b"\r", b"\n"}
