"""Where one event is told of: statuses, the comment, the summary, annotations and outputs, each by itself.

What can't be told at one place is said at the others, once, and changes nothing else.
"""

import os
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from deploygate.adapters.github.client import ORDINARY, QUICK, Hub
from deploygate.adapters.github.comments import Sticky
from deploygate.adapters.github.dispatching import address
from deploygate.adapters.github.errands import Errands
from deploygate.adapters.github.line import Patience
from deploygate.adapters.github.statuses import State, set_status
from deploygate.adapters.github.trouble import Denied, GitHubTrouble
from deploygate.adapters.runner import Runner
from deploygate.cli.acting.concealing import Concealed
from deploygate.cli.acting.inputs import Inputs
from deploygate.findings import Finding
from deploygate.occasion import Occasion
from deploygate.wording import plain

if TYPE_CHECKING:
    from deploygate.ports import Clock

Answer = TypeVar("Answer")
_KEY = "deploygate"  # of the one comment; a check of one service has its own
CLOSING = 20.0  # seconds at the end of a step for what is still to be written
HURRIED = 3.0  # the same, where a runner is about to kill the step
_FOR_GOOD = {401, 403, 404, 410}  # answers that the next attempt would get as well


@dataclass(frozen=True, slots=True)
class Step:
    """What a step knows from its first line: why it was called, what it was given, and whom it tells."""

    occasion: Occasion
    inputs: Inputs
    runner: Runner
    concealed: Concealed


