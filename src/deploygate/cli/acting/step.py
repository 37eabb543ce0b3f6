"""The main step from its first line to its last: whatever happens, its outputs and its summary say how it ended."""

import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from types import MappingProxyType
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
from deploygate.cli.acting.gates import CUT_OFF, Gates
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
    told = Told(runner, concealed)
    told.began()
    try:
        inputs = parsed(given)
        desk = open_desk(inputs, environ, runner, concealed)
        gates = Gates(desk, environ)
    except GateError as error:
        return told.end(_failed(error))
    except Exception as error:  # noqa: BLE001 - what is said of it must be harmless
        return told.end(_broken(error, concealed.hide))
    try:
        outcome = _done(desk, gates)
    except GateError as error:
        outcome = _failed(error)
        _show_refusal(desk, error, outcome)
        if inputs.verb == "deploy":
            desk.comment(outcome.markdown, giving_way=not desk.going)
    except (click.Abort, KeyboardInterrupt):
        outcome = _plain(Ending.INTERRUPTED, f"stopped before a run began: {MEANINGS[Ending.INTERRUPTED]}")
    except Exception as error:  # noqa: BLE001 - what is said of it must be harmless
        outcome = _broken(error, concealed.hide)
    if desk.going:
        desk.comment(outcome.markdown)
    cut_off = outcome.interrupted or outcome.reason_code in CUT_OFF
    whole = desk.close(hurried=outcome.interrupted or outcome.reason_code == Ending.INTERRUPTED)
    closed = whole and desk.settled and gates.settled and not cut_off
    about = {"comment_url": desk.comment_url, **gates.outputs()}
    return told.end(outcome, desk.notes, about, closed=closed)


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
    outcome = _plain(error.ending, error.says, error.help)
    data = {"says": plain(error.says, 500), "help": plain(error.help, 500), "findings": findings_data(findings)}
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
        data={"schema": 1, "ending": ending, "reason_code": ending, "exit_code": code, "says": plain(says, 500)},
    )


def unforeseen(error: BaseException) -> str:
    """Return what a defect of the gate says of itself in one line: what broke, and where, never with whose values."""
    frames = traceback.extract_tb(error.__traceback__)[-3:]
    places = " < ".join(f"{Path(frame.filename).name}:{frame.lineno}" for frame in reversed(frames))
    return f"{type(error).__name__} at {places}: {plain(str(error), 200)}"


def _broken(error: Exception, hide: Callable[[str], str]) -> Outcome:
    """Return what comes of a step that a defect of the gate has ended; the post step looks at what it left."""
    says = hide(unforeseen(error))
    write(f"✘ {Ending.INTERNAL_ERROR}  {says}\n")
    return _plain(Ending.INTERNAL_ERROR, says, f"It is {MEANINGS[Ending.INTERNAL_ERROR]}.")


def _show_refusal(desk: Desk, error: GateError, outcome: Outcome) -> None:
    if isinstance(error, InventoryError):
        desk.say(findings_text(error.findings))
    desk.say(f"✘ {outcome.says}\n" + (f"  now   {plain(error.help, 500)}\n" if error.help else ""))


class Told:
    """What a runner is told of a step at its end: each by itself, so that one that fails does not hide the rest."""

    def __init__(self, runner: Runner, concealed: Concealed) -> None:
        self._runner = runner
        self._hide = concealed.hide

    def began(self) -> None:
        """Tell the post step that there is something to do for it, and since when."""
        self.phase("begun")
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        self._try("its state", lambda: self._runner.state("SINCE", now))

    def phase(self, phase: str) -> None:
        """Tell the post step whether it has anything to do."""
        self._try("its state", lambda: self._runner.state(PHASE, phase))

    def end(
        self,
        outcome: Outcome,
        notes: Sequence[str] = (),
        about: Mapping[str, str] = MappingProxyType({}),
        *,
        closed: bool = True,
    ) -> int:
        """Write the outputs and the summary, and return the exit code."""
        for name, value in _outputs(outcome, notes, about).items():
            self._try(f"the output {name}", partial(self._runner.output, name, self._hide(value)))
        self._try("the summary", lambda: self._runner.summary(self._hide(_summary(outcome, notes))))
        if outcome.exit_code:
            says = self._hide(plain(outcome.says, 1000))
            self._try("why it failed", lambda: self._runner.fail("deploygate", says))
        self.phase(CLOSED if closed else "begun")
        return outcome.exit_code

    def _try(self, what: str, tell: Callable[[], None]) -> None:
        try:
            tell()
        except OSError as error:
            with suppress(OSError):
                sys.stderr.write(f"note: the runner could not be told {what}: {error.strerror}\n")


def _outputs(outcome: Outcome, notes: Sequence[str], about: Mapping[str, str]) -> dict[str, str]:
    return dict.fromkeys(OUTPUTS, "") | {
        "decision": outcome.decision,
        "reason_code": outcome.reason_code,
        "exit_code": str(outcome.exit_code),
        "service": outcome.service,
        "version": outcome.version,
        "environment": outcome.environment,
        "run": outcome.run,
        "put_back_url": outcome.put_back_url,
        "changed": "true" if outcome.changed else "false",
        **about,
        "result": _result(outcome, notes),
    }


def _summary(outcome: Outcome, notes: Sequence[str]) -> str:
    folded = [f"- {escaped(note)}" for note in notes]
    if folded:
        folded = ["<details><summary>What could not be told or asked</summary>", "", *folded, "", "</details>"]
    return "\n".join([outcome.markdown, *folded, ""])


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
