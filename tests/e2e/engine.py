"""A Docker engine, the machine's or one for the tests alone."""

import fcntl
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from deploygate.adapters.files import exclusive

from .parts import CACHE, as_root, found

FUSE = 60.0  # seconds that the engine may take to come and to go
MAKING = 600.0  # seconds that a base image may take, with all that it downloads
LABEL = f"deploygate-e2e={CACHE}"  # what is made here, and by no other checkout


class UnobtainableError(Exception):
    """Something that the tests need can't be had on this machine; one line that says why."""


def docker(*words: str, give: str = "", patience: float = FUSE) -> str:
    """Run the docker client, and return what it prints.

    Raises:
        UnobtainableError: It failed, or took too long.
    """
    root = as_root()
    command = [*(root or ()), found("docker"), *words]
    try:
        done = subprocess.run(command, input=give, capture_output=True, text=True, timeout=patience, check=False)
    except subprocess.TimeoutExpired:
        raise UnobtainableError(f"docker {words[0]} did not end within {patience:g} s") from None
    if done.returncode:
        raise UnobtainableError(f"docker {words[0]}: {last_line(done.stderr) or f'ended with {done.returncode}'}")
    return done.stdout.strip()


@contextmanager
def engine() -> Iterator[None]:
    """Have an engine: the one that runs, else one of our own; it is shared, and ends with the last who has it.

    Raises:
        UnobtainableError: There is none, and none can be started.
    """
    CACHE.mkdir(exist_ok=True)
    with (CACHE / "engine.users").open("a") as users:
        own = _entered(users)
        try:
            yield
        finally:
            _left(users, own)


def _entered(users: IO[str]) -> "subprocess.Popen[bytes] | None":
    """Be one of those who use the engine; return it if we had to start it."""
    try:
        with exclusive(CACHE / "engine.lock", patience=MAKING):
            own = None if _answers() else _started()
            if _alone(users):
                _tidy()  # what a run left that was killed
            fcntl.flock(users, fcntl.LOCK_SH)
            return own
    except TimeoutError:
        raise UnobtainableError(f"another run has held the engine up for more than {MAKING:g} s") from None


def _left(users: IO[str], own: "subprocess.Popen[bytes] | None") -> None:
    """Be one no more; who started the engine waits for the others, and the last one tidies."""
    fcntl.flock(users, fcntl.LOCK_UN)
    end = time.monotonic() + (MAKING if own is not None else 0.0)
    while not (alone := _alone(users)) and time.monotonic() < end:
        time.sleep(0.1)
    if alone:
        _tidy()
    if own is not None:
        _stop(own)


def _alone(users: IO[str]) -> bool:
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _tidy() -> None:
    """Remove the containers and networks of this checkout, also those of a run that was killed."""
    for container in docker("ps", "--all", "--quiet", "--filter", f"label={LABEL}").split():
        docker("rm", "--force", "--volumes", container)
    for network in docker("network", "ls", "--quiet", "--filter", f"label={LABEL}").split():
        docker("network", "rm", network)


def _answers() -> str:
    try:
        return docker("version", "--format", "{{.Server.Version}}")
    except UnobtainableError:
        return ""


def _started() -> "subprocess.Popen[bytes]":
    root = as_root()
    if root is None:
        raise UnobtainableError("no Docker engine runs, and starting one needs root, or sudo without a password")
    words = [*root, "setpriv", "--pdeathsig", "TERM", "--", found("dockerd")]  # it does not outlive us
    said = CACHE / "dockerd.log"
    end = time.monotonic() + FUSE
    while True:
        with said.open("wb") as log:
            own = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        if _comes(own, end):
            return own
        why = last_line(said.read_text())
        if "pid file found" not in why or time.monotonic() > end:
            raise UnobtainableError(f"dockerd does not start: {why}")
        time.sleep(0.5)  # the engine of a run that was killed is about to end


def _comes(own: "subprocess.Popen[bytes]", end: float) -> bool:
    while own.poll() is None:
        if _answers():
            return True
        if time.monotonic() > end:
            _stop(own)
            raise UnobtainableError(f"dockerd does not answer within {FUSE:g} s")
        time.sleep(0.1)
    return False


def _stop(own: "subprocess.Popen[bytes]") -> None:
    for signal in ("TERM", "KILL"):
        words = [*(as_root() or ()), "kill", f"-{signal}", str(own.pid)]  # it may be root's, and we not
        subprocess.run(words, capture_output=True, timeout=FUSE, check=False)
        try:
            own.wait(FUSE)
        except subprocess.TimeoutExpired:
            continue
        return


def last_line(text: str) -> str:
    """Return the last line that says anything."""
    return next((line.strip() for line in reversed(text.splitlines()) if line.strip()), "")
