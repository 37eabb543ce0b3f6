"""The answer to `can`: for its own sake, and beside what a deploy and a rollback are refused for."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made import NEW, OLD, fleet, inventory, move, past, plan, release, run, seen, service
from mixtures import ASKED, NAMES, VERSIONS, services

from deploygate import report
from deploygate.admission import Answer
from deploygate.can import Can, Question, can, can_as_declared
from deploygate.endings import Ending
from deploygate.foreseen import Source
from deploygate.interfaces import Running, neighbours
from deploygate.inventory import BackKind, Inventory, Rollout, Service, WayBack
from deploygate.names import PARALLEL_CHAIN, PRODUCTION, Environment, ServiceName, Version
from deploygate.past import Past
from deploygate.plan import Plan
from deploygate.planning import plan_deploy
from deploygate.probe import Health
from deploygate.wish import Known, Wish

BOTH = (PARALLEL_CHAIN, PRODUCTION)
INTERFACES = {"interface-lost", "interface-missing"}


@st.composite
def fleets(draw: st.DrawFn) -> tuple[Inventory, Known, Version]:
    """Draw a healthy fleet, and what of its neighbours answers, in two environments."""
    whole = inventory(*(draw(services(name)) for name in NAMES))
    asked = service_at(whole.services[ASKED], twin=draw(st.booleans()))
    whole = replace(whole, services={**whole.services, ASKED: asked})
    beside = neighbours(whole, asked)
    running = tuple(
        Running(
            environment,
            {name: frozenset(map(Version, draw(st.sets(st.sampled_from(VERSIONS), max_size=2)))) for name in beside},
            frozenset(name for name in beside if draw(st.booleans())),
        )
        for environment in BOTH
    )
    sightings = {one.name: seen(one.name, draw(st.sampled_from(VERSIONS))) for one in asked.instances}
    return whole, Known(sightings, running, Past()), Version(draw(st.sampled_from(VERSIONS)))


def service_at(one: Service, *, twin: bool) -> Service:
    copy = replace(one.instances[0], name=type(one.instances[0].name)("twin"), environment=PARALLEL_CHAIN)
    return replace(one, instances=(copy, *one.instances) if twin else one.instances)


@given(fleets())
@settings(max_examples=1_000)
def test_a_deploy_is_refused_for_its_interfaces_exactly_where_the_answer_is_no(
    drawn: tuple[Inventory, Known, Version],
) -> None:
    whole, known, version = drawn
    asked = whole.services[ASKED]
    told = can(whole, Question(asked, version, BOTH), known)
    planned = plan_deploy(whole, Wish(asked, version), known)
    if told.there:
        assert isinstance(planned, Plan)
        assert (planned.moves, told.deploy.answer) == ((), Answer.YES)
    elif told.answer is Answer.NO:
        assert isinstance(planned, tuple)
        reasons = {one.says for one in planned if one.rule in INTERFACES}
        assert reasons == {one.says for one in (*told.deploy.against, *told.rollback.against)}
    else:
        assert isinstance(planned, Plan), planned
        places = {f"interfaces are unchecked in {one.environment} with" for one in planned.moves}
        unchecked = any(note.startswith(tuple(places)) for note in planned.unprotected)
        assert unchecked is (told.answer is Answer.CANNOT_TELL)


# What is told


GIVER = service(
    "Giver",
    provides=("ads 1", "ads 2"),
    wanted=OLD,
    releases=(release("1.0", provides=("ads 1",)), release("3.0", provides=("ads 3",))),
)
TAKER = service("Taker", consumes=("ads 1",), releases=(release("2.0", consumes=("ads 2",)),))
ALL = inventory(GIVER, TAKER)


def taker(*versions: str, environment: Environment = PRODUCTION, silent: bool = False) -> Running:
    name = ServiceName("Taker")
    return Running(environment, {name: frozenset(map(Version, versions))}, frozenset({name} if silent else ()))


def ask(
    *running: Running,
    version: str = "2.0",
    where: tuple[Environment, ...] = (PRODUCTION,),
    of: Service = GIVER,
    known: Known | None = None,
) -> Can:
    found = known or Known(fleet(), running or (taker("1.0"),), Past())
    return can(replace(ALL, services={**ALL.services, of.name: of}), Question(of, Version(version), where), found)


def test_a_yes_to_both_names_the_version_to_go_back_to() -> None:
    told = ask()
    assert (told.answer, told.returns, told.there) == (Answer.YES, (OLD,), False)
    assert report.can_text(told).splitlines()[:2] == [
        "✔ deploy    Giver 2.0 may be deployed in production",
        "✔ rollback  Giver may then go back to 1.0",
    ]


def test_a_no_has_the_verdict_of_each_half_first_and_each_reason_once_and_who_fits_beside_whom() -> None:
    assert report.can_text(ask(taker("1.0", "2.0"), version="3.0")) == (
        "✘ deploy    Giver 3.0 may not be deployed in production, for 2 reasons\n"
        "✘ rollback  Giver may not go back to 1.0 afterwards, for 1 reason\n"
        "\n"
        ": error: Giver 3.0 does not provide ads 1, which Taker 1.0 consumes in production [interface-lost]\n"
        "    Deploy a Taker that does without it first, or keep it in 3.0.\n"
        ": error: Giver 3.0 does not provide ads 2, which Taker 2.0 consumes in production [interface-lost]\n"
        "    Deploy a Taker that does without it first, or keep it in 3.0.\n"
        ": error: Giver 1.0 does not provide ads 2, which Taker 2.0 consumes in production [interface-lost]\n"
        "    Deploy a Taker that does without it first, or keep it in 1.0.\n"
        "\n"
        "neighbour    runs    in          beside Giver 3.0    beside Giver 1.0\n"
        "-----------  ------  ----------  ------------------  ------------------\n"
        "Taker        1.0     production  ✘ it loses ads 1    ✔\n"
        "Taker        2.0     production  ✘ it loses ads 2    ✘ it loses ads 2\n"
        "(as observed now)\n"
    )


def test_a_doubt_is_neither_yes_nor_no_and_shows_what_may_run() -> None:
    told = ask(taker("1.0", silent=True))
    assert (told.deploy.answer, told.rollback.answer, told.answer) == (
        Answer.YES,
        Answer.CANNOT_TELL,
        Answer.CANNOT_TELL,
    )
    assert "Taker        maybe 2.0  production  ✔                   ? it loses ads 2" in report.can_text(told)


def test_markdown_shows_names_as_they_are_and_ends_its_table() -> None:
    shown = report.can_markdown(ask(version="3.0"))
    assert shown.startswith("- ❌ **deploy**: Giver 3.0 may not be deployed in production, for 1 reason\n")
    assert "|\n\n_as observed now_\n" in shown


def test_the_answer_is_data_for_a_program() -> None:
    data = report.can_data(ask(taker("2.0")))
    assert (data["schema"], data["answer"], data["deploy"]["answer"], data["rollback"]["to"]) == (
        1,
        "no",
        "yes",
        ["1.0"],
    )
    assert data["pairs"][1] == {
        "environment": "production",
        "version": "1.0",
        "neighbour": "Taker",
        "neighbour_version": "2.0",
        "runs": True,
        "fits": False,
        "lost": ["ads 2"],
        "missing": [],
    }


def test_only_the_environments_that_are_asked_about_count() -> None:
    beside = (taker("1.0", environment=PARALLEL_CHAIN), taker("2.0"))
    assert ask(*beside, where=(PARALLEL_CHAIN,)).answer is Answer.YES
    assert ask(*beside, where=(PRODUCTION,)).rollback.answer is Answer.NO
    assert ask(*beside, where=BOTH).rollback.answer is Answer.NO


def test_each_instance_must_be_able_to_go_back_to_what_runs_on_it() -> None:
    mixed = Known(fleet(seen("i2", "3.0")), (taker("1.0"),), Past())
    told = ask(known=mixed)
    assert (told.returns, told.deploy.answer, told.rollback.answer) == ((OLD, "3.0"), Answer.YES, Answer.NO)


def test_what_a_silent_instance_of_the_service_would_go_back_to_can_not_be_told() -> None:
    silent = seen("i2", None, health=Health.UNKNOWN, says="no answer", identity=None)
    told = ask(known=Known(fleet(silent), (taker("1.0"),), Past()))
    assert (told.deploy.answer, told.rollback.answer) == (Answer.YES, Answer.CANNOT_TELL)
    assert [one.says for one in told.rollback.reasons] == ["what i2 in production would go back to is not known"]


def test_of_what_runs_already_the_way_back_is_the_one_on_record() -> None:
    moves = (move("p1"), move("i1"), move("i2"), move("i3"))
    history = past(run("r1", plan(*moves), Ending.DEPLOYED, "p1", "i1", "i2", "i3"))
    there = Known(fleet(version=NEW), (taker("2.0"),), history)
    told = ask(known=there)
    assert (told.there, told.deploy.answer, told.returns, told.rollback.answer) == (True, Answer.YES, (OLD,), Answer.NO)
    assert report.can_text(told).startswith("✔ deploy    Giver 2.0 runs in production already\n")
    assert ask(known=replace(there, past=Past())).rollback.answer is Answer.CANNOT_TELL


def test_a_version_that_failed_and_a_floor_that_forbids_every_switch_are_a_no() -> None:
    history = past(run("r1", plan(move("i1")), Ending.ROLLED_BACK, "i1", bad=True, cause="i1: ill"))
    told = ask(of=replace(GIVER, rollout=Rollout(floor=3)), known=Known(fleet(), (taker("1.0"),), history))
    assert [one.rule for one in told.deploy.against] == ["bad-version", "floor"]


def leaving(kind: BackKind, version: str) -> Service:
    listed = replace(GIVER.release(Version(version)), version=Version(version), rollback=WayBack(kind, "it migrates"))
    return replace(GIVER, releases={**GIVER.releases, listed.version: listed})


def test_a_release_without_a_way_back_may_be_deployed_and_not_be_rolled_back() -> None:
    told = ask(of=leaving(BackKind.FORBIDDEN, "2.0"))
    assert (told.deploy.answer, told.rollback.answer) == (Answer.YES, Answer.NO)
    assert [(one.rule, one.says) for one in told.rollback.against] == [
        ("way-back", "the way back from Giver 2.0 is forbidden: it migrates")
    ]


def test_a_release_without_a_way_back_that_runs_is_not_left_for_an_older_one() -> None:
    of = leaving(BackKind.FORBIDDEN, "2.0")
    running = Known(fleet(version=NEW), (taker("1.0"),), Past())
    assert [one.rule for one in ask(of=of, version="1.0", known=running).deploy.against] == ["way-back"]
    history = past(run("r1", plan(move("i1")), Ending.DEPLOYED, "i1"))
    there = ask(of=of, known=replace(running, past=history))
    assert (there.deploy.answer, there.rollback.answer) == (Answer.YES, Answer.NO)


def test_a_way_back_by_hand_is_a_yes_that_says_so() -> None:
    told = ask(of=leaving(BackKind.MANUAL, "2.0"))
    assert told.answer is Answer.YES
    assert "go back to 1.0, by hand only: it migrates" in report.can_text(told)


# Without a look


def declared(version: str = "2.0", was: str | None = None, history: Past | None = None, beside: str = "1.0") -> Can:
    asked = Question(GIVER, Version(version), (PRODUCTION,))
    now = {ServiceName("Giver"): OLD, ServiceName("Taker"): Version(beside)}
    return can_as_declared(ALL, asked, history or Past(), now, Version(was) if was else None)


def test_without_a_look_neighbours_are_at_what_is_wanted_of_them_and_the_service_too() -> None:
    told = declared()
    assert (told.answer, told.source, told.returns) == (Answer.YES, Source.DECLARED, (OLD,))
    assert declared("3.0").deploy.answer is Answer.NO


def test_without_a_look_what_is_on_record_outweighs_what_is_wanted_and_what_is_said_outweighs_both() -> None:
    history = past(run("r1", plan(move("i1"), version=NEW), Ending.DEPLOYED, "i1"))
    told = declared("1.1", history=history)
    assert (told.source, told.returns) == (Source.RECORDED, (NEW,))
    told = declared("1.1", history=history, was="3.0")
    assert (told.source, told.returns, told.rollback.answer) == (Source.DECLARED, (Version("3.0"),), Answer.NO)


def test_without_a_look_the_way_back_of_what_is_wanted_is_not_known_unless_it_is_on_record() -> None:
    assert declared("1.0").rollback.answer is Answer.CANNOT_TELL
    assert declared("1.0", was="2.0").answer is Answer.YES


@pytest.mark.parametrize("show", [report.can_text, report.can_markdown, report.can_json])
def test_an_answer_without_neighbours_has_no_table(show: object) -> None:
    alone = service("Alone")
    told = can(inventory(alone), Question(alone, NEW, BOTH), Known(fleet(), (), Past()))
    assert (told.answer, told.pairs) == (Answer.YES, ())
    assert callable(show)
    assert "neighbour  " not in show(told)
