"""What merging would do: the verdict first, one table with a line for each service, the steps of each folded away."""

from collections.abc import Sequence
from typing import Any

from deploygate.findings import Finding
from deploygate.foreseen import Foreseen, Source
from deploygate.names import ServiceName
from deploygate.narrative import from_versions
from deploygate.plan import Plan
from deploygate.report.findings import findings_data, findings_markdown
from deploygate.report.forms import SCHEMA, escaped, github_table, plain_table
from deploygate.report.plans import plan_details
from deploygate.wording import count, seconds

_HEAD = ("order", "service", "from", "to", "instances", "time", "way back")
_SHOWN = 30  # findings in a comment; all of them are in the log


def merging_headline(findings: Sequence[Finding], foreseen: Sequence[Foreseen] | None) -> tuple[bool, str]:
    """Return whether merging is well, and why or what it does, in one line; None: it can't be told."""
    wrong = [one for one in findings if one.severity == "error"]
    if wrong:
        return False, f"the inventory has {count(len(wrong), 'error')}"
    if foreseen is None:
        return True, "the inventory is sound; what merging changes can't be told here"
    refused = [one for one in foreseen if not isinstance(one.planned, Plan)]
    if refused:
        names = ", ".join(f"{one.change.service.name} {one.change.to}" for one in refused)
        return False, f"merging would be refused for {names}"
    if not foreseen:
        return True, "the inventory is sound, and merging deploys nothing"
    names = ", ".join(f"{one.change.service.name} {_was(one)} -> {one.change.to}" for one in foreseen)
    time = sum(one.planned.expected for one in foreseen if isinstance(one.planned, Plan))
    return True, f"merging deploys {names}, in about {seconds(time)}"


def merging_markdown(
    findings: Sequence[Finding], foreseen: Sequence[Foreseen] | None, gone: Sequence[ServiceName] = ()
) -> str:
    """Return the comment of a check."""
    good, says = merging_headline(findings, foreseen)
    lines = [f"### {'✅' if good else '❌'} {escaped(says[:1].upper() + says[1:])}", ""]
    if findings:
        lines += [findings_markdown(findings[:_SHOWN])]
        lines += [f"{len(findings) - _SHOWN} more are in the log.", ""] if len(findings) > _SHOWN else []
    if foreseen:
        rows = [[escaped(cell) for cell in row] for row in _rows(foreseen)]
        lines += [github_table(rows, _HEAD), ""]
        lines += [f"- **{escaped(name)}**: {escaped(why)}" for name, why in _reasons(foreseen)]
        lines += _folded(foreseen)
    lines += [f"- `{name}` leaves the inventory: what runs of it goes on, and the gate forgets it." for name in gone]
    return "\n".join(lines).rstrip() + "\n"


def merging_text(foreseen: Sequence[Foreseen] | None, gone: Sequence[ServiceName] = ()) -> str:
    """Return what merging would do, for a log."""
    if not foreseen and not gone:
        return ""
    lines = [plain_table(_rows(foreseen), _HEAD)] if foreseen else []
    lines += [f"  - {name}: {why}" for name, why in _reasons(foreseen or ())]
    lines += [f"  - {name} leaves the inventory; what runs of it goes on" for name in gone]
    return "\n".join(lines) + "\n"


def merging_data(
    findings: Sequence[Finding], foreseen: Sequence[Foreseen] | None, gone: Sequence[ServiceName]
) -> dict[str, Any]:
    """Return the same for a program, `schema: 1`; `changes` is None where they can't be told."""
    good, says = merging_headline(findings, foreseen)
    return {
        "schema": SCHEMA,
        "goal": "check",
        "decision": "pass" if good else "fail",
        "says": says,
        "findings": findings_data(findings),
        "changes": None if foreseen is None else [_data(one) for one in foreseen],
        "removed": list(gone),
    }


def _was(one: Foreseen) -> str:
    if isinstance(one.planned, Plan) and one.planned.moves:
        return from_versions(one.planned.moves)
    return one.change.was or "nothing"


def _rows(foreseen: Sequence[Foreseen]) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for number, one in enumerate(foreseen, start=1):
        plan = one.planned
        known = _was(one) + ("" if one.source is Source.OBSERVED else f" ({one.source})")
        head = (str(number), one.change.service.name, known, one.change.to)
        if not isinstance(plan, Plan):
            rows.append((*head, "none", "-", f"refused for {count(len(plan), 'reason')}"))
        elif plan.idle:
            rows.append((*head, "none: it is there already", "-", "-"))
        else:
            time = f"about {seconds(plan.expected)}, at most {seconds(plan.worst)}"
            rows.append((*head, _sizes(plan), time, _back(one, plan)))
    return rows


def _sizes(plan: Plan) -> str:
    sizes: dict[str, int] = {}
    for move in plan.moves:
        sizes[move.environment] = sizes.get(move.environment, 0) + 1
    return ", ".join(f"{size} {environment}" for environment, size in sizes.items())


def _back(one: Foreseen, plan: Plan) -> str:
    lost = [move.instance for move in plan.moves if move.was is None]
    if lost:
        return f"none for {', '.join(lost[:3])}{' and others' if len(lost) > 3 else ''}"
    return f"{_was(one)}, proven before the first change"


def _reasons(foreseen: Sequence[Foreseen]) -> list[tuple[str, str]]:
    """Return what stands against a change or is not protected, by the name of the service."""
    said: list[tuple[str, str]] = []
    for one in foreseen:
        name = one.change.service.name
        if isinstance(one.planned, Plan):
            said += [(name, f"not protected: {note}") for note in one.planned.unprotected]
        else:
            said += [(name, f"{reason.says}. {reason.help}") for reason in one.planned]
    return said


def _folded(foreseen: Sequence[Foreseen]) -> list[str]:
    lines = []
    for one in foreseen:
        if isinstance(one.planned, Plan) and not one.planned.idle:
            title = f"{one.change.service.name} {one.change.to}: the steps, in their order"
            lines += ["", f"<details><summary>{escaped(title)}</summary>", ""]
            lines += [plan_details(one.planned, one.change.service), "</details>"]
    return lines


def _data(one: Foreseen) -> dict[str, Any]:
    plan = one.planned if isinstance(one.planned, Plan) else None
    return {
        "service": one.change.service.name,
        "from": _was(one),
        "source": one.source,
        "to": one.change.to,
        "instances": [move.instance for move in plan.moves] if plan else [],
        "expected": plan.expected if plan else None,
        "worst": plan.worst if plan else None,
        "refusals": [] if plan else findings_data(one.planned if isinstance(one.planned, tuple) else ()),
        "unprotected": list(plan.unprotected) if plan else [],
    }
