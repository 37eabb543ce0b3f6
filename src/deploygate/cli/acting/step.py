"""The main step from its first line to its last: whatever happens, its outputs and its summary say how it ended."""

import sys
import traceback
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

import click
import msgspec

from deploygate.adapters.github.events import occasion
from deploygate.adapters.runner import Runner
from deploygate.cli.acting.back import back
from deploygate.cli.acting.check import check
from deploygate.cli.acting.concealing import Concealed
from deploygate.cli.acting.deploy import deploy
from deploygate.cli.acting.desk import Desk, Step
from deploygate.cli.acting.gates import Gates
from deploygate.cli.acting.inputs import Inputs, parsed
from deploygate.cli.acting.looking import look
from deploygate.cli.acting.outcome import OUTPUTS, Outcome
from deploygate.endings import EXIT_CODES, MEANINGS, Ending, Goal
from deploygate.errors import GateError, InventoryError
from deploygate.report import escaped, findings_data, findings_markdown, findings_text
from deploygate.wording import plain

PHASE, CLOSED = "PHASE", "closed"
RESULT = 120_000  # bytes of the output `result`: Linux lets no variable of a later step be longer than 128 KiB


def main_step(given: Mapping[str, str], environ: Mapping[str, str]) -> int:
    """Do what the inputs ask for, and return the exit code."""
    runner = Runner(environ, write)
    concealed = Concealed()
    secrets = [given.get("token", ""), given.get("ssh_key", "")]
    concealed.know(secrets)
    for secret in secrets:
        runner.mask(secret)
    runner.hush()
    runner.state(PHASE, "begun")
    try:
        inputs = parsed(given)
    except GateError as error:
        return _end(runner, None, _failed(error), {})
    desk = open_desk(inputs, environ, runner, concealed)
    gates = Gates(desk, environ)
    try:
        outcome = _done(desk, gates)
    except GateError as error:
        outcome = _failed(error)
        _show_refusal(desk, error, outcome)
    except (click.Abort, KeyboardInterrupt):
        outcome = _plain(Ending.INTERRUPTED, f"stopped before a run began: {MEANINGS[Ending.INTERRUPTED]}")
    except Exception as error:  # noqa: BLE001 - a defect of ours has outputs, and a last word, as well
        sys.stderr.write(concealed.hide(traceback.format_exc()))
        outcome = replace(_plain(Ending.INTERNAL_ERROR, f"{type(error).__name__}: {error}"), interrupted=True)
    if desk.going:
        desk.comment(outcome.markdown)
    desk.close(hurried=outcome.interrupted or outcome.reason_code == Ending.INTERRUPTED)
    return _end(runner, desk, outcome, gates.outputs())


def open_desk(inputs: Inputs, environ: Mapping[str, str], runner: Runner, concealed: Concealed) -> Desk:
    """Return the desk of a step."""
    return Desk(Step(occasion(environ), inputs, runner, concealed))


def _done(desk: Desk, gates: Gates) -> Outcome:
    match desk.inputs.verb:
        case "deploy":
            return deploy(desk, gates)
        case "rollback":
            return back(desk, gates, Goal.ROLLBACK)
        case "restore":
            return back(desk, gates, Goal.RESTORE)
        case "observe":
            return look(desk, gates)
        case _:
            return check(desk, gates)


def _failed(error: GateError) -> Outcome:
    findings = error.findings if isinstance(error, InventoryError) else ()
    data = {"says": error.says, "help": error.help, "findings": findings_data(findings)}
    outcome = _plain(error.ending, error.says, error.help)
    table = f"\n{findings_markdown(findings[:30])}" if findings else ""
    return replace(outcome, data=outcome.data | data, markdown=outcome.markdown + table)


def _plain(ending: Ending, says: str, advice: str = "") -> Outcome:
    """Return what comes of a step that could not even begin."""
    code = EXIT_CODES[ending]
    return Outcome(
        decision="cannot_tell" if ending in {Ending.CANNOT_TELL, Ending.INTERNAL_ERROR} else "fail",
        reason_code=ending,
        exit_code=code,
        says=f"{ending}: {plain(says, 500)}",
        markdown=f"### ❌ `{ending}` {escaped(plain(says, 500))}\n\n{escaped(plain(advice, 500))}\n",
        data={"schema": 1, "ending": ending, "reason_code": ending, "exit_code": code, "says": says},
    )


def _show_refusal(desk: Desk, error: GateError, outcome: Outcome) -> None:
    if isinstance(error, InventoryError):
        desk.say(findings_text(error.findings))
    desk.say(f"✘ {outcome.says}\n" + (f"  now   {error.help}\n" if error.help else ""))


def _end(runner: Runner, desk: Desk | None, outcome: Outcome, more: Mapping[str, str]) -> int:
    """Write the outputs and the summary, and return the exit code."""
    notes = desk.notes if desk else []
    hide = desk.concealed.hide if desk else str
    outputs = dict.fromkeys(OUTPUTS, "") | {
        "decision": outcome.decision,
        "reason_code": outcome.reason_code,
        "exit_code": str(outcome.exit_code),
        "service": outcome.service,
        "version": outcome.version,
        "environment": outcome.environment,
        "run": outcome.run,
        "comment_url": desk.comment_url if desk else "",
        "put_back_url": outcome.put_back_url,
        "changed": "true" if outcome.changed else "false",
        **more,
        "result": _result(outcome, notes),
    }
    folded = [f"- {escaped(note)}" for note in notes]
    if folded:
        folded = ["<details><summary>What could not be told or asked</summary>", "", *folded, "", "</details>"]
    try:
        for name, value in outputs.items():
            runner.output(name, hide(value))
        runner.summary(hide("\n".join([outcome.markdown, *folded, ""])))
        if outcome.exit_code:
            runner.fail("deploygate", hide(plain(outcome.says, 1000)))
        runner.state(PHASE, "begun" if outcome.interrupted else CLOSED)
    except OSError as error:
        sys.stderr.write(f"note: the runner could not be told: {error.strerror}\n")
    return outcome.exit_code


def _result(outcome: Outcome, notes: Sequence[str]) -> str:
    """Return the output `result`; where a fleet is too large for it, its lists are left out, and named."""
    whole: dict[str, Any] = {
        "schema": 1,
        "decision": outcome.decision,
        "reason_code": outcome.reason_code,
        "exit_code": outcome.exit_code,
        "says": outcome.says,
    } | outcome.data
    whole["notes"] = [*whole.get("notes", ()), *notes]
    encoded = msgspec.json.encode(whole)
    if len(encoded) > RESULT:
        lists = [key for key, value in whole.items() if isinstance(value, list | tuple)]
        short = {key: value for key, value in whole.items() if key not in lists}
        encoded = msgspec.json.encode(short | {"left_out": lists})
    return encoded.decode()


def write(text: str) -> None:
    """Print at once: a runner reads what is printed and what is written to files at different times."""
    with suppress(OSError):
        sys.stdout.write(text)
        sys.stdout.flush()
