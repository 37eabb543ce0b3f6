"""A release on the gate's machine, listed so that a shell can check it: digests, links, and what is executable."""

import hashlib
import os
import tarfile
from dataclasses import dataclass
from pathlib import Path

from deploygate.adapters.hosts.releases import BROKEN, copy, manifest
from deploygate.names import Version


class PackingError(Exception):
    """A release can't be listed or packed; one line."""


@dataclass(frozen=True, slots=True)
class Packed:
    """The files of a release in a folder, and what a host checks them by; `digest` is that of the whole list."""

    folder: Path
    sums: str
    links: str
    execs: str
    digest: str
    tar: Path


def pack(version: Version, artifact: Path, place: Path) -> Packed:
    """List a release, unpacked in `place` if it is an archive.

    Raises:
        PackingError: It can't be read, or has names that can't be listed.
    """
    folder = artifact
    try:
        if not artifact.is_dir():
            folder = place / "files"
            folder.mkdir(parents=True)
            copy(artifact, folder)
        entries = manifest(folder)
    except BROKEN as error:
        raise PackingError(f"{version} can't be staged from {artifact}: {error}") from error
    sums, links, execs = [], [], []
    for name, entry in sorted(entries.items(), key=lambda one: os.fsencode(one[0])):
        kind, _, rest = entry.partition(":")
        if name.endswith("\r"):  # which sha256sum takes for the end of a DOS line
            raise PackingError(f"{version} has a file name that ends with a carriage return, {name!r}: rename it")
        if "\\" in name or "\n" in name or (kind == "link" and "\n" in rest):
            raise PackingError(f"{version} has a file name with a newline or a backslash, {name!r}: rename it")
        if kind == "special":
            raise PackingError(f"{version} has a file that is neither a file nor a link, {name!r}: leave it out")
        if kind == "link":
            links.append(f"./{name}\n{rest}\n")
            continue
        sums.append(f"{rest}  ./{name}\n")
        if kind == "x":
            execs.append(f"./{name}\n")
    text = ("".join(sums), "".join(links), "".join(execs))
    digest = hashlib.sha256(os.fsencode("".join(text))).hexdigest()
    return Packed(folder, *text, digest, place / "files.tar")


def tarred(packed: Packed) -> Path:
    """Make a tar of a release, once, as every tar can read it."""
    if not packed.tar.exists():
        packed.tar.parent.mkdir(parents=True, exist_ok=True)
        beside = packed.tar.with_suffix(".new")
        with tarfile.open(beside, "w", format=tarfile.GNU_FORMAT) as tar:
            tar.add(packed.folder, ".", filter=_owned_by_none)
        beside.rename(packed.tar)
    return packed.tar


def _owned_by_none(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    return member
