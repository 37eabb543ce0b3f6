"""An account, a plan or findings -> text for a terminal, Markdown for a comment, JSON for a program."""

import json
from collections.abc import Sequence
from typing import Any

import msgspec
from tabulate import tabulate

from deploygate.account import Account, Row, effort, from_versions
from deploygate.endings import exit_code, succeeded
from deploygate.events import Action, Change, Look, Prove, Prune, RaiseRollback, ReleaseLock, Stage, Switch, TakeLock
from deploygate.findings import Finding
from deploygate.inventory import Service
from deploygate.names import PRODUCTION
from deploygate.observation import Observed
from deploygate.plan import Plan
from deploygate.wording import count, seconds

SCHEMA = 1
_HEAD = ("instance", "environment", "version", "health", "state", "")
_STEPS = ("step", "instance", "environment", "from", "to", "watched for")


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


def as_markdown(account: Account) -> str:
    """Return an account for a comment: the verdict on top, one table, the rest folded away."""
    good = succeeded(account.ending, account.goal)
    lines = [f"### {'✅' if good else '❌'} `{account.ending}` {escaped(account.headline)}", ""]
    lines += [f"- **{word}**: {escaped(text)}" for word, text in _explained(account)]
    lines += [f"- **{reason.rule}**: {escaped(reason.says)}. {escaped(reason.help)}" for reason in account.reasons]
    if account.rows:
        rows = [[escaped(cell) for cell in _cells(row)] for row in account.rows]
        lines += ["", _github(rows, _HEAD)]
    if account.notes:
        lines += ["", "<details><summary>What this run did not guard against</summary>", ""]
        lines += [f"- {escaped(note)}" for note in account.notes]
        lines += ["", "</details>"]
    took = f", {seconds(account.elapsed)}" if account.elapsed else ""
    return "\n".join([*lines, "", f"<sub>deploygate, run {escaped(account.run)}{took}</sub>", ""])


