"""What merging would do: the verdict, then the dangerous, then one table, and the rest folded away."""

from collections.abc import Iterable, Sequence
from typing import Any

from deploygate.difference import Danger, Difference
from deploygate.findings import Finding, errors
from deploygate.foreseen import Edit, Foreseen, Source
from deploygate.inventory import BackKind
from deploygate.narrative import from_versions
from deploygate.plan import Plan
from deploygate.report.findings import findings_data, findings_markdown
from deploygate.report.forms import SCHEMA, escaped, github_table, json_text, plain_table
from deploygate.report.plans import plan_details, plan_headline
from deploygate.report.reviews import reviews_data, reviews_markdown
from deploygate.reviews import Approval, Standing, headline, standing, unreviewed
from deploygate.wording import count, seconds

_HEAD = ("order", "service", "from", "to", "instances", "time", "way back")
_SHOWN = 30  # findings in a comment; all of them are in the log
_SENTENCE = {"version", "provides", "consumes", "callers"}  # what the sentence of a deploy says
_SIGNS = {Danger.DANGEROUS: "!", Danger.DEPLOYS: "+", Danger.CHANGES: "~", Danger.WORDS: " "}


Told = Sequence[Approval]


def merging_headline(findings: Sequence[Finding], edit: Edit | None, told: Told | None = None) -> tuple[bool, str]:
    """Return whether merging is well, and why or what it does, in one line; None: it can't be told.

    `told` are the approvals that the change needs, where they are asked for.
    """
    wrong = errors(tuple(findings))
    if wrong:
        return False, f"the inventory has {count(len(wrong), 'error')}"
    if edit is None:
        open_, says = _unapproved(told), "the inventory is sound; what merging changes can't be told here"
        return not open_, open_ or says
    refused = [one for one in edit.foreseen if not isinstance(one.planned, Plan)]
    if refused:
        names = ", ".join(f"{one.change.service.name} {one.change.to}" for one in refused)
        return False, f"merging would be refused for {names}"
    if open_ := _unapproved(told):
        return False, open_
    if not edit.foreseen:
        return True, "the inventory is sound, and merging deploys nothing"
    names = ", ".join(f"{one.change.service.name} {_was(one)} -> {one.change.to}" for one in edit.foreseen)
    time = sum(one.planned.expected for one in edit.foreseen if isinstance(one.planned, Plan))
    return True, f"merging deploys {names}, in about {seconds(time)}"


def merging_markdown(findings: Sequence[Finding], edit: Edit | None, told: Told | None = None) -> str:
    """Return the comment of a check."""
    good, says = merging_headline(findings, edit, told)
    lines = [f"### {'✅' if good else '❌'} {escaped(says[:1].upper() + says[1:])}", ""]
    if findings:
        lines += [findings_markdown(findings[:_SHOWN])]
        lines += [f"{len(findings) - _SHOWN} more are in the log.", ""] if len(findings) > _SHOWN else []
    lines += [reviews_markdown(told)] if told is not None else []
    if edit is not None:
        dangerous = [one for one in edit.differences if one.danger is Danger.DANGEROUS]
        lines += [f"- ⚠️ {_named(one)}" for one in dangerous]
        lines += [f"- **{escaped(name)}**: {escaped(why)}" for name, why in _reasons(edit.foreseen)]
        lines += [""] if dangerous or _reasons(edit.foreseen) else []
        if edit.foreseen:
            lines += [github_table([[escaped(cell) for cell in row] for row in _rows(edit.foreseen)], _HEAD), ""]
        lines += _folded(edit)
    return "\n".join(lines).rstrip() + "\n"


def merging_text(edit: Edit | None) -> str:
    """Return what merging would do, for a terminal: `!` is dangerous, `+` deploys, `~` changes something else."""
    if edit is None or not (edit.foreseen or edit.differences):
        return ""
    lines = [
        f"{_SIGNS[one.danger]} {one.service or 'the inventory'}: {one.says}" for one in _beside(edit, dangerous=True)
    ]
    lines += [f"+ {_sentence(one, edit.differences)}" for one in edit.foreseen]
    lines += [f"  - {name}: {why}" for name, why in _reasons(edit.foreseen)]
    lines += [
        f"{_SIGNS[one.danger]} {one.service or 'the inventory'}: {one.says}" for one in _beside(edit, dangerous=False)
    ]
    if edit.foreseen:
        lines += ["", plain_table(_rows(edit.foreseen), _HEAD)]
    return "\n".join(lines) + "\n"


