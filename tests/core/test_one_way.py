"""A release from which there is no way back, or none without a person: plans refuse it, and runs halt at it."""

from dataclasses import replace

import pytest
from made import NEW, OLD, fleet, inventory, move, past, plan, release, run, seen
from small_world import SmallWorld, behind

from deploygate.changes import Change
from deploygate.endings import Ending, Goal
from deploygate.foreseen import foresee
from deploygate.inventory import BackKind, Service, WayBack
from deploygate.names import Version, numbers
from deploygate.past import Past
from deploygate.plan import Plan, Planned
from deploygate.planning import plan_deploy
from deploygate.probe import Health
from deploygate.returning import plan_rollback
from deploygate.wish import Known, Wish

WHY = {"way-back": "we know"}
FORBIDDEN = "the way back from Svc 2.0 is forbidden: It rewrites the cookies."
NEXT = Version("3.0")


def one_way(kind: BackKind, version: str = NEW, *waves: int, floor: int | None = None) -> Service:
    """Return a service of which one release says what the way back from it is."""
    said = replace(release(version), rollback=WayBack(kind, "It rewrites the cookies."))
    return replace(behind(*waves, floor=floor), releases={said.version: said})


def deploy(of: Service, version: Version, running: str = OLD, history: Past | None = None, **wish: object) -> Planned:
    known = Known(fleet(version=running), (), history or Past())
    return plan_deploy(inventory(of), Wish(of, version, **{"waived": {"balancer": "small"}, **wish}), known)  # type: ignore[arg-type]


def rollback(of: Service, running: str = NEW, **wish: object) -> Planned:
    known = Known(fleet(version=running), (), past(run("r1", plan(move("i1")), Ending.DEPLOYED, "i1")))
    return plan_rollback(inventory(of), Wish(of, goal=Goal.ROLLBACK, **{"version": OLD, **wish}), known)  # type: ignore[arg-type]


def says(planned: Planned) -> list[str]:
    assert isinstance(planned, tuple), planned
    assert {one.rule for one in planned} == {"way-back"}
    return [one.says for one in planned]


def planned(found: Planned) -> Plan:
    assert isinstance(found, Plan), found
    return found


# Plans


def test_a_release_without_a_way_back_is_refused_before_anything_is_touched() -> None:
    assert says(deploy(one_way(BackKind.FORBIDDEN), NEW)) == [FORBIDDEN]


def test_with_a_reason_it_is_planned_and_the_plan_knows_that_it_is_one_way() -> None:
    found = planned(deploy(one_way(BackKind.FORBIDDEN), NEW, waived=WHY | {"balancer": "small"}))
    assert (found.back, found.one_way) == (BackKind.FORBIDDEN, True)
    assert "there is no way back: what fails is left as it is, and so is the rest (It rewrites the cookies.)" in (
        found.unprotected
    )


def test_a_way_back_by_hand_needs_no_waiver_and_is_in_the_plan() -> None:
    found = planned(deploy(one_way(BackKind.MANUAL), NEW))
    assert (found.back, found.one_way) == (BackKind.MANUAL, True)


def test_to_mend_an_instance_that_runs_the_release_already_leaves_nothing() -> None:
    service = one_way(BackKind.FORBIDDEN)
    ill = fleet(seen("i3", NEW, health=Health.ILL), version=NEW)
    wish = Wish(service, NEW, waived={"balancer": "small", "baseline": "to mend it"})
    found = planned(plan_deploy(inventory(service), wish, Known(ill, (), Past())))
    assert [one.instance for one in found.moves] == ["i3"]


def test_what_runs_and_has_no_way_back_is_not_left_for_lower_numbers() -> None:
    found = says(deploy(one_way(BackKind.FORBIDDEN), Version("1.10"), running=NEW))
    assert found == ["Svc 2.0 runs on p1, i1, i2, i3, and may not be left for 1.10: It rewrites the cookies."]


def test_it_is_left_for_higher_numbers() -> None:
    assert planned(deploy(one_way(BackKind.FORBIDDEN), NEXT, running=NEW)).back is BackKind.ALLOWED


def test_what_was_deployed_before_it_is_older_whatever_its_numbers_are() -> None:
    first, second = (plan(move("i1"), version=Version(one)) for one in ("9.0", NEW))
    history = past(run("r1", first, Ending.DEPLOYED, "i1"), run("r2", second, Ending.DEPLOYED, "i1"))
    found = says(deploy(one_way(BackKind.FORBIDDEN), Version("9.0"), running=NEW, history=history))
    assert found == ["Svc 2.0 runs on p1, i1, i2, i3, and may not be left for 9.0: It rewrites the cookies."]


