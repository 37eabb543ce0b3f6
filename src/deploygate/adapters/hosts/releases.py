"""Releases on disk: staged beside the others, listed with a digest of each file, checked, pruned."""

import hashlib
import os
import shutil
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from lzma import LZMAError
from pathlib import Path

import msgspec

from deploygate.adapters.files import write_whole
from deploygate.adapters.hosts.layout import Layout
from deploygate.names import Version

# What unpacking says of an archive that is cut off, damaged, locked, or reaches out of its folder.
BROKEN = (OSError, ValueError, EOFError, RuntimeError, tarfile.TarError, zipfile.BadZipFile, zlib.error, LZMAError)


class Manifest(msgspec.Struct, frozen=True):
    """What a release consists of: the digest of each file by its path, and of the archive it came from."""

    files: dict[str, str]
    staged: float
    source: str = ""
    schema: int = 1


class ReleaseError(Exception):
    """A release can't be installed, or is not what it was; one line."""


def stage(layout: Layout, version: Version, artifact: Path | None, now: float) -> None:
    """Install a release from its artifact (a folder or an archive), or accept that it is there already.

    Raises:
        ReleaseError: There is nothing to install, it does not arrive whole, or another release of that
            version is installed.
    """
    target = layout.release(version)
    if artifact is None or not artifact.exists():
        if not target.is_dir():
            why = f"{artifact} does not exist" if artifact else "the inventory names no artifact"
            raise ReleaseError(f"{version} is not installed in {layout.root}, and {why}")
        if _recorded(layout, version) is None:
            _record(layout, version, Manifest(manifest(target), now))
        return
    if target.is_dir() and (known := _recorded(layout, version)) is not None:
        _same(version, artifact, known)
        return
    beside = layout.staging / f"{version}.{os.getpid()}"
    shutil.rmtree(layout.staging, ignore_errors=True)
    beside.mkdir(parents=True)
    try:
        copy(artifact, beside)
        files = manifest(beside)
        if artifact.is_dir() and files != manifest(artifact):
            raise ReleaseError(f"{version} did not arrive whole from {artifact}")
        if target.is_dir():
            if manifest(target) != files:
                raise ReleaseError(_other(version))
        else:
            beside.rename(target)
        _record(layout, version, Manifest(files, now, "" if artifact.is_dir() else _digest(artifact)))
    except BROKEN as error:
        raise ReleaseError(f"{version} can't be staged from {artifact}: {error}") from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def check(layout: Layout, version: Version, *, unchanged: bool) -> None:
    """Show that a release is installed and complete; with `unchanged`, that every file is what was staged.

    Files that were added since (logs, caches) don't matter.

    Raises:
        ReleaseError: It is not.
    """
    target = layout.release(version)
    if not target.is_dir():
        raise ReleaseError(f"{version} is not installed in {layout.root}")
    known = _recorded(layout, version)
    if known is None:
        if unchanged and layout.manifest(version).exists():
            raise ReleaseError(f"{version} can't be checked: {layout.manifest(version)} is damaged")
        return
    for name, digest in known.files.items():
        path = target / name
        if not os.path.lexists(path):
            raise ReleaseError(f"{version} is not complete: {name} is missing")
        if unchanged and _entry(path) != digest:
            raise ReleaseError(f"{version} is not what was staged: {name} has changed")


def installed(layout: Layout) -> tuple[Version, ...]:
    """Return the releases that were staged here, the oldest first."""
    found = []
    for path in layout.manifest(Version("x")).parent.glob("*.json"):
        version = Version(path.name.removesuffix(".json"))
        known = _recorded(layout, version)
        if known is not None and layout.release(version).is_dir():
            found.append((known.staged, version))
    return tuple(version for _, version in sorted(found))


def remove(layout: Layout, version: Version) -> None:
    """Remove a release: out of sight in one step, then from the disk."""
    doomed = layout.staging / f"{version}.removed"
    doomed.parent.mkdir(parents=True, exist_ok=True)
    layout.manifest(version).unlink(missing_ok=True)
    layout.release(version).rename(doomed)
    shutil.rmtree(doomed, ignore_errors=True)


def manifest(folder: Path) -> dict[str, str]:
    """Return the digest of everything in a folder, by its path."""
    return {str(path.relative_to(folder)): _entry(path) for path in sorted(_walk(folder))}


def _walk(folder: Path) -> Iterator[Path]:
    for where, folders, files in os.walk(folder):
        for name in files:
            yield Path(where, name)
        for name in folders:
            if Path(where, name).is_symlink():
                yield Path(where, name)


def _entry(path: Path) -> str:
    mode = path.lstat().st_mode
    if stat.S_ISLNK(mode):
        return f"link:{path.readlink()}"
    if not stat.S_ISREG(mode):
        return "special"
    return f"{'x' if mode & 0o111 else '-'}:{_digest(path)}"


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def copy(artifact: Path, folder: Path) -> None:
    """Copy a folder, or unpack an archive, into a folder.

    Raises:
        One of BROKEN: It can't be read, or reaches out of the folder.
    """
    if artifact.is_dir():
        shutil.copytree(artifact, folder, symlinks=True, dirs_exist_ok=True)
    elif tarfile.is_tarfile(artifact):  # asked first, since a tar that ends with a jar looks like a zip
        with tarfile.open(artifact) as packed:
            _unpack(packed, folder)
    elif zipfile.is_zipfile(artifact):
        with zipfile.ZipFile(artifact) as archive:
            for member in archive.infolist():
                made = Path(archive.extract(member, folder))
                if (member.external_attr >> 16) & 0o111 and made.is_file():
                    made.chmod(made.stat().st_mode | 0o111)
    else:
        raise ValueError("it is no folder, and no tar or zip that can be read")


def _unpack(packed: tarfile.TarFile, folder: Path) -> None:
    """Unpack a tar, and nothing that reaches out of the folder; Pythons before 3.11.4 leave that to us."""
    if hasattr(tarfile, "data_filter"):
        packed.extractall(folder, filter="data")
        return
    for member in packed.getmembers():
        beside = f"{Path(member.name).parent}/{member.linkname}" if member.issym() else member.linkname
        inside = all(not os.path.normpath(one).startswith(("/", "..")) for one in (member.name, beside))
        if not inside or member.isdev() or member.linkname.startswith("/"):
            raise ValueError(f"{member.name} is not a file of its own folder")
    packed.extractall(folder)  # noqa: S202 - each member was looked at


def _same(version: Version, artifact: Path, known: Manifest) -> None:
    unchanged = manifest(artifact) == known.files if artifact.is_dir() else known.source in {"", _digest(artifact)}
    if not unchanged:
        raise ReleaseError(_other(version))


def _other(version: Version) -> str:
    return f"another release of {version} is installed already: a version never changes, release a new one"


def _recorded(layout: Layout, version: Version) -> Manifest | None:
    try:
        return msgspec.json.decode(layout.manifest(version).read_bytes(), type=Manifest)
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return None


def _record(layout: Layout, version: Version, what: Manifest) -> None:
    write_whole(layout.manifest(version), msgspec.json.encode(what))
