"""Runs as records that a forge keeps: what is written, what is read back, and that nobody's payload does harm."""

import base64
import json
import zlib
from collections.abc import Mapping
from dataclasses import replace

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made import NEW, OLD, PLACES, inventory, move, name, past, plan, run, seen, service
from simulation.gate import simulate
from simulation.scenario import drawn
from simulation.world import SimJournal

from deploygate.closing import Closing, Said, closing, description
from deploygate.endings import Ending, Goal
from deploygate.events import Drained, Restored, Switch
from deploygate.names import PARALLEL_CHAIN, PRODUCTION, Environment, RunId, ServiceName, Version
from deploygate.past import Past, Run, remembered
from deploygate.plan import Plan
from deploygate.planning import plan_deploy
from deploygate.records import (
    Authored,
    GitHubRun,
    Kept,
    Record,
    concerned,
    payload,
    read,
    recall,
    records,
)
from deploygate.returning import plan_rollback
from deploygate.wish import WAIVABLE, Known, Wish

AT = "2024-01-01T12:00:00.000+00:00"
BY = Authored("nathan", AT, "it is Monday", GitHubRun(4711, 2))
WHOLE = plan(move("p1"), move("i1"), move("i2"))
ONE = RunId("20240101T120000-abc123")


def read_back(record: Record) -> Record:
    found = read(json.loads(json.dumps(payload(record))))
    assert found is not None
    return found


def kept(
    planned: Plan, *statuses: Mapping[Environment, list[Said]], called: RunId = ONE, by: Authored = BY
) -> list[Kept]:
    """Return what is read of a run, with the statuses of each environment, the newest first."""
    (given,) = statuses or ({},)
    return [Kept(read_back(one), tuple(given.get(one.environment, [])), AT) for one in records(called, planned, by)]


def said(line: str, state: str = "success", at: float = 100.0) -> Said:
    return Said(state, line, at)


def test_a_run_has_a_record_for_each_environment_that_it_concerns() -> None:
    made = records(ONE, WHOLE, BY)
    assert [one.environment for one in made] == [PARALLEL_CHAIN, PRODUCTION] == list(concerned(WHOLE))
    assert [(one.run, one.version, one.goal, one.actor, one.reason) for one in made] == [
        (ONE, NEW, Goal.DEPLOY, "nathan", "it is Monday")
    ] * 2
    assert [one.environment for one in records(ONE, plan(move("i1"), held=(move("p1"),)), BY)] == [
        PARALLEL_CHAIN,
        PRODUCTION,
    ]


@pytest.mark.parametrize("text", [True, False])
def test_a_payload_is_read_back_as_text_and_as_an_object(text: bool) -> None:  # noqa: FBT001 - a parameter
    (record, _) = records(ONE, WHOLE, BY)
    assert read(json.dumps(payload(record)) if text else payload(record)) == record


LINES: list[tuple[str, Closing]] = [
    ("deployed", Closing(Ending.DEPLOYED, bad=False, owes=(), out=(), says="")),
    (
        "rolled_back bad: i1: answered 503",
        Closing(Ending.ROLLED_BACK, bad=True, owes=(), out=(), says="i1: answered 503"),
    ),
    ("mixed bad owes i1,i2: ill", Closing(Ending.MIXED, bad=True, owes=(name("i1"), name("i2")), out=(), says="ill")),
    ("interrupted out i1: SIGTERM", Closing(Ending.INTERRUPTED, bad=False, owes=(), out=(name("i1"),), says="SIGTERM")),
]


@pytest.mark.parametrize(("line", "means"), LINES, ids=[line for line, _ in LINES])
def test_a_line_tells_an_ending_and_is_read_back(line: str, means: Closing) -> None:
    assert closing(line) == means
    assert description(means.ending, means.says, bad=means.bad, debts=means.owes or (), out=means.out or ()) == line