def test_a_rollback_across_it_is_refused_and_can_be_waived_by_hand() -> None:
    service = one_way(BackKind.FORBIDDEN)
    assert says(rollback(service)) == [
        "Svc 2.0 runs on p1, i1, i2, i3, and may not be left for 1.0: It rewrites the cookies."
    ]
    assert planned(rollback(service, waived=WHY)).moves[0].was == OLD


def test_a_rollback_by_hand_goes_back_from_a_manual_one() -> None:
    assert planned(rollback(one_way(BackKind.MANUAL))).back is BackKind.ALLOWED


def test_a_rollback_that_leaves_another_release_is_not_concerned() -> None:
    assert planned(rollback(one_way(BackKind.FORBIDDEN, NEXT))).goal is Goal.ROLLBACK


def test_a_merge_is_told_that_it_would_be_refused() -> None:
    service = replace(one_way(BackKind.FORBIDDEN), wanted=NEW)
    told = foresee(inventory(service), Change(service, OLD), Past(), {})
    assert says(told.planned) == [FORBIDDEN]


@pytest.mark.parametrize(
    ("version", "found"),
    [("1.10", (1, 10)), ("v2", (2,)), ("2.0-rc1", (2, 0)), ("2024.06.1+b", (2024, 6, 1)), ("a1b2c3", ()), ("1a", ())],
)
def test_numbers_of_a_version(version: str, found: tuple[int, ...]) -> None:
    assert numbers(Version(version)) == found


# Runs


def versions(world: SmallWorld) -> dict[str, str]:
    return {name: version for name, (version, _) in world.running.items()}


def test_what_failed_by_hand_only_is_contained_and_the_rest_is_left() -> None:
    world = SmallWorld(one_way(BackKind.MANUAL), ill={("i2", NEW)})
    state = world.run()
    assert (state.ending, state.raised, state.debts) == (Ending.MIXED, "", ("i2",))
    assert versions(world) == {"p1": NEW, "i1": NEW, "i2": OLD, "i3": OLD}
    assert world.run(Goal.ROLLBACK, None).ending is Ending.ROLLED_BACK
    assert set(versions(world).values()) == {OLD}


def test_what_failed_without_a_way_back_is_left_and_nothing_is_stopped() -> None:
    world = SmallWorld(one_way(BackKind.FORBIDDEN), ill={("i2", NEW)})
    state = world.run(waived=WHY)
    assert state.ending is Ending.MIXED
    assert versions(world) == {"p1": NEW, "i1": NEW, "i2": NEW, "i3": OLD}
    assert [one for one in world.log if one.startswith("switch")] == ["switch p1=2.0", "switch i1=2.0", "switch i2=2.0"]


def test_the_rest_of_a_wave_may_pass_before_the_run_halts() -> None:
    world = SmallWorld(one_way(BackKind.FORBIDDEN, NEW, 1, 2, floor=1), ill={("i2", NEW)})
    state = world.run(waived=WHY)
    assert (state.ending, world.out) == (Ending.MIXED, {"i2"})
    assert versions(world) == dict.fromkeys(("p1", "i1", "i2", "i3"), NEW)


@pytest.mark.parametrize("kind", [BackKind.MANUAL, BackKind.FORBIDDEN])
def test_what_the_balancer_does_not_let_go_takes_nothing_back(kind: BackKind) -> None:
    def jammed(what: str, name: str) -> str:
        return "permission denied" if (what, name) == ("drain", "i2") else ""

    world = SmallWorld(one_way(kind), trouble=jammed)
    assert world.run(waived=WHY).ending is Ending.MIXED
    assert versions(world) == {"p1": NEW, "i1": NEW, "i2": OLD, "i3": OLD}


def test_a_manual_one_that_can_t_even_be_contained_is_a_failed_rollback() -> None:
    world = SmallWorld(one_way(BackKind.MANUAL), ill={("i2", NEW)})
    world.before = lambda change: world.dead.add(("i2", OLD)) if change == "switch i2=1.0" else None
    state = world.run()
    assert (state.ending, state.raised) == (Ending.ROLLBACK_FAILED, "")
    assert versions(world)["i1"] == NEW
