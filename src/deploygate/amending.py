"""The inventory's text with another version of a service in it: the one edit that the gate ever proposes."""

import re

from deploygate.findings import Where
from deploygate.names import Version

_SCALAR = re.compile(r""""(?P<double>[^"\\]*)"|'(?P<single>[^']*)'|(?P<bare>[^\s#,{}\[\]]+)""")


def amended(text: str, where: Where, old: Version, new: Version) -> str:
    """Return `text` with the version at `where` changed, and not one character besides.

    Raises:
        ValueError: There is something else at that place.
    """
    lines = text.splitlines(keepends=True)
    line = lines[where.line - 1] if 0 < where.line <= len(lines) else ""
    found = _SCALAR.match(line, max(0, where.column - 1))
    if found is None or next(filter(None, found.groups()), "") != old:
        raise ValueError(f'there is no "{old}" at {where}')
    quote = "'" if found["single"] is not None else '"'
    lines[where.line - 1] = f"{line[: found.start()]}{quote}{new}{quote}{line[found.end() :]}"
    return "".join(lines)