@given(
    st.sampled_from(list(Ending)),
    st.text(max_size=300),
    st.booleans(),
    st.lists(st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}", fullmatch=True), max_size=6),
)
def test_every_line_fits_and_keeps_its_ending_whatever_is_said(
    ending: Ending,
    says: str,
    bad: bool,  # noqa: FBT001 - drawn
    names: list[str],
) -> None:
    debts = [name(one) for one in names]
    line = description(ending, says, bad=bad, debts=debts)
    told = closing(line)
    assert len(line) <= 140
    assert told is not None
    assert (told.ending, told.bad) == (ending, bad)
    assert told.owes in {tuple(debts), None}  # None: they did not fit, and all are meant


STRANGE = [
    "", "superseded by run r2", "deployed well", "deployed  bad", "deployed bad bad", "deployed owes : x",
    "deployed owes i1, i2: x", "deployed owes a b: x", "DEPLOYED: x", "rolled_back bad:x", "deployed owes ../x: y",
    "deployed" + "x" * 200,
]  # fmt: skip


@pytest.mark.parametrize("line", STRANGE)
def test_a_line_that_is_not_ours_tells_no_ending(line: str) -> None:
    assert closing(line) is None


def test_a_deploy_that_ended_well_is_recalled_as_it_was() -> None:
    in_both = {one: [said("deployed"), said("", "in_progress", 50.0)] for one in (PARALLEL_CHAIN, PRODUCTION)}
    found = recall(kept(WHOLE, in_both))
    assert found == run(ONE, WHOLE, Ending.DEPLOYED, "p1", "i1", "i2", github_run=4711)


def test_only_what_was_begun_counts_as_touched() -> None:
    one = {
        PARALLEL_CHAIN: [said("rolled_back bad: ill", "failure"), said("", "in_progress")],
        PRODUCTION: [said("rolled_back bad: ill", "inactive")],
    }
    found = recall(kept(WHOLE, one))
    assert found == run(ONE, WHOLE, Ending.ROLLED_BACK, "p1", bad=True, cause="ill", github_run=4711)


@pytest.mark.parametrize("ending", [Ending.REFUSED, Ending.LOCKED, Ending.INTERRUPTED, Ending.INTERNAL_ERROR])
def test_a_run_that_ended_before_it_changed_anything_touched_nothing(ending: Ending) -> None:
    one = {PARALLEL_CHAIN: [said(f"{ending}", "inactive")], PRODUCTION: [said(f"{ending}", "inactive")]}
    found = recall(kept(WHOLE, one))
    assert found is not None
    assert (found.ending, found.touched) == (ending, frozenset())


def test_a_run_without_an_ending_was_cut_off_or_goes_on() -> None:
    one = {PARALLEL_CHAIN: [said("", "in_progress")]}
    cut_off, living = recall(kept(WHOLE, one)), recall(kept(WHOLE, one), alive=True)
    assert cut_off is not None
    assert living is not None
    assert (cut_off.ending, cut_off.alive, cut_off.touched) == (None, False, frozenset({name("p1")}))
    assert living.alive
    assert Past((cut_off,)).unfinished() == cut_off
    assert Past((living,)).under_way(Goal.DEPLOY) == living


def test_trap_10_the_newest_status_that_closes_a_record_counts_and_later_marks_of_the_forge_do_not() -> None:
    one = {
        PARALLEL_CHAIN: [said("", "inactive", 300.0), said("deployed", at=200.0), said("interrupted", "error", 100.0)],
        PRODUCTION: [said("superseded by run r2", "inactive", 300.0), said("deployed", at=200.0)],
    }
    found = recall(kept(WHOLE, one))
    assert found == run(ONE, WHOLE, Ending.DEPLOYED, "p1", "i1", "i2", github_run=4711)


def test_debts_are_recalled_and_where_the_names_did_not_fit_all_of_the_environment_owe() -> None:
    named = {PRODUCTION: [said("mixed bad owes i2: ill", "failure")]}
    every = {PRODUCTION: [said("mixed bad owes *: ill", "failure")]}
    assert [one.debts if (one := recall(kept(WHOLE, each))) else None for each in (named, every)] == [
        ("i2",),
        ("i1", "i2"),
    ]


