"""Who is taken out and who is put back in each phase; and what may go together while the floor is kept."""

from typing import Any

import pytest
from made import NEW, WATCH, fleet, move, name, plan, seen
from msgspec.structs import replace

from deploygate.endings import Ending, Goal
from deploygate.events import Drain, Drained, Restore, Restored, Seen, Trouble
from deploygate.names import PARALLEL_CHAIN, PRODUCTION
from deploygate.plan import Plan, back_rule, forward_rule
from deploygate.probe import Health
from deploygate.rollout import Phase, Rollout, Standing, apply, start
from deploygate.rollout.forward import next_group
from deploygate.rollout.traffic import drain, drained, no_traffic, restore, restored
from deploygate.verdict import Tally

I1, I2, I3 = name("i1"), name("i2"), name("i3")
ALL = (I1, I2, I3)
PLAN = plan(
    move("i1"),
    move("i2", wave=1),
    move("i3", wave=1),
    instances=dict.fromkeys(ALL, PRODUCTION),
    floors={PARALLEL_CHAIN: 0, PRODUCTION: 1},
    balanced=ALL,
    drain=5.0,
)
HELD = Tally(started=90.0, good=5, good_since=90.0, last=100.0)
ILL: dict[str, Any] = {"health": Health.ILL, "says": "answered 503"}


def state(phase: Phase, planned: Plan = PLAN, **more: Any) -> Rollout:
    return replace(start(planned, tuple(fleet().values())[1:]), phase=phase, since=100.0, **more)


def at(rollout: Rollout, one: str, **more: Any) -> Rollout:
    """Return the rollout with one track changed."""
    tracks = {**rollout.tracks, name(one): replace(rollout.tracks[name(one)], **more)}
    return replace(rollout, tracks=tracks)


def test_what_serves_behind_the_balancer_is_drained_with_all_the_patience() -> None:
    assert drain(state(Phase.READY), (I2, I3)) == Drain((I2, I3), 5.0)


def test_one_that_is_ill_and_contained_gets_two_seconds() -> None:
    assert drain(state(Phase.CONTAINING), (I2,)) == Drain((I2,), 2.0)
    hasty = replace(PLAN, drain=1.0)
    assert drain(state(Phase.CONTAINING, hasty), (I2,)) == Drain((I2,), 1.0)


def test_what_is_not_behind_it_or_out_already_or_somebody_elses_is_not_drained() -> None:
    partly = replace(PLAN, balanced=(I1, I2, I3)[1:])
    found = at(at(state(Phase.READY, partly), "i2", out=True, drained=True), "i3", apart=True)
    assert drain(found, ALL) is None


def test_what_an_earlier_run_left_out_is_drained_once_more_before_it_is_changed() -> None:
    assert drain(at(state(Phase.READY), "i2", out=True), (I2,)) == Drain((I2,), 5.0)


@pytest.mark.parametrize(
    ("standing", "more", "restored_in"),
    [
        (Standing.PROVEN, {"tally": HELD}, {Phase.READY, Phase.RAISING, Phase.UNDOING, Phase.CLOSING}),
        (Standing.PROVEN, {"tally": Tally(started=90.0)}, set()),
        (Standing.UNPROVEN, {"tally": HELD}, set()),
        (Standing.RETURNING, {}, set()),
        (Standing.STUCK, {}, set()),
        (Standing.BACK, {}, {Phase.READY, Phase.RAISING, Phase.UNDOING, Phase.CLOSING}),
        (Standing.OLD, {}, {Phase.READY, Phase.RAISING, Phase.UNDOING, Phase.CLOSING}),
        (Standing.OLD, {"seen": seen("i1", at=99.0)}, {Phase.CLOSING}),
        (Standing.OLD, {"seen": seen("i1", **ILL)}, set()),
        (Standing.BACK, {"apart": True, "out": False}, set()),
    ],
)
def test_what_passed_or_was_left_as_it_was_is_put_back(
    standing: Standing, more: dict[str, Any], restored_in: set[Phase]
) -> None:
    rule = forward_rule(PLAN, PLAN.moves[0])
    phases = (Phase.READY, Phase.RAISING, Phase.UNDOING, Phase.CLOSING)
    found = {
        phase: restore(at(state(phase, cursor=1), "i1", **({"standing": standing, "rule": rule, "out": True} | more)))
        for phase in phases
    }
    assert found == {phase: Restore((I1,)) if phase in restored_in else None for phase in phases}


def test_what_is_about_to_be_changed_stays_out() -> None:
    assert restore(at(state(Phase.READY), "i1", out=True)) is None
    going = at(state(Phase.UNDOING, queue=(I1,)), "i1", out=True, standing=Standing.BACK)
    assert restore(going) is None
    assert restore(replace(going, queue=())) == Restore((I1,))


