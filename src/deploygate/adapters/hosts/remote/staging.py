"""Releases are copied beside those that run: by rsync where both sides have one, else as a tar, over one connection."""

import re
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from deploygate.adapters.hosts.remote.asking import Asker, HostError, Place, folder_name
from deploygate.adapters.hosts.remote.limits import ASK, CHECK, COPY
from deploygate.adapters.hosts.remote.packing import Packed, tarred
from deploygate.adapters.shells import UnreachableError, found_by_path
from deploygate.names import Secret, Version
from deploygate.wording import plain, seconds

_LOST = {12, 30, 255}  # rsync's exit codes where the other side is gone, or silent
_NO_PROTOCOL = 2  # rsync's exit code where a login shell prints something, such as a greeting, before rsync speaks
_FULL = "No space left"
_NO_TAR = "it has neither an rsync of 3.0 or later nor a tar"
_VERSION = re.compile(r"rsync +version (\d+)\.(\d+)")
_PLAIN = re.compile(r"/[A-Za-z0-9/._+@%,=-]+")  # paths that no rsync of any age makes something else of


@dataclass(frozen=True, slots=True)
class Wanted:
    """A release to install: what it consists of (None: it must be there, since `why`), and its secrets."""

    version: Version
    packed: Packed | None
    why: str
    secrets: Mapping[str, Secret]


class Staging:
    """Installs releases on hosts."""

    def __init__(self, asker: Asker) -> None:
        self._asker = asker
        self._tarring = threading.Lock()

    def install(self, where: Place, wanted: Wanted, run: str) -> None:
        """Install one release on one host for a run, or find that it is there.

        Raises:
            HostError: It can't be installed, or another one is; what was copied is removed.
            UnreachableError: The host can't be reached, or was lost in the middle.
        """
        packed = wanted.packed
        known = {"version": folder_name(wanted.version, "a version"), "staged": f"{time.time():.3f}", "run": run}
        begin = {"digest": packed.digest if packed else "", "why": wanted.why}
        found = self._asker.call(where, "dg_begin", known | begin, ASK).out.splitlines()
        if found[0] == "there" and packed is None:
            self._asker.call(where, "dg_adopt", known, CHECK)
        elif found[0] != "same" and packed is not None:
            listed = {"sums": packed.sums, "links": packed.links, "execs": packed.execs, "digest": packed.digest}
            try:
                if found[0] == "copy":
                    self._copy(where, packed, found[1:])
                self._asker.call(where, "dg_install", known | listed, CHECK)
            except HostError:
                with suppress(HostError, UnreachableError):  # the next run begins afresh anyway
                    self._asker.call(where, "dg_clean", {}, ASK)
                raise
        if wanted.secrets:
            text = "".join(f"{name}={_in_single_quotes(one)}\n" for name, one in wanted.secrets.items())
            self._asker.call(where, "dg_secrets", known | {"secrets": text}, ASK)

    def _copy(self, where: Place, packed: Packed, found: Sequence[str]) -> None:
        near, theirs = [*found, "", ""][:2]
        target = f"{where.staging}/files"
        able = where.ssh is not None and _PLAIN.fullmatch(target) and _new_enough(theirs) and _new_enough(_own_rsync())
        if able and self._rsync(where, packed, target, near):
            return
        with self._tarring:
            tar = tarred(packed)
        if where.ssh is None:
            shutil.copytree(packed.folder, target, symlinks=True, dirs_exist_ok=True)
            return
        with tar.open("rb") as source:
            program = f'command -v tar >/dev/null || {{ echo "{_NO_TAR}"; exit 1; }}; cd "$target" && exec tar -xof -'
            ran = self._asker.shells.stream(where.host, where.ssh, program, {"target": target}, COPY, source)
        if ran.code:
            raise HostError(plain(f"it can't be unpacked on {where.called}: {_said(ran.err) or 'tar failed'}", 300))

    def _rsync(self, where: Place, packed: Packed, target: str, near: str) -> bool:
        """Copy with rsync; tell whether it and the host's understood each other."""
        assert where.ssh is not None  # noqa: S101 - it was asked for
        beside = ["--checksum", f"--copy-dest={where.root}/{near}"] if near and _PLAIN.fullmatch(f"/{near}") else []
        host = f"[{where.host}]" if ":" in where.host else where.host
        with self._asker.shells.rsh(where.host, where.ssh, ASK) as rsh:
            words = [
                "rsync", "-rlpt", "--protect-args", "--timeout=60", *beside,
                "-e", " ".join(rsh), f"{packed.folder}/", f"{host}:{target}/",
            ]  # fmt: skip
            try:
                ran = subprocess.run(
                    words,
                    stdin=subprocess.DEVNULL,
                    capture_output=True,
                    check=False,
                    env=self._asker.shells.environment,
                    timeout=COPY,
                    start_new_session=True,
                )
            except subprocess.TimeoutExpired:
                raise UnreachableError(f"{where.called} was lost: no end of the copy within {seconds(COPY)}") from None
        if ran.returncode == _NO_PROTOCOL:
            return False
        if ran.returncode:
            said = _said(ran.stderr.decode(errors="replace"))
            if ran.returncode in _LOST and _FULL not in said:
                raise UnreachableError(plain(f"{where.called} was lost: {said or 'the connection broke'}", 300))
            raise HostError(plain(f"it can't be copied to {where.called}: {said or 'rsync failed'}", 300))
        return True


@cache
def _own_rsync() -> str:
    try:
        words = ["rsync", "--version"]
        return subprocess.run(words, capture_output=True, check=False, env=found_by_path(), timeout=10).stdout.decode()
    except (OSError, subprocess.TimeoutExpired):
        return ""


def _new_enough(said: str) -> bool:
    """Tell whether it is an rsync that can protect its arguments: 3.0.0 or later."""
    found = _VERSION.search(said)
    return found is not None and int(found[1]) >= 3


def _said(stderr: str) -> str:
    """Return the line of a failed copy that says why."""
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    return next((line for line in lines if _FULL in line), lines[0] if lines else "")


def _in_single_quotes(secret: Secret) -> str:
    return "'" + secret.reveal().replace("'", "'\"'\"'") + "'"


def folder_for_packing() -> Path:
    """Return a new folder for unpacked archives and tars."""
    return Path(tempfile.mkdtemp(prefix="deploygate-"))