def test_who_was_left_out_of_the_balancer_is_recalled_until_a_later_run_has_put_it_back() -> None:
    balanced = msgspec.structs.replace(WHOLE, balanced=(name("i1"), name("i2")))
    left = recall(kept(balanced, {PRODUCTION: [said("interrupted out i2: SIGTERM", "error", 100.0)]}))
    well = recall(kept(balanced, {PRODUCTION: [said("deployed", at=200.0)]}, called=RunId("later")))
    assert left is not None
    assert well is not None
    assert Past((left,)).drained() == {"i2"}
    assert Past((left, well)).drained() == frozenset()


@pytest.mark.parametrize("line", ["", "interrupted out *: the gate was killed"])
def test_a_run_that_was_killed_may_have_left_out_each_that_it_was_to_change_but_those_that_were_out_before(
    line: str,
) -> None:
    balanced = msgspec.structs.replace(WHOLE, balanced=(name("i1"), name("i2"), name("i3")), apart=(name("i2"),))
    killed = recall(kept(balanced, {PRODUCTION: [said(line, "error", 200.0)]}))
    assert killed is not None
    assert Past((killed,)).drained() == {"i1"}
    assert description(Ending.INTERRUPTED, "the gate was killed", out=None) == "interrupted out *: the gate was killed"


def test_a_restore_has_changed_no_process() -> None:
    put_back = plan(move("i1"), goal=Goal.RESTORE)
    found = recall(kept(put_back, {PRODUCTION: [said("already_there"), said("", "in_progress")]}))
    assert found is not None
    assert found.touched == frozenset()


