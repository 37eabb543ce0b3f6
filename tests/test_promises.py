"""The promises, each as a property over simulated fleets in which anything may go wrong at any time."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from simulation.gate import Simulation, simulate
from simulation.scenario import Fault, Raising, Scenario, drawn

from deploygate.endings import Ending, Goal, exit_code
from deploygate.inventory import BackKind, Wave
from deploygate.names import InstanceName

EXAMPLES = settings(max_examples=120, suppress_health_check=[HealthCheck.too_slow])


WAVES = ((), (Wave(1), Wave(2)), (Wave(1), Wave(50, percent=True), Wave(100, percent=True)))


@st.composite
def scenarios(draw: st.DrawFn) -> Scenario:
    """Fleets of up to eight instances, with up to three faults, a kill, a stop, and what is done after it."""
    size = Scenario(draw(st.integers(0, 2)), draw(st.integers(1, 6)))
    faults = draw(st.dictionaries(st.sampled_from(size.names), st.sampled_from(Fault), max_size=3))
    when = st.none() | st.integers(1, 150)
    return Scenario(
        parallel=size.parallel,
        production=size.production,
        faults=faults,
        down=draw(st.frozensets(st.sampled_from(size.names), max_size=1)),
        good_for=draw(st.floats(0, 20)),
        raising=draw(st.sampled_from(Raising)),
        killed_at=draw(when),
        stopped_at=draw(when),
        then=draw(st.sampled_from(("deploy", "rollback"))),
        healed=draw(st.booleans()),
        broken=draw(st.booleans()),
        halt=draw(st.booleans()),
        budget=draw(st.integers(0, 2)),
        floor=draw(st.none() | st.integers(0, 2)),
        balanced=draw(st.booleans()),
        jammed=draw(st.frozensets(st.sampled_from(size.names), max_size=1)),
        waves=draw(st.sampled_from(WAVES)),
        restores=draw(st.booleans()),
        back=draw(st.sampled_from(BackKind)),
        overtaken=draw(st.none() | st.tuples(st.integers(1, 120), st.integers(1, 180))),
        elsewhere=draw(st.booleans()),
    )


def broken(simulation: Simulation, promise: str) -> list[str]:
    return [violation for violation in simulation.fleet.violations if violation.startswith(promise)]


@EXAMPLES
@given(scenarios())
def test_promise_1_it_never_makes_things_worse(scenario: Scenario) -> None:
    assert broken(simulate(scenario), "promise 1") == []


@EXAMPLES
@given(scenarios())
def test_promise_2_it_never_says_yes_falsely(scenario: Scenario) -> None:
    assert broken(simulate(scenario), "promise 2") == []


@EXAMPLES
@given(scenarios())
def test_promise_3_it_keeps_watching(scenario: Scenario) -> None:
    assert broken(simulate(scenario), "promise 3") == []


@EXAMPLES
@given(scenarios())
def test_promise_4_it_always_leaves_a_known_state(scenario: Scenario) -> None:
    assert broken(simulate(scenario), "promise 4") == []


@EXAMPLES
@given(scenarios())
def test_promise_5_the_way_back_is_proven_before_the_way_forward(scenario: Scenario) -> None:
    assert broken(simulate(scenario), "promise 5") == []


@EXAMPLES
@given(scenarios())
def test_promise_6_a_rollback_is_its_own_thing(scenario: Scenario) -> None:
    simulation = simulate(scenario)
    assert broken(simulation, "promise 6") == []
    for told in simulation.told:
        if told.goal is Goal.DEPLOY and told.state and told.state.ending in {Ending.ROLLED_BACK, Ending.MIXED}:
            assert exit_code(told.state.ending, Goal.DEPLOY) != 0


@EXAMPLES
@given(scenarios())
def test_promise_7_the_line_stops(scenario: Scenario) -> None:
    assert broken(simulate(scenario), "promise 7") == []


@EXAMPLES
@given(scenarios())
def test_replaying_the_history_gives_the_same_rollout(scenario: Scenario) -> None:
    assert broken(simulate(scenario), "history") == []


@pytest.mark.parametrize("start", range(0, 3000, 500))
def test_no_promise_is_broken_in_the_drawn_rollouts(start: int) -> None:
    found = [violation for seed in range(start, start + 500) for violation in simulate(drawn(seed)).fleet.violations]
    assert found == []


def test_a_fleet_without_faults_is_deployed() -> None:
    (told,) = simulate(Scenario()).told
    assert told.state is not None
    assert told.state.ending is Ending.DEPLOYED


@pytest.mark.parametrize("fault", [Fault.ILL, Fault.WRONG, Fault.NAMELESS, Fault.SILENT, Fault.DIES])
def test_a_fault_on_the_last_instance_takes_everything_back(fault: Fault) -> None:
    told = simulate(Scenario(faults={InstanceName("i3"): fault})).told
    assert [(one.goal, one.state.ending) for one in told if one.state] == [
        (Goal.DEPLOY, Ending.ROLLED_BACK),
        (Goal.ROLLBACK, Ending.ROLLED_BACK),
    ]


@pytest.mark.parametrize("elsewhere", [False, True], ids=["here", "on another machine"])
@pytest.mark.parametrize("later", [0, 1, 4, 13])
def test_a_rollback_by_hand_at_any_step_of_a_deploy_takes_all_of_it_back(later: int, *, elsewhere: bool) -> None:
    began, over = 0, False
    for step in range(1, 1_000):
        scenario = Scenario(balanced=True, overtaken=(step, step + later), elsewhere=elsewhere, then="")
        simulation = simulate(scenario)
        by_hand, deploy = simulation.told
        if by_hand.state is None:  # nothing was changed yet, so there is nothing to undo
            assert {finding.rule for finding in by_hand.refused} == {"nothing-to-undo"}
            continue
        assert simulation.fleet.violations == []
        assert by_hand.state.ending is Ending.ROLLED_BACK, step
        assert [simulation.fleet.release(name) for name in scenario.names] == ["1.0"] * 4, step
        assert not any(box.out for box in simulation.fleet.boxes.values()), step
        over = deploy.state is not None and deploy.state.ending is Ending.DEPLOYED
        if over:
            break
        began += 1
    assert (over, began > 100) == (True, True)


def test_without_a_raised_rollback_the_gate_undoes_it_itself() -> None:
    (told,) = simulate(Scenario(faults={InstanceName("i3"): Fault.ILL}, raising=Raising.CANNOT)).told
    assert told.state is not None
    assert told.state.ending is Ending.ROLLED_BACK