class Desk:
    """The places where people look. What is asked of GitHub is done in order, by a thread of its own, beside the run.

    `clock` is that of the run under way: once it was asked to stop, GitHub is asked for two seconds a call, and once.
    """

    def __init__(self, step: Step) -> None:
        self.occasion = step.occasion
        self.inputs = step.inputs
        self.runner = step.runner
        self.concealed = step.concealed
        self.pull = step.occasion.pull
        self.clock: Clock | None = None
        self.comment_url = ""
        self.going = False  # whether the comment says that more is to come
        self.notes: list[str] = []
        self.errands = Errands(self.note)
        self._hubs: dict[str, Hub] = {}
        self._stickies: dict[Hub, Sticky] = {}
        self._off: set[str] = set()
        self._pending: set[tuple[str, str]] = set()  # commits and contexts that may be shown as pending
        self.online = self._reached()
        if self.online and self.occasion.fork:
            self.note("the change comes from a fork, whose token may only read: no status, comment or deployment")

    def _reached(self) -> bool:
        """Tell whether there is a way to GitHub: nothing is asked yet."""
        if not (self.inputs.token.reveal() and self.occasion.repository):
            self.note("there is no token: no status, comment or deployment is written")
            return False
        try:
            self._hubs["ordinary"] = self.new_hub(ORDINARY)
        except GitHubTrouble as trouble:
            self.note(f"no status, comment or deployment is written: {trouble.says}")
            return False
        return True

    def conceal(self, secrets: Sequence[str]) -> None:
        """Take secrets out of whatever is told from now on, here and in the log of the runner."""
        self.concealed.know(secrets)
        with suppress(OSError):
            for secret in secrets:
                self.runner.mask(secret)

    def in_repository(self, path: Path) -> str:
        """Return a path as it is in the repository, whose top is where a step begins."""
        return Path(os.path.relpath(path)).as_posix()

    @property
    def settled(self) -> bool:
        """Whether no status that was begun is left as pending; to be asked once all is written."""
        return not self._pending

    def note(self, says: str) -> None:
        """Take down what could not be done, to be told once at the end, and in the log at once."""
        said = self.concealed.hide(plain(says, 300))
        if said not in self.notes:
            self.notes.append(said)
            with suppress(OSError):
                sys.stderr.write(f"note: {said}\n")

    def say(self, text: str) -> None:
        """Print for people who read the log."""
        with suppress(OSError):
            click.echo(self.concealed.hide(text), nl=False)

    def status(self, context: str, state: State, says: str, sha: str = "") -> None:
        """Set a commit status: on the commit of the event, or on another one."""
        url, where, said = self.occasion.run_url, sha or self.occasion.sha, self.concealed.hide(says)
        if self.inputs.statuses == "none" or not where:
            return

        def show(hub: Hub) -> None:
            self._pending.add((where, context))
            set_status(hub, where, context, state, said, url)
            if state != "pending":
                self._pending.discard((where, context))

        self.write("statuses", show)

    def comment(self, markdown: str, pull: int | None = None, *, going: bool = False, giving_way: bool = False) -> None:
        """Show the one comment on the pull request, in place of the earlier one: what it would do, then what it did.

        `going` says that more is to come; then the step owes another one, however it ends. With `giving_way` one that
        another run has written about the same commit is left as it is.
        """
        self.going = going
        at, number = self.occasion, pull or self.pull
        text = self.concealed.hide(markdown).rstrip()
        gap = " · " if text.endswith("</sub>") else "\n\n"
        said = f"{text}{gap}<sub>[workflow run]({at.run_url}) of {at.sha[:7]}</sub>\n"
        narrowed = self.inputs.service if self.inputs.verb == "check" else ""
        key = f"{_KEY}/{narrowed}" if narrowed else _KEY
        if self.inputs.comment and number is not None:

            def show(hub: Hub) -> None:
                self.comment_url = address(self._sticky(hub).show(number, key, said, giving_way=giving_way))

            self.write("comment", show)

    def _sticky(self, hub: Hub) -> Sticky:
        if hub not in self._stickies:
            at = self.occasion
            self._stickies[hub] = Sticky(hub, (at.run_id, at.attempt), at.sha, at.run_url)
        return self._stickies[hub]

    def summary(self, markdown: str) -> None:
        """Show the summary of the step."""
        try:
            self.runner.summary(self.concealed.hide(markdown))
        except OSError as error:
            self.note(f"the summary can't be written: {error.strerror}")

    def annotate(self, findings: Sequence[Finding]) -> None:
        """Show findings at their lines."""
        with suppress(OSError):
            self.runner.annotate([self._concealed(finding) for finding in findings])

    def _concealed(self, finding: Finding) -> Finding:
        where = replace(finding.where, file=self.concealed.hide(finding.where.file))
        says, advice = self.concealed.hide(finding.says), self.concealed.hide(finding.help)
        return replace(finding, where=where, says=says, help=advice)

    def write(self, surface: str, job: Callable[[Hub], object]) -> None:
        """Have something written through GitHub's API, in its turn; where that is denied, it is not tried again."""
        if surface in self._off or not self.online or self.occasion.fork:
            return

        def attempt() -> None:
            if surface in self._off:
                return
            try:
                job(self.hub())
            except GitHubTrouble as trouble:
                if isinstance(trouble, Denied) or trouble.status in _FOR_GOOD:
                    self._off.add(surface)
                self.note(f"{surface}: {trouble.says}")

        self.errands.submit(attempt)

    def ask(self, job: Callable[[Hub], Answer], budget: float) -> Answer:
        """Ask GitHub something and wait for the answer, for `budget` seconds at the most.

        Raises:
            GitHubTrouble: There is no answer.
        """
        if not self.online:
            raise GitHubTrouble("there is no token to ask GitHub with")
        return self.errands.ask(lambda: job(self.hub()), budget)

    def hub(self) -> Hub:
        """Return the line to GitHub, for the thread of the errands: the quick one once the run was asked to stop."""
        if not self.stopped():
            return self.line
        if "quick" not in self._hubs:
            self._hubs["quick"] = self.new_hub(QUICK)
        return self._hubs["quick"]

    def stopped(self) -> str:
        """Say by what the run that is under way was asked to stop, or nothing."""
        return self.clock.stopped() if self.clock else ""

    @property
    def line(self) -> Hub:
        """The ordinary line to GitHub, for the thread of the errands: all its waiting is out of one budget."""
        return self._hubs["ordinary"]

    @property
    def line_of_runs(self) -> Hub:
        """Another line, for the thread of the runs, which waits for what it raises itself."""
        if "runs" not in self._hubs:
            self._hubs["runs"] = self.new_hub(ORDINARY)
        return self._hubs["runs"]

    def new_hub(self, patience: Patience) -> Hub:
        """Return another line to GitHub, for another thread."""
        at = self.occasion
        return Hub(at.api_url, self.inputs.token, at.repository, patience=patience, stopped=self.stopped)

    def close(self, *, hurried: bool = False) -> bool:
        """Wait until all is written, for a bounded time, and tell whether it is."""
        if not self.errands.finish(HURRIED if hurried else CLOSING):
            self.note("not all was told on GitHub: its API took too long")
            return False
        for hub in self._hubs.values():
            hub.close()
        return True
