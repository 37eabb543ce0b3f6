"""The journal on disk: a file a run, a JSON line for each thing before and after it is done, never rewritten."""

import os
import socket
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from io import FileIO
from itertools import islice
from pathlib import Path

import msgspec

from deploygate.adapters.identity import identity, lives
from deploygate.endings import Ending
from deploygate.errors import GateError
from deploygate.events import Action, Event, Look, Seen
from deploygate.names import InstanceName, RunId, ServiceName
from deploygate.past import Beginning, End, Run, remembered
from deploygate.plan import Plan
from deploygate.probe import Sighting
from deploygate.rollout import Impossible

SCHEMA = 1


class Doing(msgspec.Struct, frozen=True, tag_field="kind", tag="doing"):
    """An action that is about to be done."""

    at: str
    action: Action


class Done(msgspec.Struct, frozen=True, tag_field="kind", tag="done"):
    """What came of the action."""

    at: str
    event: Event


Line = Beginning | Doing | Done | End

_decode = msgspec.json.Decoder(Line).decode
_encode = msgspec.json.Encoder().encode
_LOOKS = (b'{"kind":"doing"', b'{"kind":"done"')
_END = b'{"kind":"end"'


class FileJournal:
    """A `Journal` under `folder/<service>/<run>.jsonl`. What changes the fleet is on the disk before it is done."""

    def __init__(self, folder: Path, run: RunId, actor: str) -> None:
        self._folder = folder
        self._run = run
        self._actor = actor
        self._file: FileIO | None = None
        self._lost: OSError | None = None

    def begin(self, plan: Plan, baseline: tuple[Sighting, ...]) -> None:
        """Open the run's file with its plan.

        Raises:
            GateError: It can't be written; what can't be written down is not done.
        """
        path = self._folder / plan.service / f"{self._run}.jsonl"
        process = identity(os.getpid()) or ""
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            at = _after_all(path.parent)
            begun = Beginning(SCHEMA, self._run, at, self._actor, socket.gethostname(), process, plan, baseline)
            self._file = FileIO(path, "a")
            self._write(begun, surely=True)
        except OSError as error:
            raise GateError(
                f"the journal {path} can't be written: {error.strerror}; nothing was touched",
                help="Make the folder writable, or name another: --state.",
                ending=Ending.REFUSED,
            ) from error

    def before(self, action: Action) -> None:
        """Write an action; on the disk at once unless it only looks."""
        self._write(Doing(_now(), action), surely=not isinstance(action, Look))

    def after(self, event: Event) -> None:
        """Write an event; on the disk at once unless it is only what was seen."""
        self._write(Done(_now(), event), surely=not isinstance(event, Seen))

    def end(self, ending: Ending, cause: str, *, bad: bool, debts: tuple[InstanceName, ...]) -> None:
        """Write the ending and close the file."""
        self._write(End(_now(), ending, cause, bad, debts), surely=True)
        if self._file is not None:
            self._file.close()
            self._file = None

    def past(self, service: ServiceName) -> tuple[Run, ...]:
        """Return the earlier runs of a service.

        Raises:
            GateError: A journal can't be read; what it would have said is not guessed.
        """
        files = (self._folder / service).glob("*.jsonl")
        runs = (_recall(path) for path in files if path.stem != self._run)
        return tuple(sorted((run for run in runs if run is not None), key=lambda run: (run.at, run.run)))

    def ended(self, service: ServiceName, run: RunId) -> bool:
        """Tell whether a run is on record, and with an ending."""
        try:
            _, last = _whole(self._folder / service / f"{run}.jsonl")
        except OSError:
            return False
        return last.startswith(_END)

    def _write(self, line: Line, *, surely: bool) -> None:
        """Append a line; after one that was not written whole there is no other, or it would read as one."""
        if self._lost:
            raise self._lost
        if self._file is None:
            return
        rest = memoryview(_encode(line) + b"\n")
        try:
            while rest:
                rest = rest[self._file.write(rest) :]
            if surely:
                os.fsync(self._file.fileno())
        except OSError as error:
            self._lost = error
            raise


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def _after_all(folder: Path) -> str:
    """Return the time, or where a clock was set back since, the moment after the last run began: it is their order."""
    begun = [_now()]
    for path in folder.glob("*.jsonl"):
        with path.open("rb") as file, suppress(ValueError):  # one that can't be read stops the run elsewhere
            first = _decode(file.readline())
            if isinstance(first, Beginning):
                later = datetime.fromisoformat(first.at) + timedelta(milliseconds=1)
                begun.append(later.isoformat(timespec="milliseconds"))
    return max(begun)


def _recall(path: Path) -> Run | None:
    """Return the run that a file tells of; an ended one without what was seen on the way, a cut-off one in full."""
    count, ending = _whole(path)
    if not count:
        return None
    over = ending.startswith(_END)
    lines = list(_lines(path, count, skip_looks=over))
    first, last = lines[0], lines[-1]
    if not isinstance(first, Beginning) or first.schema != SCHEMA:
        raise GateError(
            f"{path} is not a journal of schema {SCHEMA}",
            help="Move it away, or use the deploygate that wrote it.",
            ending=Ending.REFUSED,
        )
    alive = not over and first.host == socket.gethostname() and lives(first.process)
    end = last if isinstance(last, End) else None
    actions = (line.action for line in lines if isinstance(line, Doing))
    events = (line.event for line in lines if isinstance(line, Done))
    try:
        return remembered(first, actions, events, end, alive=alive)
    except (Impossible, KeyError) as error:
        raise GateError(
            f"{path} tells of a run that is not possible: {error}",
            help="The journal is what a rollback goes by. Move the file away, and name the version: --to VERSION.",
            ending=Ending.REFUSED,
        ) from error


def _whole(path: Path) -> tuple[int, bytes]:
    """Return how many lines a file has, and the last; what a killed run did not finish writing was not written.

    One line after the other: most of a file is what was seen, and a large fleet's is not to be held in memory.
    """
    count, last = 0, b""
    with path.open("rb") as file:
        for line in file:
            if line.endswith(b"\n"):
                count, last = count + 1, line
    return count, last


def _lines(path: Path, count: int, *, skip_looks: bool) -> Iterator[Line]:
    with path.open("rb") as file:
        for number, line in enumerate(islice(file, count), start=1):
            if skip_looks and line.startswith(_LOOKS) and (b'"type":"Look"' in line or b'"type":"Seen"' in line):
                continue
            try:
                yield _decode(line)
            except ValueError as error:  # malformed, not a line of a journal, or not UTF-8
                raise GateError(
                    f"{path}, line {number}, can't be read: {error}",
                    help="The journal is what a rollback goes by. Mend the line, or move the file away.",
                    ending=Ending.REFUSED,
                ) from error
