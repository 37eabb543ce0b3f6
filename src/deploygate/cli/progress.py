"""What a run shows while it goes on: a live table on a terminal, plain lines elsewhere, nothing if so wished."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from deploygate.drive import Announce
from deploygate.events import Action, Broke, Event, Look, RaiseRollback, Seen
from deploygate.names import InstanceName
from deploygate.plan import Plan
from deploygate.ports import Clock
from deploygate.report import action_line
from deploygate.rollout import Phase, Rollout, Standing
from deploygate.verdict import Waiting, judge

MARKS = {
    Standing.OLD: "·",
    Standing.UNPROVEN: "…",
    Standing.PROVEN: "✔",
    Standing.RETURNING: "↩",
    Standing.BACK: "↩",
    Standing.STUCK: "✘",
}
_SAID = {
    Standing.PROVEN: "passed",
    Standing.BACK: "is back",
    Standing.STUCK: "could not be taken back",
}


@contextmanager
def progress(shown: str, plan: Plan, clock: Clock) -> Iterator[Announce]:
    """Give what announces a run; what can't be shown never stops it."""
    if shown == "none":
        yield lambda _rollout, _action, _event: None
    elif shown == "auto" and sys.stderr.isatty():
        from deploygate.cli.live import live  # noqa: PLC0415 - costs start-up time, and only a terminal needs it

        with live(plan, clock) as announce:
            yield announce
    else:
        yield Lines()


def waiting_for(rollout: Rollout, name: InstanceName) -> str:
    """Say what is being waited for at an instance, and how long yet."""
    track = rollout.tracks[name]
    if track.standing in {Standing.UNPROVEN, Standing.RETURNING} and track.tally and track.rule:
        verdict = judge(track.tally, track.rule, rollout.now)
        return verdict.says if isinstance(verdict, Waiting) else ""
    if track.standing is Standing.STUCK:
        return track.stuck
    return track.tally.says if track.tally else ""


class Lines:
    """Announces a run as lines on standard error, one for each thing that happens and none for each look."""

    def __init__(self) -> None:
        self._standing: dict[InstanceName, Standing] = {}
        self._cause = ""
        self._broke = ""

    def __call__(self, rollout: Rollout, action: Action, event: Event | None) -> None:
        """Print what is new."""
        if not self._standing:
            self._standing = {name: track.standing for name, track in rollout.tracks.items()}
        if event is None:
            if not isinstance(action, Look):
                _line(action_line(action))
            return
        if isinstance(event, Broke) and event.says != self._broke:
            self._broke = event.says
            _line(f"note: {event.says}")
        if rollout.cause and rollout.cause.says != self._cause:
            self._cause = rollout.cause.says
            about = f"{rollout.cause.instance}: " if rollout.cause.instance else ""
            _line(f"✘ {about}{self._cause}")
        self._say_standings(rollout, event)
        if isinstance(action, RaiseRollback) and rollout.phase is Phase.CLAIMING:
            _line(f"✘ the raised rollback did not do it ({rollout.raised}); it is done here")
        if not isinstance(event, Seen) and rollout.phase is Phase.ENDED:
            _line(f"ended: {rollout.ending}")

    def _say_standings(self, rollout: Rollout, event: Event) -> None:
        """Say whose standing has changed: of a look, among those that were looked at."""
        names = [seen.instance for seen in event.sightings] if isinstance(event, Seen) else list(rollout.tracks)
        for name in names:
            track = rollout.tracks[name]
            if self._standing.get(name, Standing.OLD) is not track.standing:
                self._standing[name] = track.standing
                if track.standing in _SAID:
                    back = track.standing is Standing.BACK
                    version = track.move.was if back and track.move else track.seen.version if track.seen else None
                    at = f" at {version}" if version else ""
                    why = f": {track.stuck}" if track.stuck else ""
                    _line(f"{MARKS[track.standing]} {name} {_SAID[track.standing]}{at}{why}")


def _line(text: str) -> None:
    """Write a line; a reader that has gone away is no reason to stop."""
    try:
        sys.stderr.write(f"{datetime.now(UTC):%H:%M:%S}  {text}\n")
        sys.stderr.flush()
    except OSError:
        pass
