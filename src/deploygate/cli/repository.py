"""Where an inventory is in its repository: paths on GitHub are from the repository's top."""

import os
from pathlib import Path

from deploygate.errors import GateError
from deploygate.wording import quoted


def top_of(path: Path) -> Path:
    """Return the top of the repository that a path is in, as seen from here: where .git is, else this folder."""
    real = path.resolve()
    return Path(os.path.relpath(next((one for one in (real, *real.parents) if (one / ".git").exists()), Path.cwd())))


def inside(path: Path) -> str:
    """Return a path as it is in its repository.

    Raises:
        GateError: It is not in one.
    """
    top = top_of(path)
    try:
        return path.resolve().relative_to(top.resolve()).as_posix()
    except ValueError as error:
        raise GateError(
            f"{quoted(str(path))} is not in the repository at {quoted(str(top))}",
            help="Call it from the top of the repository that the inventory is in.",
        ) from error
