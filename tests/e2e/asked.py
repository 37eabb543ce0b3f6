"""What instances say when they are asked behind the gate's back."""

import json
import time
from collections.abc import Callable
from http.client import HTTPConnection, HTTPException
from typing import Any, Literal

FUSE = 30.0  # seconds after which a test fails rather than hangs

Said = dict[str, Any]


def ask(host: str, port: int, path: str = "/version") -> Said | None:
    """Ask an instance; None where nothing sensible comes."""
    connection = HTTPConnection(host, port, timeout=2)
    try:
        connection.request("GET", path)
        said: Said = json.loads(connection.getresponse().read())
    except (OSError, HTTPException, ValueError):
        return None
    else:
        return said
    finally:
        connection.close()


def until(seen: Callable[[], Said | Literal[False] | None]) -> Said:
    """Look until an instance says something that will do, but not for ever."""
    end = time.monotonic() + FUSE
    while not (said := seen()):
        assert time.monotonic() < end, f"nothing of the kind was seen within {FUSE:g} s"
        time.sleep(0.02)
    return said