def as_json(account: Account) -> str:
    """Return an account for a program, `schema: 1`; `reason_code` is from the closed list of endings."""
    return _json(
        {
            "schema": SCHEMA,
            "run": account.run,
            "goal": account.goal,
            "service": account.service,
            "version": account.version,
            "ending": account.ending,
            "reason_code": account.ending,
            "decision": "pass" if succeeded(account.ending, account.goal) else "fail",
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
    )


def findings_text(findings: Sequence[Finding]) -> str:
    """Return findings as people read compiler output, the place first, and how to mend each below it."""
    return "".join(
        f"{finding.where}: {finding.severity}: {finding.says} [{finding.rule}]\n    {finding.help}\n"
        for finding in findings
    )


def findings_markdown(findings: Sequence[Finding]) -> str:
    """Return findings as one table."""
    rows = [[escaped(str(one.where)), one.rule, escaped(one.says), escaped(one.help)] for one in findings]
    return _github(rows, ("where", "rule", "what is wrong", "what to do")) + "\n"


def findings_data(findings: Sequence[Finding]) -> list[dict[str, Any]]:
    """Return findings as plain data."""
    return [
        {
            "rule": one.rule,
            "severity": one.severity.value,
            "file": one.where.file,
            "line": one.where.line,
            "column": one.where.column,
            "says": one.says,
            "help": one.help,
        }
        for one in findings
    ]


def findings_json(findings: Sequence[Finding]) -> str:
    """Return findings for a program, `schema: 1`."""
    return _json({"schema": SCHEMA, "findings": findings_data(findings)})


def plan_text(plan: Plan, service: Service) -> str:
    """Return a plan for a terminal: what changes and how far it reaches, then the steps."""
    if not plan.moves:
        return _plan_headline(plan) + "\n"
    lines = [_plan_headline(plan), f"  reach {_reach(plan)}", f"  back  {_way_back(plan)}"]
    lines.append(f"  who   ops {service.owners.ops}, dev {service.owners.dev}, pm {service.owners.pm}")
    lines += ["", _plain(_steps(plan), _STEPS)]
    lines += [f"  not protected: {note}" for note in plan.unprotected]
    return "\n".join(lines) + "\n"


def plan_markdown(plan: Plan, service: Service) -> str:
    """Return a plan for a comment."""
    if not plan.moves:
        return f"### {escaped(_plan_headline(plan))}\n"
    steps = [[escaped(cell) for cell in row] for row in _steps(plan)]
    owners = f"ops {service.owners.ops}, dev {service.owners.dev}, pm {service.owners.pm}"
    notes = [f"- **not protected**: {escaped(note)}" for note in plan.unprotected]
    return "\n".join(
        [
            f"### {escaped(_plan_headline(plan))}",
            "",
            f"- **reach**: {escaped(_reach(plan))}",
            f"- **back**: {escaped(_way_back(plan))}",
            f"- **who**: {escaped(owners)}",
            *notes,
            "",
            _github(steps, _STEPS),
            "",
        ]
    )


def plan_json(plan: Plan, service: Service) -> str:
    """Return a plan for a program, `schema: 1`."""
    owners = {"ops": service.owners.ops, "dev": service.owners.dev, "pm": service.owners.pm}
    return _json({"schema": SCHEMA, "owners": owners, "plan": msgspec.to_builtins(plan, order="sorted")})


def action_line(action: Action) -> str:
    """Return an action as a line for people."""
    match action:
        case TakeLock(rank):
            return f"take the lock, as a {rank}"
        case Stage(releases):
            versions = ", ".join(sorted({one.version for one in releases}))
            return f"stage {versions or 'nothing'} beside what runs ({count(len(releases), 'instance')})"
        case Prove(releases):
            versions = ", ".join(sorted({one.version for one in releases}))
            return f"prove that {versions or 'nothing'} can be started, forwards and back"
        case Switch(changes):
            return "; ".join(change_line(change) for change in changes)
        case Look(names):
            return f"look at {', '.join(names[:4])}{' and others' if len(names) > 4 else ''}"
        case RaiseRollback(reason):
            return f"raise the rollback: {reason}"
        case Prune(_, protect):
            return f"remove old releases, but never {', '.join(protect)}"
        case ReleaseLock():
            return "let go of the lock"


def change_line(change: Change) -> str:
    """Return one change as people say it: `adcaster-1: kill 1.2, start 2.0`."""
    stop = f"kill {change.stop}, " if change.stop else ""
    return f"{change.instance}: {stop}" + (f"start {change.start}" if change.start else "start nothing")


def escaped(text: str) -> str:
    """Return text that Markdown shows as it is: no markup, no mention, no link comes of it."""
    out = "".join(f"\\{char}" if char in "\\`*_{}[]()#+!|~$" else char for char in " ".join(text.splitlines()))
    out = out.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    out = out.replace("@", "@\u200b").replace("#", "#\u200b")  # people and issues are found after the markup is gone
    return out.replace("://", ":\u200b//").replace("www.", "www\u200b.")


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
    cells = [_cells(row) for row in rows]
    head: tuple[str, ...] = _HEAD
    if not any(row.says for row in rows):
        cells, head = [line[:-1] for line in cells], head[:-1]
    return _plain(cells, head)


def _plain(rows: Sequence[Sequence[str]], head: Sequence[str]) -> str:
    return tabulate(rows, headers=head, disable_numparse=True)  # version 1.10 is not the number 1.1


def _github(rows: Sequence[Sequence[str]], head: Sequence[str]) -> str:
    return tabulate(rows, headers=head, tablefmt="github", disable_numparse=True)


def _plan_headline(plan: Plan) -> str:
    if not plan.moves:
        return f"{plan.service} {plan.version}: nothing to do, it is there already"
    sizes: dict[str, int] = {}
    for move in plan.moves:
        sizes[move.environment] = sizes.get(move.environment, 0) + 1
    where = " and ".join(count(size, f"{environment} instance") for environment, size in sizes.items())
    return f"{plan.service} {from_versions(plan.moves)} -> {plan.version}: {where}, one at a time, {effort(plan)}"


def _reach(plan: Plan) -> str:
    size = sum(1 for environment in plan.instances.values() if environment == PRODUCTION)
    if not size:
        return "no production instance"
    return f"at most 1 of {count(size, 'production instance')} unproven at any time ({100 / size:.0f}% of its traffic)"


def _way_back(plan: Plan) -> str:
    known = [move for move in plan.moves if move.was]
    if len(known) < len(plan.moves):
        return f"{count(len(plan.moves) - len(known), 'instance')} of {len(plan.moves)} have no version to come back to"
    proven = "not proven, as waived" if "way-back" in plan.waived else "proven before the first change"
    return f"to {from_versions(plan.moves)}, by kill and start, {proven}"


def _steps(plan: Plan) -> list[tuple[str, ...]]:
    return [
        (
            str(number),
            move.instance,
            move.environment,
            move.was or "-",
            move.to,
            seconds(plan.watch.min_healthy + move.bake) + (" (bake)" if move.bake else ""),
        )
        for number, move in enumerate(plan.moves, start=1)
    ]


def _json(data: dict[str, Any]) -> str:
    return json.dumps(data, indent=2, ensure_ascii=False) + "\n"


def actions_json(lines: Sequence[str]) -> str:
    """Return the actions of a rehearsal for a program, `schema: 1`."""
    return _json({"schema": SCHEMA, "actions": list(lines)})


_OBSERVED = ("service", "instance", "environment", "health", "version", "last change", "by", "drift", "")


def observed_text(rows: Sequence[Observed]) -> str:
    """Return an observation for a terminal: the verdict, then the table."""
    off = sum(1 for row in rows if not row.as_wanted)
    verdict = (
        f"✘ {off} of {count(len(rows), 'instance')} not as wanted"
        if off
        else f"✔ {count(len(rows), 'instance')}, all as wanted"
    )
    return f"{verdict}\n\n{_plain([_observed_cells(row) for row in rows], _OBSERVED)}\n"


def observed_markdown(rows: Sequence[Observed]) -> str:
    """Return an observation as a table."""
    cells = [[escaped(cell) for cell in _observed_cells(row)] for row in rows]
    return _github(cells, _OBSERVED) + "\n"


def observed_json(rows: Sequence[Observed]) -> str:
    """Return an observation for a program, `schema: 1`."""
    return _json(
        {"schema": SCHEMA, "instances": [msgspec.to_builtins(row) | {"as_wanted": row.as_wanted} for row in rows]}
    )


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
