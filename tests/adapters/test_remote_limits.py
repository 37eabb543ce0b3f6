"""How long things may take on hosts: a lease outlasts what its run does elsewhere, and who waits, waits that long."""

from dataclasses import replace

import pytest
from made import service

from deploygate.adapters.hosts.remote.limits import ASK, CHECK, COPY, PROVE, change, lasting
from deploygate.endings import Goal
from deploygate.inventory import Service
from deploygate.names import RunId
from deploygate.plan import watch_of
from deploygate.ports import Lease
from deploygate.probe import HealthProbe
from deploygate.ways import Argv, KillStart, Programs

RUN = Argv(("./run",))
OWN = KillStart("/srv", RUN, grace=7.0)
SUPERVISED = replace(OWN, stop=RUN, pid=RUN)


def of(way: KillStart | Programs, deadline: float = 120.0) -> Service:
    return service(deploy=way, health=HealthProbe(deadline=deadline))


def lease(rank: Goal = Goal.DEPLOY, lasts: float = 60.0) -> Lease:
    return Lease(RunId("run-1"), rank, "gate", "1-2", "then", lasts)


@pytest.mark.parametrize(("deadline", "starting"), [(5.0, 30.0), (90.0, 90.0), (3600.0, 600.0)])
def test_a_supervisor_may_take_as_long_to_start_as_the_service_to_be_healthy_within_bounds(
    deadline: float, starting: float
) -> None:
    assert of(SUPERVISED, deadline).starting == starting
    assert of(OWN, deadline).starting == 0.0


def test_a_switch_takes_its_stop_and_its_start_and_a_plan_counts_both() -> None:
    programs = Programs(RUN, RUN, RUN, timeout=50.0)
    assert [of(way).switching for way in (OWN, SUPERVISED, programs)] == [7.0, 127.0, 50.0]
    assert watch_of(of(SUPERVISED)).grace == 127.0


def test_a_change_may_take_what_its_service_says_and_what_the_host_needs_besides() -> None:
    assert [change(of(way)) for way in (OWN, SUPERVISED)] == [37.0, 187.0]


def test_a_lease_outlasts_the_copying_to_all_hosts_and_every_change_elsewhere() -> None:
    one = of(OWN)
    most = 60.0 + 2 * ASK + COPY + 3 * CHECK + 3 * 30.0 * len(one.instances)
    assert lasting(one, lease(), 16) == most
    assert lasting(one, lease(), 17) == most + 2 * ASK + COPY + 3 * CHECK


def test_a_rollback_copies_nothing_and_its_lease_is_shorter() -> None:
    one = of(OWN)
    assert lasting(one, lease(Goal.ROLLBACK), 16) == 60.0 + PROVE + 3 * 30.0 * len(one.instances)


def test_a_lease_without_an_end_stays_one() -> None:
    assert lasting(of(OWN), lease(lasts=0.0), 1) == 0.0