def test_what_was_drained_for_a_change_goes_back_while_the_floor_is_broken() -> None:
    one_left = at(at(state(Phase.READY, cursor=1), "i2", out=True), "i3", out=True)
    assert restore(one_left) is None
    nobody = at(one_left, "i1", seen=seen("i1", NEW, **ILL), standing=Standing.PROVEN, tally=Tally(started=90.0, bad=1))
    assert restore(nobody) == Restore((I2, I3))


def test_a_rollback_puts_back_what_is_verified_though_it_is_one_of_its_moves() -> None:
    back = replace(PLAN, goal=Goal.ROLLBACK)
    found = at(state(Phase.UNDOING, back, queue=(I2, I1)), "i3", out=True, standing=Standing.BACK)
    assert restore(found) == Restore((I3,))


def test_nothing_is_put_back_after_the_lock_was_lost() -> None:
    found = at(state(Phase.CLOSING), "i1", out=True)
    assert (restore(found), restore(replace(found, lost=True))) == (Restore((I1,)), None)


@pytest.mark.parametrize(
    ("phase", "later", "again"),
    [
        (Phase.READY, 0.5, False),
        (Phase.READY, 1.0, True),
        (Phase.RAISING, 60.0, False),
        (Phase.UNDOING, 60.0, False),
        (Phase.CLOSING, 60.0, False),
    ],
)
def test_what_a_balancer_did_not_do_is_asked_again_after_the_interval_or_in_another_phase(
    phase: Phase, later: float, *, again: bool
) -> None:
    found = at(state(phase, cursor=1), "i1", out=True, standing=Standing.BACK)
    found = restored(found, Restored(100.0, (I1,), (Trouble(I1, "timed out"),)))
    assert (found.hindered, found.tracks[I1].out) == ("i1: timed out", True)
    assert (restore(replace(found, now=100.0 + later)) is not None) == again
    elsewhere = Phase.READY if phase is not Phase.READY else Phase.UNDOING
    assert restore(replace(found, phase=elsewhere)) == Restore((I1,))


def test_who_was_drained_may_be_out_though_it_gave_trouble_and_who_was_put_back_is_in() -> None:
    found = drained(state(Phase.READY), Drained(100.0, (I1, I2), (Trouble(I2, "timed out"),)))
    assert [(track.out, track.serving) for track in found.tracks.values()] == [(True, False)] * 2 + [(False, True)]
    found = restored(found, Restored(101.0, (I1, I2), (Trouble(I2, "timed out"),)))
    assert [(track.out, track.serving) for track in found.tracks.values()] == [
        (False, True),
        (True, False),
        (False, True),
    ]


def test_no_traffic_is_what_a_gate_took_out_or_the_balancer_leaves_out_of_itself() -> None:
    found = state(Phase.READY).tracks[I1]
    said = replace(found, seen=seen("i1", in_service=False))
    assert [no_traffic(one) for one in (found, replace(found, out=True), said, replace(said, apart=True))] == [
        False, True, True, False,
    ]  # fmt: skip


# What goes together


def group(rollout: Rollout) -> list[str]:
    return [one.instance for one in next_group(rollout)]


def floor(number: int) -> Plan:
    return replace(PLAN, floors={PRODUCTION: number})


@pytest.mark.parametrize(("least", "found"), [(0, ["i2", "i3"]), (1, ["i2", "i3"]), (2, ["i2"]), (3, [])])
def test_a_wave_goes_as_far_as_the_floor_lets_it(least: int, found: list[str]) -> None:
    assert group(state(Phase.READY, floor(least), cursor=1)) == found


def test_the_next_wave_is_not_begun_with_this_one() -> None:
    assert group(state(Phase.READY, floor(0))) == ["i1"]


def test_one_that_is_ill_costs_nothing() -> None:
    ill = at(state(Phase.READY, floor(2), cursor=1), "i3", seen=seen("i3", **ILL))
    assert group(ill) == []  # i2 is first, and the floor can't spare it
    first = at(state(Phase.READY, floor(2), cursor=1), "i2", seen=seen("i2", **ILL))
    assert group(first) == ["i2"]
    assert group(at(first, "i1", seen=seen("i1", **ILL))) == ["i2"]


def test_what_was_drained_has_been_counted_already_and_waits_while_the_floor_is_broken() -> None:
    out = at(at(state(Phase.READY, floor(1), cursor=1), "i2", out=True), "i3", out=True)
    assert group(out) == ["i2", "i3"]
    assert group(at(out, "i1", seen=seen("i1", **ILL))) == []


