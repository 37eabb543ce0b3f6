"""What was observed: the verdict, then the table."""

from collections.abc import Sequence
from typing import Any

import msgspec

from deploygate.observation import Observed
from deploygate.report.forms import SCHEMA, escaped, github_table, json_text, plain_table
from deploygate.wording import count

_OBSERVED = ("service", "instance", "environment", "health", "version", "changed (UTC)", "by", "drift", "says")


def observed_text(rows: Sequence[Observed]) -> str:
    """Return an observation for a terminal: the verdict, then the table."""
    off = sum(1 for row in rows if not row.as_wanted)
    verdict = (
        f"✘ {off} of {count(len(rows), 'instance')} not as wanted"
        if off
        else f"✔ {count(len(rows), 'instance')}, all as wanted"
    )
    return f"{verdict}\n\n{plain_table(*_filled(rows))}\n"


def observed_markdown(rows: Sequence[Observed]) -> str:
    """Return an observation as a table."""
    cells, head = _filled(rows)
    return github_table([[escaped(cell) for cell in row] for row in cells], head) + "\n"


def observed_json(rows: Sequence[Observed]) -> str:
    """Return an observation for a program, `schema: 1`."""
    return json_text(observed_data(rows))


def observed_data(rows: Sequence[Observed]) -> dict[str, Any]:
    """Return an observation as plain data."""
    return {"schema": SCHEMA, "instances": [msgspec.to_builtins(row) | {"as_wanted": row.as_wanted} for row in rows]}


def _filled(rows: Sequence[Observed]) -> tuple[list[list[str]], tuple[str, ...]]:
    """Return the cells and their heads, without a last column that nobody has anything in."""
    cells = [_observed_cells(row) for row in rows]
    if any(row.says for row in rows):
        return cells, _OBSERVED
    return [row[:-1] for row in cells], _OBSERVED[:-1]


def _observed_cells(row: Observed) -> list[str]:
    return [
        row.service,
        row.instance,
        row.environment,
        row.health,
        row.version,
        row.since,
        row.by,
        row.drift,
        row.says,
    ]
