"""An account: the verdict first, a few lines that explain it, one table, and the rest folded away."""

from collections.abc import Sequence
from typing import Any

from deploygate.account import Account, Row
from deploygate.endings import Ending, Goal, exit_code, succeeded
from deploygate.findings import Finding
from deploygate.report.findings import findings_data
from deploygate.report.forms import SCHEMA, escaped, github_table, json_text, plain_table
from deploygate.wording import seconds

_HEAD = ("instance", "environment", "version", "health", "state", "")


def as_text(account: Account) -> str:
    """Return an account for a terminal: the verdict, four lines that explain it, a table."""
    sign = "✔" if succeeded(account.ending, account.goal) else "✘"
    lines = [
        f"{sign} {account.ending}  {account.headline}" + (f", in {seconds(account.elapsed)}" if account.elapsed else "")
    ]
    lines += [f"  {word:<5} {text}" for word, text in _explained(account)]
    lines += _reason_lines(account.reasons)
    if account.rows:
        lines += ["", _table(account.rows)]
    lines += [f"  note  {note}" for note in account.notes]
    return "\n".join(lines) + "\n"


def as_markdown(account: Account, points: Sequence[str] = (), folded: Sequence[str] = ()) -> str:
    """Return an account for a comment: the verdict on top, one table, the rest folded away.

    `points` are lines of a list that follow what explains the verdict, `folded` is what follows the table; both are
    Markdown already.
    """
    good = succeeded(account.ending, account.goal)
    lines = [f"### {'✅' if good else '❌'} `{account.ending}` {escaped(account.headline)}"]
    said = [f"- **{word}**: {escaped(text)}" for word, text in _explained(account)] + [*points]
    lines += ["", *said] if said or account.reasons else []
    lines += [f"- **{reason.rule}**: {escaped(reason.says)}. {escaped(reason.help)}" for reason in account.reasons]
    if account.rows:
        cells, head = _filled(account.rows)
        lines += ["", github_table([[escaped(cell) for cell in row] for row in cells], head)]
    lines += ["", *folded] if folded else []
    if account.notes:
        lines += ["", "<details><summary>What this run did not guard against</summary>", ""]
        lines += [f"- {escaped(note)}" for note in account.notes]
        lines += ["", "</details>"]
    took = f", {seconds(account.elapsed)}" if account.elapsed else ""
    run = f", run {escaped(account.run)}" if account.run else ""
    return "\n".join([*lines, "", f"<sub>deploygate{run}{took}</sub>", ""])


def decision(ending: Ending, goal: Goal) -> str:
    """Return the verdict on a run in one of three words; what can't be told is neither of the others."""
    if succeeded(ending, goal):
        return "pass"
    return "cannot_tell" if ending in {Ending.CANNOT_TELL, Ending.INTERNAL_ERROR} else "fail"


def as_json(account: Account) -> str:
    """Return an account for a program, `schema: 1`; `reason_code` is from the closed list of endings."""
    return json_text(account_data(account))


def account_data(account: Account) -> dict[str, Any]:
    """Return an account as plain data."""
    return {
        "schema": SCHEMA,
        "run": account.run,
        "goal": account.goal,
        "service": account.service,
        "version": account.version,
        "ending": account.ending,
        "reason_code": account.ending,
        "decision": decision(account.ending, account.goal),
        "exit_code": exit_code(account.ending, account.goal),
        "says": account.headline,
        "why": account.why,
        "done": account.done,
        "now": account.now,
        "concerns": dict(zip(("role", "who"), account.concerns, strict=True)) if account.concerns else None,
        "instances": [
            {
                "instance": row.instance,
                "environment": row.environment,
                "version": row.version,
                "health": row.health,
                "state": row.state,
                "says": row.says,
            }
            for row in account.rows
        ],
        "reasons": findings_data(account.reasons),
        "notes": account.notes,
        "elapsed": round(account.elapsed, 3),
    }


def _explained(account: Account) -> list[tuple[str, str]]:
    said = [("why", account.why)] if account.why else []
    said += [("done", text) for text in account.done]
    said += [("now", account.now)] if account.now else []
    if account.concerns:
        said.append(("who", f"{account.concerns[1]} ({account.concerns[0]} owner)"))
    return said


def _reason_lines(reasons: Sequence[Finding]) -> list[str]:
    """Return the reasons, those with the same remedy together."""
    remedies: dict[tuple[str, str], list[str]] = {}
    for reason in reasons:
        remedies.setdefault((reason.rule, reason.help), []).append(reason.says)
    lines = []
    for (rule, remedy), says in remedies.items():
        lines += [f"  - {line}" for line in says]
        lines.append(f"    [{rule}] {remedy}")
    return lines


def _cells(row: Row) -> tuple[str, ...]:
    return row.instance, row.environment, row.version, row.health, row.state, row.says


def _table(rows: Sequence[Row]) -> str:
    return plain_table(*_filled(rows))


def _filled(rows: Sequence[Row]) -> tuple[list[tuple[str, ...]], tuple[str, ...]]:
    """Return the cells and their heads, without a last column that nobody has anything in."""
    cells = [_cells(row) for row in rows]
    if any(row.says for row in rows):
        return cells, _HEAD
    return [row[:-1] for row in cells], _HEAD[:-1]