# The end


def closing(ending: Ending, **more: Any) -> Rollout:
    """Return a run at its last look, of which i1 was taken back and i2 was not touched."""
    planned = replace(PLAN, watch=replace(WATCH, fails=1), **more)
    found = state(Phase.CLOSING, planned, ending=ending, changed=True)
    return at(found, "i1", standing=Standing.BACK, rule=back_rule(planned, planned.moves[0], None))


def last_look(found: Rollout, when: float, **i2: Any) -> Rollout:
    return apply(found, Seen(when, (seen("i1", at=when), seen("i2", **{"at": when, **i2}), seen("i3", at=when))))


DEADLINE = 100.0 + WATCH.deadline


def test_what_was_taken_back_and_is_sent_no_traffic_until_the_deadline_is_stuck() -> None:
    found = at(closing(Ending.ROLLED_BACK), "i1", out=True)
    found = apply(found, Restored(101.0, (I1,), (Trouble(I1, "timed out"),)))
    idle = seen("i1", at=DEADLINE - 1.0, in_service=False)
    found = apply(found, Seen(DEADLINE - 1.0, (idle,)))
    assert (found.phase, found.ending, restore(found)) == (Phase.CLOSING, Ending.ROLLED_BACK, Restore((I1,)))
    found = apply(found, Restored(DEADLINE, (I1,), (Trouble(I1, "timed out"),)))
    after = apply(found, Seen(DEADLINE, (replace(idle, at=DEADLINE),)))
    assert (after.ending, after.tracks[I1].standing, after.tracks[I1].stuck) == (
        Ending.ROLLBACK_FAILED, Standing.STUCK, "at the last look: timed out",
    )  # fmt: skip


def test_a_run_that_claims_nothing_tells_the_balancer_once() -> None:
    halted = at(closing(Ending.MIXED), "i1", out=True)
    halted = apply(halted, Restored(101.0, (I1,), (Trouble(I1, "timed out"),)))
    after = apply(halted, Seen(110.0, (seen("i1", at=110.0, in_service=False),)))
    assert (after.phase, after.ending, after.tracks[I1].standing) == (Phase.UNLOCKING, Ending.MIXED, Standing.BACK)


@pytest.mark.parametrize("ending", [Ending.ROLLED_BACK, Ending.ALREADY_THERE])
def test_no_rollback_ended_well_while_one_runs_what_is_undone(ending: Ending) -> None:
    found = closing(ending, goal=Goal.ROLLBACK, spared={name("i2"): NEW})
    assert last_look(found, 101.0).ending is ending
    after = last_look(found, 101.0, version=NEW)
    assert (after.ending, after.tracks[name("i2")].stuck) == (
        Ending.ROLLBACK_FAILED, "at the last look: runs 2.0, which is being undone",
    )  # fmt: skip
    assert last_look(closing(ending, goal=Goal.ROLLBACK), 101.0, version=NEW).ending is ending  # it always did


def test_no_rollback_ended_well_while_a_gate_has_one_out_of_the_balancer_that_is_ill() -> None:
    found = at(closing(Ending.ROLLED_BACK), "i2", out=True)
    assert last_look(found, 101.0, in_service=True).ending is Ending.ROLLED_BACK
    after = last_look(found, 101.0, in_service=False, **ILL)
    assert (after.ending, after.tracks[name("i2")].stuck) == (
        Ending.ROLLBACK_FAILED, "at the last look: the balancer sends it nothing",
    )  # fmt: skip


def test_where_an_untouched_one_has_lost_its_traffic_to_nobody_knows_whom_it_cannot_be_told() -> None:
    found = last_look(closing(Ending.ROLLED_BACK), 101.0, in_service=False)
    assert found.ending is Ending.ROLLED_BACK  # its checks may pass yet
    after = last_look(found, DEADLINE, in_service=False)
    assert (after.ending, after.cause and after.cause.says) == (
        Ending.CANNOT_TELL, "was not touched, and the balancer sends it nothing",
    )  # fmt: skip
    apart = at(found, "i2", apart=True)
    assert last_look(apart, 102.0, in_service=False).ending is Ending.ROLLED_BACK


def test_a_rollback_whose_instance_stays_without_traffic_at_the_last_look_has_failed() -> None:
    found = apply(closing(Ending.ROLLED_BACK), Seen(DEADLINE, (seen("i1", at=DEADLINE, in_service=False),)))
    assert (found.ending, found.tracks[I1].stuck) == (
        Ending.ROLLBACK_FAILED, "at the last look: the balancer sends it nothing",
    )  # fmt: skip
