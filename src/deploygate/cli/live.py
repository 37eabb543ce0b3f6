"""The live table of a run on a terminal: a line an instance, what is waited for, and how long yet."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from deploygate.cli.progress import MARKS, waiting_for
from deploygate.drive import Announce
from deploygate.events import Action, Event, Look, RaiseRollback
from deploygate.names import InstanceName
from deploygate.plan import Plan
from deploygate.ports import Clock
from deploygate.report import action_line
from deploygate.rollout import Rollout, Standing
from deploygate.wording import seconds

_COLOURS = {
    Standing.PROVEN: "green",
    Standing.UNPROVEN: "yellow",
    Standing.RETURNING: "magenta",
    Standing.BACK: "magenta",
    Standing.STUCK: "bold red",
}
_SHOWN = 24  # lines; in a larger fleet those that move are shown, and the rest is counted


@contextmanager
def live(plan: Plan, clock: Clock) -> Iterator[Announce]:
    """Give what announces a run on the terminal behind standard error."""
    console = Console(stderr=True)
    began = clock.now()
    with Live(console=console, auto_refresh=False, transient=True) as screen:

        def announce(rollout: Rollout, action: Action, event: Event | None) -> None:
            if isinstance(action, RaiseRollback):
                if event is None:
                    screen.stop()
                    console.print(Text(f"raising the rollback: {action.reason}", "bold"))
                    return
                screen.start()
            doing = "" if event is not None or isinstance(action, Look) else action_line(action)
            screen.update(_table(plan, rollout, doing, clock.now() - began), refresh=True)

        yield announce


def _table(plan: Plan, rollout: Rollout, doing: str, spent: float) -> Table:
    title = f"{plan.goal} {plan.service} {plan.version}   {rollout.phase}   {seconds(spent)}"
    table = Table(title=Text(title, "bold"), title_justify="left", box=None, pad_edge=False)
    for column in ("", "instance", "environment", "version", "health", "waiting for"):
        table.add_column(column, no_wrap=column != "waiting for")
    names = _in_view(rollout)
    for name in names:
        track = rollout.tracks[name]
        colour = _COLOURS.get(track.standing, "dim")
        seen = track.seen
        cells = (
            MARKS[track.standing],
            name,
            track.environment,
            (seen.version if seen else None) or "-",
            seen.health.value if seen else "?",
            waiting_for(rollout, name),
        )
        table.add_row(*(Text(cell, colour) for cell in cells))
    rest = len(rollout.tracks) - len(names)
    table.caption = Text(doing + (f"   and {rest} more instances" if rest else ""), "dim")
    table.caption_justify = "left"
    return table


def _in_view(rollout: Rollout) -> tuple[InstanceName, ...]:
    names = tuple(rollout.tracks)
    if len(names) <= _SHOWN:
        return names
    moving = [name for name in names if rollout.tracks[name].standing is not Standing.OLD]
    return tuple(moving[-_SHOWN:]) or names[:_SHOWN]
