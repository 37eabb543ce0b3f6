"""A file, or a folder of partial documents, becomes one document; sizes are looked at before contents."""

import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploygate.adapters.documents.loader import load
from deploygate.document import Document, Table
from deploygate.findings import Finding, Where
from deploygate.wording import quoted

LARGEST = 16 * 1024 * 1024  # bytes, all files together
MERGED = ("people", "services", "chains")  # what several files of a folder may each have a part of

_UNPRINTABLE = re.compile(r"[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_UTF16 = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True, slots=True)
class Read:
    """What came of reading; `document` is None where a file could not be read to its end."""

    document: Document | None
    findings: tuple[Finding, ...]


class _RefusedError(Exception):
    def __init__(self, rule: str, where: Where, says: str, advice: str) -> None:
        super().__init__(says)
        self.finding = Finding(rule, where, says, advice)


def read_document(path: Path) -> Read:
    """Read the file, or all `*.yml` and `*.yaml` files of the folder, at `path`."""
    try:
        files = _files(path)
        _check_size(path, files)
    except _RefusedError as refused:
        return Read(None, (refused.finding,))
    parts: list[Any] = []
    findings: list[Finding] = []
    for file in files:
        root, complaints = _load(file)
        parts.append(root)
        findings += complaints
    if any(root is None for root in parts):
        return Read(None, tuple(findings))
    if files == [path]:
        return Read(Document(parts[0], str(path), str(path.parent)), tuple(findings))
    root, twice = _merge(parts, files)
    return Read(Document(root, str(path), str(path)), (*findings, *twice))


def _files(path: Path) -> list[Path]:
    try:
        if not path.is_dir():
            return [path]
        inside = sorted(one for one in path.iterdir() if one.suffix in {".yml", ".yaml"})
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from error
    files = [one for one in inside if not one.name.startswith(".")]
    if not files:
        raise _RefusedError(
            "empty-folder",
            Where(str(path)),
            "no *.yml or *.yaml file is in this folder",
            "Name the inventory's file, or the folder that its parts are in.",
        )
    return files


def _check_size(path: Path, files: list[Path]) -> None:
    total = 0
    for file in files:
        try:
            found = file.stat()
        except (OSError, ValueError) as error:
            raise _unreadable(file, error) from error
        if not stat.S_ISREG(found.st_mode):
            raise _RefusedError(
                "unreadable-file",
                Where(str(file)),
                "this is not a file",
                "Name the inventory's file, or the folder that its parts are in.",
            )
        total += found.st_size
    if total > LARGEST:
        raise _too_large(path, f"{total / 2**20:,.1f} MiB")


def _unreadable(file: Path, error: OSError | ValueError) -> _RefusedError:
    if isinstance(error, FileNotFoundError):
        return _RefusedError(
            "missing-file",
            Where(str(file)),
            "there is no such file or folder",
            "Name the inventory's file, or the folder that its parts are in.",
        )
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return _RefusedError(
        "unreadable-file",
        Where(str(file)),
        f"cannot be read: {reason}",
        "Look at the path and at the rights of the user that runs the gate.",
    )


def _too_large(path: Path, size: str) -> _RefusedError:
    return _RefusedError(
        "too-large",
        Where(str(path)),
        f"{size} is more than {LARGEST // 2**20} MiB",
        "An inventory of 10,000 services is half of that; is this the right file?",
    )


def _load(file: Path) -> tuple[Any, tuple[Finding, ...]]:
    try:
        return load(_text(file), str(file))
    except _RefusedError as refused:
        return None, (refused.finding,)


def _text(file: Path) -> str:
    try:
        with file.open("rb") as stream:
            data = stream.read(LARGEST + 1)
    except OSError as error:
        raise _unreadable(file, error) from error
    if len(data) > LARGEST:
        raise _too_large(file, "what was read")
    if data.startswith(_UTF16):
        raise _RefusedError("encoding", Where(str(file), 1, 1), "this file is UTF-16", "Save it as UTF-8.")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        where = _place(file, error.object[: error.start].decode("utf-8", "replace"))
        raise _RefusedError(
            "encoding", where, f"byte 0x{error.object[error.start]:02x} is not UTF-8", "Save the file as UTF-8."
        ) from error
    if stray := _UNPRINTABLE.search(text):
        where = _place(file, text[: stray.start()])
        raise _RefusedError(
            "control-character",
            where,
            f"the character U+{ord(stray[0]):04X} is not allowed",
            "Take it out; it often comes along when text is pasted.",
        )
    return text


def _place(file: Path, before: str) -> Where:
    return Where(str(file), before.count("\n") + 1, len(before) - before.rfind("\n"))


def _merge(parts: list[Any], files: list[Path]) -> tuple[Table, list[Finding]]:
    whole = Table()
    findings: list[Finding] = []
    for part, file in zip(parts, files, strict=True):
        if not isinstance(part, Table):
            findings.append(
                Finding(
                    "wrong-type",
                    Where(str(file), 1, 1),
                    "the inventory must be a table",
                    "Each file of the folder is a part of one: `services:` and so on.",
                )
            )
            continue
        findings += _take_all(whole, part)
    return whole, findings


def _take_all(whole: Table, part: Table) -> Iterator[Finding]:
    for key, value in part.items():
        mine = whole.get(key)
        if key not in whole:
            whole.take(key, part)
            if isinstance(value, Table) and key in MERGED:
                whole[key] = _copy(value)  # to be added to, while an alias may show the original elsewhere
        elif key in MERGED and isinstance(mine, Table) and isinstance(value, Table):
            for name in value:
                if name in mine:
                    yield _twice(name, mine, value)
                else:
                    mine.take(name, value)
        else:
            yield _twice(key, whole, part)


def _copy(table: Table) -> Table:
    copy = Table()
    for key in table:
        copy.take(key, table)
    return copy


def _twice(key: str, first: Table, second: Table) -> Finding:
    return Finding(
        "duplicate-key",
        Where(*second.keys_at[key]),
        f"the key {quoted(key)} was given before, at {Where(*first.keys_at[key])}",
        "Keep one of the two; a second value is never silently used.",
    )
