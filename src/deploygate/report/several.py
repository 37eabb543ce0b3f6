"""The accounts of one event: of one service as it is, of several as one table with the whole of each folded away."""

from collections.abc import Sequence
from typing import Any

from deploygate.account import Account
from deploygate.endings import succeeded
from deploygate.report.accounts import account_data, as_markdown
from deploygate.report.forms import SCHEMA, escaped, github_table
from deploygate.wording import count, seconds

_HEAD = ("", "service", "version", "ending", "what happened", "time")


def several_headline(
    accounts: Sequence[Account], waiting: Sequence[str] = (), *, going: bool = False
) -> tuple[bool, str]:
    """Return whether all went well, and the verdict in one line; `waiting` were not begun, while `going` but one."""
    if going:
        done = f"; {len(accounts)} of {count(len(accounts) + len(waiting), 'service')} done" if accounts else ""
        return True, f"{waiting[0]} is being deployed{done}"
    failed = [one for one in accounts if not succeeded(one.ending, one.goal)]
    if len(accounts) == 1 and not waiting:
        return not failed, f"{accounts[0].ending}: {accounts[0].headline}"
    if failed:
        rest = f"; {count(len(waiting), 'service')} after it not begun" if waiting else ""
        return False, f"{failed[0].ending}: {failed[0].headline}{rest}"
    return True, f"{count(len(accounts), 'service')} deployed" if accounts else "there is nothing to deploy"


def several_markdown(
    accounts: Sequence[Account],
    waiting: Sequence[str] = (),
    *,
    going: bool = False,
    points: Sequence[str] = (),
    folded: Sequence[str] = (),
) -> str:
    """Return a comment; `going` says that more is to come.

    `points` are lines of a list that explain the verdict, `folded` is what follows the table; both are Markdown.
    """
    if len(accounts) == 1 and not waiting and not going:
        return as_markdown(accounts[0], points, folded)
    good, says = several_headline(accounts, waiting, going=going)
    sign = "⏳" if going else "✅" if good else "❌"
    lines = [f"### {sign} {escaped(says)}", "", *points, *([""] if points else [])]
    rows = [_row(one) for one in accounts]
    rows += [_waiting(name, going=going, first=name == waiting[0]) for name in waiting]
    lines += [github_table(rows, _HEAD), "", *folded, *([""] if folded else [])]
    for one in accounts:
        lines += [f"<details><summary>{escaped(one.headline)}</summary>", "", as_markdown(one), "</details>", ""]
    return "\n".join(lines)


def several_data(accounts: Sequence[Account], waiting: Sequence[str]) -> dict[str, Any]:
    """Return the same for a program, `schema: 1`."""
    good, says = several_headline(accounts, waiting)
    return {
        "schema": SCHEMA,
        "goal": "deploy",
        "decision": "pass" if good else "fail",
        "says": says,
        "runs": [account_data(one) for one in accounts],
        "not_begun": list(waiting),
    }


def _waiting(name: str, *, going: bool, first: bool) -> list[str]:
    says = "not begun" if not going else "under way" if first else "to come"
    return ["⏳" if going and first else "·", escaped(name), "", "", says, ""]


def _row(one: Account) -> list[str]:
    sign = "✅" if succeeded(one.ending, one.goal) else "❌"
    cells = (
        one.service,
        one.version,
        one.ending,
        one.why or one.headline,
        seconds(one.elapsed) if one.elapsed else "-",
    )
    return [sign, *(escaped(cell) for cell in cells)]