LARGE = plan(
    *(move("i1", identity=base64.b64encode(zlib.compress(bytes([n % 251, n // 251] * 9))).decode() + str(n * n * n))
      for n in range(6_000))
)  # fmt: skip


def test_a_plan_that_is_too_large_is_left_out_and_the_run_is_remembered_as_bad_all_the_same() -> None:
    (record,) = records(ONE, LARGE, BY)
    assert record.unplanned
    assert len(json.dumps(payload(record))) < 1_000
    failed = recall(kept(LARGE, {PRODUCTION: [said("rolled_back bad: ill", "failure")]}))
    assert failed is not None
    assert Past((failed,)).bad(NEW) == f"run {ONE}: ill"


def test_a_rollback_of_a_run_without_its_plan_must_name_its_version_and_no_older_run_is_undone_instead() -> None:
    older = run("r1", WHOLE, Ending.DEPLOYED, "p1", "i1", "i2")
    large = recall(kept(LARGE, {PRODUCTION: [said("deployed")]}))
    assert large is not None
    svc = service()
    known = Known({name(one): seen(one, NEW) for one in PLACES}, (), past(older, large))
    refused = plan_rollback(inventory(svc), Wish(svc, None, goal=Goal.ROLLBACK), known)
    assert isinstance(refused, tuple)
    assert [(one.rule, one.help) for one in refused] == [
        ("nothing-to-undo", "Name the version to go to: --to VERSION.")
    ]
    assert isinstance(plan_rollback(inventory(svc), Wish(svc, OLD, goal=Goal.ROLLBACK), known), Plan)


def test_a_run_without_its_plan_is_unfinished_until_all_its_environments_went_to_a_named_version() -> None:
    cut_off = recall(kept(LARGE, {PRODUCTION: [said("", "in_progress")]}))
    assert cut_off is not None
    assert past(cut_off).unfinished() == cut_off
    undone = plan(move("i1"), goal=Goal.ROLLBACK, version=OLD)
    of_another = msgspec.structs.replace(undone, of_run="r0")
    assert past(cut_off, run("r2", of_another, Ending.ROLLED_BACK, "i1")).unfinished() == cut_off
    assert past(cut_off, run("r2", undone, Ending.ROLLED_BACK, "i1")).unfinished() is None
    assert past(cut_off).idle() is None


def spoiled(**more: object) -> dict[str, object]:
    (record, _) = records(ONE, WHOLE, BY)
    return payload(record) | more


def packed(**more: object) -> str:
    whole = msgspec.to_builtins(WHOLE) | more
    return base64.b64encode(zlib.compress(json.dumps(whole).encode())).decode()


def bad_move(**more: object) -> list[object]:
    return [msgspec.to_builtins(move("p1")) | more]


MALFORMED: list[object] = [
    None, 1, [], {}, "", "{", "[]", "null", '"x"', "\ud800", "[" * 100_000, "x" * 300_000, {"deploygate": 1},
    spoiled(deploygate=2), spoiled(run="../x"), spoiled(run=""), spoiled(run="a b"), spoiled(service="a/b"),
    spoiled(environment="::x"), spoiled(version="../../etc"), spoiled(goal="destroy"), spoiled(github={"run_id": "x"}),
    spoiled(plan="x" * 70_000), spoiled(plan=""), spoiled(unplanned=True),
]  # fmt: skip
BAD_PLANS: list[object] = [
    spoiled(plan="!!"), spoiled(plan="AAAA"), spoiled(plan=base64.b64encode(zlib.compress(b"{}")).decode()),
    spoiled(plan=base64.b64encode(zlib.compress(b" " * 40_000_000, 9)).decode()),  # a bomb
    spoiled(plan=base64.b64encode(zlib.compress(b"[" * 1_000_000)).decode()),
    spoiled(plan=packed(version="3.0")), spoiled(plan=packed(service="Other")), spoiled(plan=packed(goal="rollback")),
    spoiled(plan=packed(moves=bad_move(was="../../tmp/x"))), spoiled(plan=packed(moves=bad_move(instance="$(x)"))),
    spoiled(plan=packed(keep=["a/b"])), spoiled(plan=packed(skipped=["a b"])),
]  # fmt: skip


@pytest.mark.parametrize("given", MALFORMED)
def test_a_payload_that_is_foreign_or_malformed_is_no_record(given: object) -> None:
    assert read(given) is None


@pytest.mark.parametrize("given", BAD_PLANS)
def test_a_record_whose_plan_is_not_to_be_gone_by_tells_of_no_run(given: object) -> None:
    record = read(given)
    assert record is not None
    assert recall([Kept(record, (), AT)]) is None
    assert recall([]) is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=300)
@given(JSON, st.sampled_from(sorted(spoiled())), st.text(max_size=200), st.sampled_from(["success", "odd", ""]))
def test_nothing_that_somebody_writes_into_a_record_makes_the_reading_fail(
    value: object, key: str, line: str, state: str
) -> None:
    for one in (value, {key: value}, spoiled(**{key: value}), json.dumps(spoiled(**{key: value}))):
        record = read(one)
        if record is not None:
            recall([Kept(record, (said(line, state),), AT)])


def test_what_is_shown_of_a_record_is_made_harmless() -> None:
    record = read(spoiled(actor="::set-output name=x::y", reason="a\n##[error]b"))
    assert record is not None
    assert (record.actor, record.reason) == (": :set-output name=x::y", "a ## [error]b")


def test_records_that_do_not_agree_are_no_part_of_the_run() -> None:
    one, two = kept(WHOLE, {PRODUCTION: [said("deployed")]})
    forged = replace(two, record=msgspec.structs.replace(two.record, actor="mallory"))
    found = recall([one, forged])
    assert found is not None
    assert (found.actor, found.ending) == ("nathan", None)


NEWER = run("r7", plan(move("i1"), version=Version("3.0")), Ending.DEPLOYED, "i1", github_run=7)


def asked(github_run: int | None, *runs: Run, **waived: str) -> Plan | list[str]:
    svc = service()
    known = Known({name(one): seen(one) for one in PLACES}, (), past(*runs), github_run=github_run)
    found = plan_deploy(inventory(svc), Wish(svc, NEW, waived=waived), known)
    return found if isinstance(found, Plan) else [one.rule for one in found]


def test_trap_f19_a_run_again_of_an_old_workflow_run_does_not_take_a_newer_version_back() -> None:
    assert asked(5, NEWER) == ["superseded"]
    assert "superseded" in WAIVABLE
    assert isinstance(asked(5, NEWER, superseded="on purpose"), Plan)


def test_a_newer_run_a_gate_outside_of_workflows_and_the_same_version_are_not_superseded() -> None:
    same = run("r7", WHOLE, Ending.DEPLOYED, "p1", "i1", github_run=7)
    failed = run("r7", plan(move("i1"), version=Version("3.0")), Ending.ROLLED_BACK, "i1", github_run=7)
    later = run("r8", WHOLE, Ending.DEPLOYED, "i1", github_run=8)
    for found in (asked(7, NEWER), asked(8, NEWER), asked(None, NEWER), asked(5, same), asked(5, failed)):
        assert isinstance(found, Plan)
    assert isinstance(asked(5, NEWER, later), Plan)  # the newest that ended well counts


def recorded(one: SimJournal, number: int) -> Run | None:
    """Return a simulated run as its records would tell it, had there been a forge."""
    assert one.beginning is not None
    planned = one.beginning.plan
    began: dict[Environment, None] = {}
    out = dict.fromkeys(planned.out)
    for action in one.actions:
        if isinstance(action, Switch):
            began |= {planned.instances[change.instance]: None for change in action.changes}
    for event in one.events:
        if isinstance(event, Drained):
            out |= dict.fromkeys(event.instances)
        if isinstance(event, Restored):
            failed = {trouble.instance for trouble in event.troubles}
            out = {name: None for name in out if name not in event.instances or name in failed}
    statuses = {place: [Said("in_progress", "", number)] for place in began}
    for place in concerned(planned) if one.ended else ():
        assert one.ended is not None
        ending = one.ended.ending
        well = ending in {Ending.DEPLOYED, Ending.ROLLED_BACK}
        state = ("success" if well else "failure") if place in began else "inactive"
        line = description(ending, one.ended.cause, bad=one.ended.bad, debts=one.ended.debts, out=tuple(out))
        statuses.setdefault(place, []).insert(0, Said(state, line, number + 0.5))
    made = (read_back(record) for record in records(one.run, planned, BY))
    return recall(
        [Kept(record, tuple(statuses.get(record.environment, ())), AT, number) for record in made], alive=one.alive
    )


def only_recorded(self: SimJournal, _service: ServiceName) -> tuple[Run, ...]:
    """Remember what records tell, as on a machine that has no journals."""
    told = (recorded(one, number) for number, one in enumerate(self.runs) if one.beginning and one is not self)
    return tuple(run for run in told if run)


WITHOUT_JOURNALS = range(300)


def test_the_promises_hold_where_records_are_all_that_is_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SimJournal, "past", only_recorded)
    violations = {seed: simulate(drawn(seed)).fleet.violations for seed in WITHOUT_JOURNALS}
    assert {seed: found for seed, found in violations.items() if found} == {}


def test_the_past_from_records_answers_as_the_past_from_journals(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SimJournal, "past", only_recorded)
    compared = 0
    for seed in WITHOUT_JOURNALS:
        pairs = [
            (remembered(one.beginning, one.actions, one.events, one.ended, alive=False), recorded(one, number))
            for number, one in enumerate(simulate(drawn(seed)).shared.journals)
            if one.beginning and concerned(one.beginning.plan)
        ]
        compared += len(pairs)
        assert all(found and found.touched >= told.touched for told, found in pairs), seed
        assert all(found and bool(found.touched) == bool(told.touched) for told, found in pairs), seed
        same_answers(Past(tuple(told for told, _ in pairs)), Past(tuple(found for _, found in pairs if found)), seed)
    assert compared > len(WITHOUT_JOURNALS)


def same_answers(journals: Past, forge: Past, seed: int) -> None:
    asked = (Past.unfinished, Past.idle, Past.last_deploy)
    assert [(one := ask(journals)) and one.run for ask in asked] == [
        (one := ask(forge)) and one.run for ask in asked
    ], seed
    assert journals.last_good() == forge.last_good(), seed
    assert forge.drained() >= journals.drained() or any(one.ending is None for one in journals.runs), seed
    if all(one.ending for one in journals.runs):  # of one that was killed, what it saw is in its journal alone
        assert set(journals.debts()) == set(forge.debts()), seed
        for version in (OLD, NEW):
            assert bool(journals.bad(version)) == bool(forge.bad(version)), seed
            assert journals.bad(version).startswith(forge.bad(version).rstrip("…")), seed
    for told in journals.runs:
        for instance in told.plan.instances:
            known = journals.came_from(instance, NEW)
            assert known in {None, forge.came_from(instance, NEW)}, seed
