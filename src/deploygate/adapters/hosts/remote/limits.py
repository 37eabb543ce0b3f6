"""How long what a run does on a host may take, and so for how long its lease lasts and others wait; in seconds."""

import math

from deploygate.adapters.hosts.remote.asking import AT_ONCE, way_of
from deploygate.endings import Goal
from deploygate.inventory import Service
from deploygate.ports import Lease

COPY = 1800.0  # to one host
CHECK = 600.0  # reading a whole release there
PROVE = 90.0
ASK = 60.0  # whatever is quick
_BESIDE = 30.0  # what a change may take beside what the inventory says: what was left behind, and the start
_SUPERVISED = 30.0  # more, where a supervisor is asked: for the process, to kill it, to stop it again
_PREPARED = 2 * ASK + COPY + 3 * CHECK  # a release staged on a host, and the old one proven too
_WAYS = 3  # there, back in a rollback of its own that fails at its end, and back once more


def change(service: Service) -> float:
    """Return how long a change of one instance may take."""
    way = way_of(service)
    return way.grace + service.starting + _BESIDE + (_SUPERVISED if way.pid else 0.0)


def lasting(service: Service, lease: Lease, hosts: int) -> float:
    """Return how long a lease lasts while its run does nothing on the host; 0 is for ever.

    What a run does renews it, so that it is to cover the time of all that the run may do elsewhere.
    """
    if lease.lasts <= 0:
        return 0.0
    rounds = math.ceil(hosts / AT_ONCE)
    before = rounds * (_PREPARED if lease.rank is Goal.DEPLOY else PROVE)
    beside = _WAYS * len(service.instances) * (change(service) - service.switching)
    return lease.lasts + before + beside
