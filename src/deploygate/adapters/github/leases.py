"""Leases of runs of workflows: a runner that is gone can't be asked for its processes, but GitHub can for its run."""

import re
from contextlib import AbstractContextManager

from msgspec.structs import replace

from deploygate.adapters.github.client import Hub
from deploygate.adapters.github.deployments import goes_on
from deploygate.adapters.github.errands import Errands
from deploygate.adapters.github.trouble import GitHubTrouble
from deploygate.endings import Goal
from deploygate.names import ServiceName
from deploygate.occasion import Occasion
from deploygate.ports import Lease, Locks

ASKING = 30.0  # seconds that GitHub may take to say whether a run goes on
_GATE = re.compile(
    r"github:(?P<repository>[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+):(?P<run>[0-9]{1,18}):(?P<attempt>[0-9]{1,6})"
)


class GitHubLocks:
    """`Locks` around inner ones, whose leases name the run of the workflow as the gate.

    `alone` says that the step which held what this attempt holds is over: so does the post step of the same action.
    """

    def __init__(self, inner: Locks, hub: Hub, errands: Errands, occasion: Occasion, *, alone: bool = False) -> None:
        self._inner = inner
        self._hub = hub
        self._errands = errands
        self._occasion = occasion
        self._alone = alone

    def take(self, service: ServiceName, rank: Goal) -> tuple[str, str]:
        """Take the lock of this machine."""
        return self._inner.take(service, rank)

    def guard(self, service: ServiceName) -> AbstractContextManager[str]:
        """Hold off every take-over on this machine during one change."""
        return self._inner.guard(service)

    def release(self, service: ServiceName) -> None:
        """Let go of the lock of this machine."""
        self._inner.release(service)

    def lease(self, rank: Goal, lasts: float) -> Lease:
        """Return what is written on hosts: this run, and the run of the workflow that it is."""
        lease, here = self._inner.lease(rank, lasts), self._occasion
        gate = f"github:{here.repository}:{here.run_id}:{here.attempt}"
        return replace(lease, gate=gate) if _GATE.fullmatch(gate) else lease

    def over(self, service: ServiceName, lease: Lease) -> bool:
        """Tell whether a run is known to be over: here, or by GitHub of its run; what can't be told is not."""
        if self._inner.over(service, lease):
            return True
        named = _GATE.fullmatch(lease.gate)
        if named is None or named["repository"].lower() != self._occasion.repository.lower():
            return False
        run, attempt = int(named["run"]), int(named["attempt"])
        if (str(run), attempt) == (self._occasion.run_id, self._occasion.attempt):
            return self._alone  # another job of this attempt may be at it
        try:
            return self._errands.ask(lambda: goes_on(self._hub, run, attempt), ASKING) is False
        except GitHubTrouble:
            return False
