"""A step's runner: the one writer of workflow commands, outputs, state and the summary."""

import secrets
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from deploygate.adapters.runner.spelling import MESSAGE, command, entry
from deploygate.findings import Finding, Severity
from deploygate.report import cut

SUMMARY = 900 * 1024  # bytes; above 1 MiB a runner drops the whole summary
_COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "notice"}
ANNOTATIONS = 9  # of one kind a step: GitHub shows ten, and one says why the step failed; the others are in the log


class Runner:
    """Tells a runner things; `environ` names its files. Between two commands it obeys nothing that is printed.

    `write` prints text to the step's standard output, at once.
    """

    def __init__(self, environ: Mapping[str, str], write: Callable[[str], object]) -> None:
        self._environ = environ
        self._write = write
        self._token = ""

    def hush(self) -> None:
        """Make the runner obey nothing that is printed from now on, whoever it comes from."""
        if not self._token:
            self._token = secrets.token_hex(16)
            self._write(command("stop-commands", self._token) + "\n")

    def mask(self, value: str) -> None:
        """Have a secret hidden in the log: each of its lines."""
        lines = [line.strip() for line in value.splitlines() if len(line.strip()) > 3]
        self._tell([command("add-mask", line) for line in lines])

    def annotate(self, findings: Sequence[Finding]) -> None:
        """Show findings at the lines of the files that they are about, errors first."""
        lines = []
        for severity, named in _COMMANDS.items():
            some = [one for one in findings if one.severity is severity]
            for one in some[:ANNOTATIONS]:
                place: dict[str, str | int] = {
                    "file": one.where.file,
                    "line": one.where.line,
                    "col": one.where.column,
                    "title": one.rule,
                }
                lines.append(command(named, f"{one.says}. {one.help}"[:MESSAGE], place))
        self._tell(lines)

    def fail(self, title: str, says: str) -> None:
        """Show why the step failed, as an annotation of the run."""
        self._tell([command("error", says[:MESSAGE], {"title": title})])

    def group(self, title: str, text: str) -> None:
        """Print lines that are folded away under a title."""
        self._tell([command("group", title)])
        self._write(text if text.endswith("\n") else f"{text}\n")
        self._tell([command("endgroup", "")])

    def output(self, name: str, value: str) -> None:
        """Set an output of the step."""
        self._append("GITHUB_OUTPUT", entry(name, value))

    def state(self, name: str, value: str) -> None:
        """Keep a value for the post step, which finds it as STATE_<name>; it outlives a kill of this step."""
        self._append("GITHUB_STATE", entry(name, value))

    def summary(self, markdown: str) -> None:
        """Show the summary of the step, in place of the one before; cut at a line before a runner would drop it."""
        where = self._environ.get("GITHUB_STEP_SUMMARY")
        if where:
            Path(where).write_text(cut(markdown, SUMMARY, ""), encoding="utf-8", errors="backslashreplace")

    def _append(self, variable: str, text: str) -> None:
        where = self._environ.get(variable)
        if where:
            with Path(where).open("a", encoding="utf-8", errors="backslashreplace") as file:
                file.write(text)

    def _tell(self, lines: Sequence[str]) -> None:
        """Print commands that are obeyed, and nothing beside them."""
        if lines:
            held = self._token
            before = f"::{held}::\n" if held else ""
            self._token = secrets.token_hex(16) if held else ""
            after = command("stop-commands", self._token) + "\n" if held else ""
            self._write(before + "".join(line + "\n" for line in lines) + after)
