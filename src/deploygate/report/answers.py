"""May it be deployed, and rolled back? The verdict of each first, then the reasons, then who fits beside whom."""

from collections.abc import Sequence
from typing import Any, assert_never

from deploygate.admission import Answer, Half
from deploygate.can import Can
from deploygate.findings import Finding
from deploygate.foreseen import Source
from deploygate.interfaces import Pair
from deploygate.inventory import BackKind
from deploygate.report.findings import findings_data, findings_markdown, findings_text
from deploygate.report.forms import SCHEMA, escaped, github_table, json_text, plain_table
from deploygate.wording import count, plain

_SIGNS = {Answer.YES: "✔", Answer.NO: "✘", Answer.CANNOT_TELL: "?"}
_MARKS = {Answer.YES: "✅", Answer.NO: "❌", Answer.CANNOT_TELL: "❔"}
_SOURCES = {
    Source.OBSERVED: "as observed now",
    Source.RECORDED: "as recorded and declared; nothing was asked",
    Source.DECLARED: "as declared; nothing was asked",
}


def can_text(told: Can) -> str:
    """Return the answer for a terminal."""
    lines = [
        f"{_SIGNS[told.deploy.answer]} deploy    {_deploy(told)}",
        f"{_SIGNS[told.rollback.answer]} rollback  {_rollback(told)}",
    ]
    reasons = findings_text(_reasons(told))
    head, rows = _table(told)
    table = f"\n{plain_table(rows, head)}\n({_SOURCES[told.source]})\n" if rows else f"\n({_SOURCES[told.source]})\n"
    return "\n".join(lines) + "\n" + (f"\n{reasons}" if reasons else "") + table


def can_markdown(told: Can) -> str:
    """Return the answer for a comment."""
    lines = [
        f"- {_MARKS[told.deploy.answer]} **deploy**: {escaped(_deploy(told))}",
        f"- {_MARKS[told.rollback.answer]} **rollback**: {escaped(_rollback(told))}",
        "",
    ]
    reasons = _reasons(told)
    lines += [findings_markdown(reasons)] if reasons else []
    head, rows = _table(told)
    if rows:
        cells = [[escaped(cell) for cell in row] for row in rows]
        lines += [github_table(cells, [escaped(one) for one in head]), "", ""]
    return "\n".join(lines) + f"_{_SOURCES[told.source]}_\n"


def can_json(told: Can) -> str:
    """Return the answer for a program, `schema: 1`."""
    return json_text(can_data(told))


def can_data(told: Can) -> dict[str, Any]:
    """Return the answer as plain data."""
    return {
        "schema": SCHEMA,
        "service": told.service.name,
        "version": told.version,
        "environments": list(told.environments),
        "source": told.source,
        "answer": told.answer,
        "there": told.there,
        "deploy": _half(told.deploy, _deploy(told)),
        "rollback": _half(told.rollback, _rollback(told)) | {"to": list(told.returns)},
        "pairs": [
            {
                "environment": one.environment,
                "version": one.ours,
                "neighbour": one.neighbour,
                "neighbour_version": one.theirs,
                "runs": one.runs,
                "fits": one.fits,
                "lost": [str(lost) for lost in one.lost],
                "missing": [str(missing) for missing in one.missing],
            }
            for one in told.pairs
        ],
    }


def _half(half: Half, says: str) -> dict[str, Any]:
    return {"answer": half.answer, "says": says, "reasons": findings_data(half.reasons)}


def _deploy(told: Can) -> str:
    name, where = f"{told.service.name} {told.version}", " and ".join(told.environments)
    answer = told.deploy.answer
    match answer:
        case Answer.YES:
            return f"{name} runs in {where} already" if told.there else f"{name} may be deployed in {where}"
        case Answer.NO:
            why = count(len(told.deploy.against), "reason")
            return f"{name} may not be deployed in {where}, for {why}"
        case Answer.CANNOT_TELL:
            return f"it can't be told whether {name} may be deployed in {where}"
        case _:
            assert_never(answer)


def _rollback(told: Can) -> str:
    name, back = told.service.name, f" to {' and '.join(told.returns)}" if told.returns else ""
    answer = told.rollback.answer
    match answer:
        case Answer.YES:
            manual = told.service.release(told.version).rollback
            by_hand = f", by hand only: {plain(manual.reason)}" if manual.kind is BackKind.MANUAL else ""
            return f"{name} may then go back{back}{by_hand}"
        case Answer.NO:
            return f"{name} may not go back{back} afterwards, for {count(len(told.rollback.against), 'reason')}"
        case Answer.CANNOT_TELL:
            return f"it can't be told whether {name} may go back{back} afterwards"
        case _:
            assert_never(answer)


def _reasons(told: Can) -> Sequence[Finding]:
    every = (*told.deploy.against, *told.rollback.against, *told.deploy.doubts, *told.rollback.doubts)
    return list({one.says: one for one in every}.values())


def _table(told: Can) -> tuple[list[str], list[list[str]]]:
    """Return a line for each version of a neighbour, and a column for each version of the service."""
    ours = list(dict.fromkeys((told.version, *told.returns)))
    head = ["neighbour", "runs", "in", *(f"beside {told.service.name} {one}" for one in ours)]
    rows: dict[tuple[str, str, str], dict[str, str]] = {}
    for pair in told.pairs:
        runs = pair.theirs if pair.runs else f"maybe {pair.theirs}"
        rows.setdefault((pair.neighbour, runs, pair.environment), {})[pair.ours] = _cell(pair)
    return head, [[*key, *(cells.get(one, "") for one in ours)] for key, cells in rows.items()]


def _cell(pair: Pair) -> str:
    if pair.fits:
        return _SIGNS[Answer.YES]
    told = [f"it loses {one}" for one in pair.lost] + [f"it lacks {one}" for one in pair.missing]
    return f"{_SIGNS[Answer.NO if pair.runs else Answer.CANNOT_TELL]} {', '.join(told)}"