def merging_decision(findings: Sequence[Finding], edit: Edit | None, told: Told | None = None) -> str:
    """Return pass, fail or cannot_tell: the last where only approvals stand open, and they can't be told."""
    if merging_headline(findings, edit, told)[0]:
        return "pass"
    known = merging_headline(findings, edit)[0] and standing(told or ()) is Standing.UNKNOWN
    return "cannot_tell" if known else "fail"


def merging_data(findings: Sequence[Finding], edit: Edit | None, told: Told | None = None) -> dict[str, Any]:
    """Return the same for a program, `schema: 1`; `changes` is None where they can't be told."""
    return {
        "schema": SCHEMA,
        "goal": "check",
        "decision": merging_decision(findings, edit, told),
        "says": merging_headline(findings, edit, told)[1],
        "findings": findings_data((*findings, *unreviewed(told or ()))),
        "reviews": None if told is None else reviews_data(told),
        "changes": None if edit is None else [_data(one, edit.differences) for one in edit.foreseen],
        "differences": None
        if edit is None
        else [
            {"danger": one.danger.name.lower(), "service": one.service, "part": one.part, "says": one.says}
            for one in edit.differences
        ],
    }


def merging_json(findings: Sequence[Finding], edit: Edit | None, told: Told | None = None) -> str:
    """Return the same as text for a program."""
    return json_text(merging_data(findings, edit, told))


def _unapproved(told: Told | None) -> str:
    """Say which approvals stand open, or nothing."""
    return headline(told) if told and standing(told) is not Standing.APPROVED else ""


def _named(one: Difference) -> str:
    return f"**{escaped(one.service)}** {escaped(one.says)}" if one.service else escaped(one.says)


def _beside(edit: Edit, *, dangerous: bool) -> list[Difference]:
    """Return the differences that no sentence of a deploy has said already."""
    deployed = {one.change.service.name for one in edit.foreseen}
    return [
        one
        for one in edit.differences
        if (one.danger is Danger.DANGEROUS) == dangerous
        and (dangerous or not (one.service in deployed and one.part in _SENTENCE))
    ]


def _sentence(one: Foreseen, every: Iterable[Difference]) -> str:
    """Say in one sentence what a deploy is: sizes, pace, time, interfaces, callers, and the way back."""
    name = one.change.service.name
    more = [
        said.says
        for said in every
        if said.service == name and said.part in _SENTENCE - {"version"} and said.danger is not Danger.DANGEROUS
    ]
    if not isinstance(one.planned, Plan):
        head = f"{name} {_was(one)} -> {one.change.to}: refused for {count(len(one.planned), 'reason')}"
        return "; ".join([head, *more])
    if one.planned.idle:
        return "; ".join([f"{name} {one.change.to}: it is there already", *more])
    return "; ".join([plan_headline(one.planned), *more, f"the way back is {_back(one, one.planned)}"])


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
    if plan.back is BackKind.FORBIDDEN:
        return "none: it is forbidden"
    if lost:
        return f"none for {', '.join(lost[:3])}{' and others' if len(lost) > 3 else ''}"
    by = ", by hand only" if plan.back is BackKind.MANUAL else ""
    return f"{_was(one)}, proven before the first change{by}"


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


def _folded(edit: Edit) -> list[str]:
    lines: list[str] = []
    for one in edit.foreseen:
        if isinstance(one.planned, Plan) and not one.planned.idle:
            lines += ["", f"<details><summary>{escaped(_sentence(one, edit.differences))}</summary>", ""]
            lines += [plan_details(one.planned, one.change.service), "</details>"]
    rest = _beside(edit, dangerous=False)
    if rest:
        title = f"{count(len(rest), 'other change')} of the inventory"
        lines += [
            "",
            f"<details><summary>{title}</summary>",
            "",
            *(f"- {_named(one)}" for one in rest),
            "",
            "</details>",
        ]
    return lines


def _data(one: Foreseen, every: Iterable[Difference]) -> dict[str, Any]:
    plan = one.planned if isinstance(one.planned, Plan) else None
    return {
        "service": one.change.service.name,
        "from": _was(one),
        "source": one.source,
        "to": one.change.to,
        "says": _sentence(one, every),
        "instances": [move.instance for move in plan.moves] if plan else [],
        "expected": round(plan.expected, 3) if plan else None,
        "worst": round(plan.worst, 3) if plan else None,
        "refusals": [] if plan else findings_data(one.planned if isinstance(one.planned, tuple) else ()),
        "unprotected": list(plan.unprotected) if plan else [],
    }
