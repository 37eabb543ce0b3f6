"""Who has agreed to a change, and who has still to: a line for each owner in a role."""

from collections.abc import Sequence
from typing import Any

from deploygate.report.forms import escaped, github_table, plain_table
from deploygate.reviews import Approval, Standing, headline, named, standing
from deploygate.wording import plain

_HEAD = ("", "role", "owner", "services", "concerned by", "approval")
_SIGNS = {Standing.APPROVED: "✅", Standing.NEEDED: "❌", Standing.UNKNOWN: "❔"}
_SHOWN = 50  # lines in a comment; all of them are in the log


def reviews_markdown(told: Sequence[Approval]) -> str:
    """Return the approvals of a change as one table."""
    says = headline(told)
    lines = [f"**{escaped(says[:1].upper() + says[1:])}**", ""]
    if told:
        rows = [(_SIGNS[one.standing], *(escaped(cell) for cell in _cells(one))) for one in _urgent(told)[:_SHOWN]]
        lines += [github_table(rows, _HEAD), ""]
        lines += [f"{len(told) - _SHOWN} more are in the log.", ""] if len(told) > _SHOWN else []
    return "\n".join(lines)


def reviews_text(told: Sequence[Approval]) -> str:
    """Return the same for a terminal or a log."""
    if not told:
        return f"{headline(told)}\n"
    rows = [(one.standing.value, *_cells(one)) for one in _urgent(told)]
    return f"{headline(told)}\n{plain_table(rows, _HEAD)}\n"


def reviews_data(told: Sequence[Approval]) -> dict[str, Any]:
    """Return the same for a program."""
    return {
        "standing": standing(told).value,
        "says": headline(told),
        "approvals": [
            {
                "role": one.role.value,
                "owner": one.owner.name,
                "account": one.owner.account,
                "services": list(one.services),
                "why": list(one.why),
                "standing": one.standing.value,
                "approved_by": list(one.by),
                "says": one.says,
            }
            for one in told
        ],
    }


def _cells(one: Approval) -> tuple[str, str, str, str, str]:
    account = one.owner.account
    who = one.owner.name if one.owner.name == account or not account else f"{one.owner.name} ({account})"
    return one.role.value, plain(who, 120), named(one.services), ", ".join(one.why), one.says


def _urgent(told: Sequence[Approval]) -> list[Approval]:
    """Return what is missing first, then what can't be told."""
    order = (Standing.NEEDED, Standing.UNKNOWN, Standing.APPROVED)
    return sorted(told, key=lambda one: order.index(one.standing))
