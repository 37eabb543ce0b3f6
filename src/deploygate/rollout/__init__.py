"""The state machine of a deployment: a table, a fold over events, and what to do next. It holds no effects."""

from deploygate.rollout.fold import apply, replay
from deploygate.rollout.next import next_action
from deploygate.rollout.state import Rollout, Standing, Track, start
from deploygate.rollout.table import TABLE, Impossible, Phase, Turn
from deploygate.rollout.traffic import no_traffic

__all__ = [
    "TABLE",
    "Impossible",
    "Phase",
    "Rollout",
    "Standing",
    "Track",
    "Turn",
    "apply",
    "next_action",
    "no_traffic",
    "replay",
    "start",
]
