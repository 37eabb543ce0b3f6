"""Files put into a repository: whole, and never in the place of another one unless that is asked for."""

import os
from pathlib import Path

from deploygate.adapters.files import write_whole
from deploygate.errors import GateError


def taken(path: Path) -> bool:
    """Tell whether something is there; a link to nowhere counts."""
    return path.exists() or path.is_symlink()


def exists(path: Path) -> GateError:
    """Return the error that a file is there already."""
    return GateError(f"{path} exists already; nothing was written", help="Name another --output, or give --force.")


def put(path: Path, content: bytes, *, force: bool) -> None:
    """Put a file there whole, in one step.

    Raises:
        GateError: It is there already, or can't be written.
    """
    place = path.resolve()
    try:
        if force:
            write_whole(place, content)
            return
        beside = place.with_name(f".{place.name}.new.{os.getpid()}")
        write_whole(beside, content)
        try:
            os.link(beside, place)  # unlike a rename, never over a file that came meanwhile
        except FileExistsError:
            raise exists(path) from None
        except OSError:  # a file system without links
            beside.replace(place)
        finally:
            beside.unlink(missing_ok=True)
    except OSError as error:
        why = error.strerror or str(error)
        raise GateError(f"{path} can't be written: {why}", help="Name another file with --output.") from error
