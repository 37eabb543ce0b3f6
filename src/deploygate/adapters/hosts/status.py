"""What a status program prints becomes a Process, or a reason why that can't be told; doubt never reads as alive."""

from typing import Annotated, Literal

import msgspec

from deploygate.names import VERSION, Version
from deploygate.ports import Process
from deploygate.wording import plain

LONGEST = 16 * 1024  # bytes that a status may have

_Release = Annotated[str, msgspec.Meta(pattern=rf"^{VERSION.pattern}$(?!\n)")]
_Identity = Annotated[str, msgspec.Meta(pattern=r"^[^\u0000-\u001f\u007f]{1,200}$(?!\n)")]


class _Status(msgspec.Struct, frozen=True):
    """The object of schemas/driver-status.schema.json; keys that it does not know are let be."""

    schema: Literal[1]
    alive: bool | None
    release: _Release | None = None
    identity: _Identity | None = None
    says: str = ""


def read_status(printed: bytes) -> Process:
    """Return what a status says; what is not one, tells nothing.

    Raises:
        ValueError: It is no status; one line.
    """
    if len(printed) > LONGEST:
        raise ValueError(f"it printed more than {LONGEST // 1024} KiB")
    if not printed.strip():
        raise ValueError("it printed nothing")
    try:
        said = msgspec.json.decode(printed, type=_Status)
    except (msgspec.DecodeError, RecursionError) as error:
        raise ValueError(plain(f"what it printed is no status: {error}")) from error
    return Process(
        alive=said.alive,
        release=Version(said.release) if said.release else None,
        identity=said.identity if said.alive else None,
        says=plain(said.says, 300),
    )


def is_release(word: str) -> bool:
    """Tell whether a word could be a version."""
    return VERSION.fullmatch(word) is not None
