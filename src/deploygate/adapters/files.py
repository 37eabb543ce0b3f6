"""Small files that are there whole or not at all, and locks that are gone with their process."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def write_whole(path: Path, content: bytes, *, surely: bool = True) -> None:
    """Write a file so that it is there whole or not at all, and with `surely` on the disk."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    with beside.open("wb") as file:
        file.write(content)
        if surely:
            file.flush()
            os.fsync(file.fileno())
    beside.replace(path)


@contextmanager
def exclusive(path: Path, patience: float) -> Iterator[None]:
    """Hold an advisory lock on a file.

    Raises:
        TimeoutError: Somebody else held it for more than `patience` seconds.
    """
    end = time.monotonic() + patience
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= end:
                    raise TimeoutError(f"another gate is busy with {path.parent.name}/{path.name}") from None
                time.sleep(0.01)
        yield
