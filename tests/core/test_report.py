"""What readers get: whole accounts as text, Markdown and JSON; and that nothing a probe says can forge any of it."""

import json
import re
from collections.abc import Callable
from html.parser import HTMLParser

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from made import NEW, OLD, fleet, inventory, move, name, past, plan, run, seen, service
from msgspec.structs import replace
from small_world import KilledError, SmallWorld, behind

from deploygate import report
from deploygate.account import Account, Row, account, already_there, refused
from deploygate.endings import Ending, Goal
from deploygate.events import (
    Change,
    Drain,
    Event,
    LockReleased,
    LockTaken,
    Look,
    Prove,
    Proved,
    Prune,
    Pruned,
    RaiseRollback,
    ReleaseLock,
    Restore,
    RollbackEnded,
    Seen,
    Stage,
    Staged,
    Start,
    Switch,
    Switched,
    TakeLock,
)
from deploygate.findings import Finding, Severity, Where
from deploygate.inventory import Rollout as Care
from deploygate.names import PRODUCTION, InstanceName, RunId, Version
from deploygate.observation import observed
from deploygate.past import Past
from deploygate.plan import Plan
from deploygate.planning import plan_deploy
from deploygate.probe import Health, Sighting
from deploygate.rehearsal import rehearse
from deploygate.rollout import Rollout, apply, next_action, start
from deploygate.wish import Known, Wish
from deploygate.wording import plain

RUN = RunId("20240101T120000-abcdef")
SVC = service()
DEPLOY = plan(move("i1"), move("i2"), move("i3"), instances={name(one): PRODUCTION for one in ("i1", "i2", "i3")})
FLEET = tuple(one for one in fleet().values() if one.instance != "p1")
Answer = Callable[[Sighting], Sighting]


def rolled(planned: Plan, answer: Answer) -> Rollout:
    """Return the end of a run whose instances answer as `answer` changes it."""
    rollout = start(planned, FLEET)
    running: dict[InstanceName, Sighting] = {one.instance: one for one in FLEET}
    for _ in range(2000):
        action = next_action(rollout)
        if action is None:
            return rollout
        rollout = apply(rollout, _event(rollout.now, action, running, answer))
    raise AssertionError("it never ended")


def _event(now: float, action: object, running: dict[InstanceName, Sighting], answer: Answer) -> Event:
    def change(one: InstanceName, version: str | None) -> None:
        running[one] = seen(one, version, identity=f"{one}-{version}-{now}")

    match action:
        case Look(names, at):
            return Seen(at, tuple(answer(replace(running[one], at=at)) for one in names))
        case Switch(changes):
            for switched in changes:
                change(switched.instance, switched.start)
            return Switched(now)
        case RaiseRollback():
            for one in running:
                change(one, OLD)
            return RollbackEnded(now, "Svc is back at 1.0, on 2 instances", Ending.ROLLED_BACK, RunId("r2"))
    plain_ones: dict[type, Event] = {
        TakeLock: LockTaken(now),
        Stage: Staged(now),
        Prove: Proved(now),
        Prune: Pruned(now),
        ReleaseLock: LockReleased(now),
    }
    return plain_ones[type(action)]


def well(one: Sighting) -> Sighting:
    return one


def ill_on_i2(one: Sighting) -> Sighting:
    if (one.instance, one.version) != ("i2", NEW):
        return one
    return replace(one, health=Health.ILL, says='/health: answered 503 and says "no | store @ops"')


DEPLOYED = account(RUN, rolled(DEPLOY, well), SVC, 12.0)
ROLLED_BACK = account(RUN, rolled(DEPLOY, ill_on_i2), SVC, 0.0)
REASONS = (
    Finding("baseline", Where("services.yml", 3, 5), "i2 is not healthy before the start", "Mend it first."),
    Finding("baseline", Where("services.yml", 4, 5), "i3 is not healthy before the start", "Mend it first."),
)
REFUSED = refused(RUN, Goal.DEPLOY, SVC, NEW, REASONS)
NOTED = Account(RUN, Goal.DEPLOY, "Svc", NEW, Ending.MIXED, "mixed", notes=("production has <one> instance",))


def test_a_good_deploy_as_text() -> None:
    assert report.as_text(DEPLOYED) == (
        "✔ deployed  Svc 2.0 runs on 3 instances, each proven (before: 1.0), in 12 s\n"
        "\n"
        "instance    environment    version    health    state\n"
        "----------  -------------  ---------  --------  -------\n"
        "i1          production     2.0        healthy   updated\n"
        "i2          production     2.0        healthy   updated\n"
        "i3          production     2.0        healthy   updated\n"
    )


def test_a_good_deploy_as_markdown() -> None:
    assert report.as_markdown(DEPLOYED) == (
        "### ✅ `deployed` Svc 2.0 runs on 3 instances, each proven \\(before: 1.0\\)\n"
        "\n"
        "| instance   | environment   | version   | health   | state   |\n"
        "|------------|---------------|-----------|----------|---------|\n"
        "| i1         | production    | 2.0       | healthy  | updated |\n"
        "| i2         | production    | 2.0       | healthy  | updated |\n"
        "| i3         | production    | 2.0       | healthy  | updated |\n"
        "\n"
        "<sub>deploygate, run 20240101T120000-abcdef, 12 s</sub>\n"
    )


def test_a_good_deploy_as_json() -> None:
    rows = [
        {"instance": one, "environment": "production", "version": "2.0", "health": "healthy", "state": "updated",
         "says": ""}
        for one in ("i1", "i2", "i3")
    ]  # fmt: skip
    assert json.loads(report.as_json(DEPLOYED)) == {
        "schema": 1,
        "run": RUN,
        "goal": "deploy",
        "service": "Svc",
        "version": "2.0",
        "ending": "deployed",
        "reason_code": "deployed",
        "decision": "pass",
        "exit_code": 0,
        "says": "Svc 2.0 runs on 3 instances, each proven (before: 1.0)",
        "why": "",
        "done": [],
        "now": "",
        "concerns": None,
        "instances": rows,
        "reasons": [],
        "notes": [],
        "elapsed": 12.0,
    }


WHY = '/health: answered 503 and says "no | store @ops" (25 times, until the deadline of 20 s)'


def test_a_deploy_that_was_rolled_back_as_text() -> None:
    assert re.sub(r"\d+ times", "25 times", report.as_text(ROLLED_BACK)) == (
        "✘ rolled_back  Svc 2.0 failed and was taken back: 2 instances at 1.0\n"
        f"  why   i2: {WHY}\n"
        "  done  contained i2: killed 2.0, started the old version\n"
        "  done  raised a rollback: Svc is back at 1.0, on 2 instances\n"
        "  now   Mend it and release a new version; 2.0 is refused from now on.\n"
        "  who   nathan (ops owner)\n"
        "\n"
        "instance    environment    version    health    state\n"
        "----------  -------------  ---------  --------  -----------\n"
        "i1          production     1.0        healthy   taken back\n"
        "i2          production     1.0        healthy   taken back\n"
        "i3          production     1.0        healthy   not touched\n"
    )


def test_a_deploy_that_was_rolled_back_as_markdown() -> None:
    shown = re.sub(r"\d+ times", "25 times", report.as_markdown(ROLLED_BACK))
    assert shown.splitlines()[:7] == [
        "### ❌ `rolled_back` Svc 2.0 failed and was taken back: 2 instances at 1.0",
        "",
        f"- **why**: i2: {report.escaped(WHY)}",
        "- **done**: contained i2: killed 2.0, started the old version",
        "- **done**: raised a rollback: Svc is back at 1.0, on 2 instances",
        "- **now**: Mend it and release a new version; 2.0 is refused from now on.",
        "- **who**: nathan \\(ops owner\\)",
    ]


def test_a_deploy_that_was_rolled_back_as_json_is_a_failed_check() -> None:
    told = json.loads(report.as_json(ROLLED_BACK))
    assert (told["decision"], told["exit_code"], told["ending"]) == ("fail", 6, "rolled_back")
    assert told["concerns"] == {"role": "ops", "who": "nathan"}
    assert {row["instance"]: row["version"] for row in told["instances"]} == {"i1": "1.0", "i2": "1.0", "i3": "1.0"}


def test_a_refusal_as_text_names_each_remedy_once() -> None:
    assert report.as_text(REFUSED) == (
        "✘ refused  Svc 2.0 was refused for 2 reasons; nothing was touched\n"
        "  who   nathan (ops owner)\n"
        "  - i2 is not healthy before the start\n"
        "  - i3 is not healthy before the start\n"
        "    [baseline] Mend it first.\n"
    )


def test_a_refusal_as_markdown() -> None:
    assert report.as_markdown(REFUSED) == (
        "### ❌ `refused` Svc 2.0 was refused for 2 reasons; nothing was touched\n"
        "\n"
        "- **who**: nathan \\(ops owner\\)\n"
        "- **baseline**: i2 is not healthy before the start. Mend it first.\n"
        "- **baseline**: i3 is not healthy before the start. Mend it first.\n"
        "\n"
        f"<sub>deploygate, run {RUN}</sub>\n"
    )


def test_a_refusal_as_json_has_each_reason_with_its_place() -> None:
    told = json.loads(report.as_json(REFUSED))
    assert (told["exit_code"], told["instances"]) == (4, [])
    assert told["reasons"][0] == {
        "rule": "baseline",
        "severity": "error",
        "file": "services.yml",
        "line": 3,
        "column": 5,
        "says": "i2 is not healthy before the start",
        "help": "Mend it first.",
    }


def test_a_refusal_for_an_interface_concerns_the_developers() -> None:
    reason = Finding("interface-lost", Where(), "x", "y")
    assert refused(RUN, Goal.DEPLOY, SVC, NEW, (reason,)).concerns == ("dev", "cory")


def test_a_run_with_nothing_to_do_says_that_nothing_was_restarted() -> None:
    told = already_there(RUN, SVC, plan(), fleet(version=NEW))
    assert report.as_text(told).splitlines()[0] == (
        "✔ already_there  Svc 2.0 is there already, on 4 instances; nothing was restarted"
    )


def test_notes_are_told_in_text_and_folded_away_in_markdown() -> None:
    assert report.as_text(NOTED) == "✘ mixed  mixed\n  note  production has <one> instance\n"
    assert (
        "<details><summary>What this run did not guard against</summary>\n\n- production has &lt;one&gt; instance"
        in (report.as_markdown(NOTED))
    )


def planned(version: str = "1.10", **waived: str) -> Plan:
    reasons = {key.replace("_", "-"): reason for key, reason in waived.items()}
    found = plan_deploy(inventory(SVC), Wish(SVC, Version(version), waived=reasons), Known(fleet(), (), Past()))
    assert isinstance(found, Plan)
    return found


def test_a_plan_as_text() -> None:
    assert report.plan_text(planned(), SVC) == (
        "Svc 1.0 -> 1.10: 1 parallel-chain instance and 3 production instances, one at a time, about 23 s,"
        " at most 9 min with the way back\n"
        "  reach at most 1 of 3 production instances unproven at any time (33% of its traffic)\n"
        "  back  to 1.0, by kill and start, proven before the first change\n"
        "  who   ops nathan, dev cory, pm obaid\n"
        "\n"
        "step    instance    environment     from    to    watched for\n"
        "------  ----------  --------------  ------  ----  -------------\n"
        "1       p1          parallel-chain  1.0     1.10  3 s\n"
        "2       i1          production      1.0     1.10  10 s (bake)\n"
        "3       i2          production      1.0     1.10  3 s\n"
        "4       i3          production      1.0     1.10  3 s\n"
    )


def test_a_plan_as_markdown() -> None:
    assert report.plan_markdown(planned(), SVC) == (
        "### Svc 1.0 -&gt; 1.10: 1 parallel-chain instance and 3 production instances, one at a time, about 23 s,"
        " at most 9 min with the way back\n"
        "\n"
        "- **reach**: at most 1 of 3 production instances unproven at any time \\(33% of its traffic\\)\n"
        "- **back**: to 1.0, by kill and start, proven before the first change\n"
        "- **who**: ops nathan, dev cory, pm obaid\n"
        "\n"
        "| step   | instance   | environment    | from   | to   | watched for   |\n"
        "|--------|------------|----------------|--------|------|---------------|\n"
        "| 1      | p1         | parallel-chain | 1.0    | 1.10 | 3 s           |\n"
        "| 2      | i1         | production     | 1.0    | 1.10 | 10 s \\(bake\\) |\n"
        "| 3      | i2         | production     | 1.0    | 1.10 | 3 s           |\n"
        "| 4      | i3         | production     | 1.0    | 1.10 | 3 s           |\n"
    )


def test_a_plan_does_not_call_a_waived_way_back_proven() -> None:
    assert "  back  to 1.0, by kill and start, not proven, as waived\n" in report.plan_text(planned(way_back="x"), SVC)


def test_a_plan_as_json_has_its_moves_and_owners() -> None:
    told = json.loads(report.plan_json(planned(), SVC))
    assert (told["schema"], told["owners"]) == (1, {"ops": "nathan", "dev": "cory", "pm": "obaid"})
    assert [one["instance"] for one in told["plan"]["moves"]] == ["p1", "i1", "i2", "i3"]
    assert (told["plan"]["version"], told["plan"]["expected"]) == ("1.10", 23.0)


def test_a_plan_with_nothing_to_do_says_so() -> None:
    assert report.plan_text(plan(), SVC) == "Svc 2.0: nothing to do, it is there already\n"
    assert report.plan_markdown(plan(), SVC) == "### Svc 2.0: nothing to do, it is there already\n"


def test_a_plan_by_waves_says_how_many_go_together_and_how_far_that_reaches() -> None:
    careful = behind(1, 2, floor=1)
    found = plan_deploy(inventory(careful), Wish(careful, Version("1.10")), Known(fleet(), (), Past()))
    assert isinstance(found, Plan)
    assert report.plan_text(found, careful) == (
        "Svc 1.0 -> 1.10: 1 parallel-chain instance and 3 production instances, in waves of 1, 2, as the floor"
        " allows, about 12 s, at most 13 min with the way back\n"
        "  reach at most 2 of 3 production instances unproven at any time (67% of its traffic)\n"
        "  back  to 1.0, by kill and start, proven before the first change\n"
        "  via   the balancer: 3 instances drained in turn (5 s at most for connections), and put back once proven\n"
        "  who   ops nathan, dev cory, pm obaid\n"
        "\n"
        "step    instance    environment     from    to    watched for\n"
        "------  ----------  --------------  ------  ----  -------------\n"
        "1       p1          parallel-chain  1.0     1.10  3 s\n"
        "2       i1          production      1.0     1.10  3 s\n"
        "3       i2          production      1.0     1.10  3 s\n"
        "3       i3          production      1.0     1.10  3 s\n"
    )
    shown = report.plan_markdown(found, careful)
    assert "- **reach**: at most 2 of 3 production instances unproven at any time \\(67% of its traffic\\)\n" in shown
    assert "| 3      | i2         |" in shown
    assert "| 3      | i3         |" in shown


def test_a_plan_that_only_finishes_or_puts_traffic_right_says_what_it_does() -> None:
    left = plan(out=(name("i1"),), balanced=(name("i1"),))
    says = "i1 may have traffic again, as an earlier run left it out"
    assert report.plan_text(left, SVC) == f"Svc 2.0: it is there already; {says}\n"
    held = plan(held=(move("p1"), move("i1")))
    assert report.plan_text(held, SVC) == (
        "Svc 2.0: it is there already; p1, i1 must pass, as an earlier run was cut off\n"
    )


OBSERVED = observed(
    SVC,
    tuple(fleet(seen("i1", "1.10"), seen("i2", None, health=Health.ILL, says="connection refused")).values()),
    past(run("r1", plan(move("i1"), skipped=(name("i3"),)), Ending.MIXED, "i1")),
)


def test_an_observation_as_text() -> None:
    assert report.observed_text(OBSERVED) == (
        "✘ 3 of 4 instances not as wanted\n"
        "\n"
        "service    instance    environment     health    version    changed (UTC)        by      drift"
        "                       says\n"
        "---------  ----------  --------------  --------  ---------  -------------------  ------"
        "  --------------------------  ------------------\n"
        "Svc        p1          parallel-chain  healthy   1.0        -                    -\n"
        "Svc        i1          production      healthy   1.10       2024-01-01 12:00:00  nathan  wanted 1.0\n"
        "Svc        i2          production      ill       -          -                    -       version unknown"
        "             connection refused\n"
        "Svc        i3          production      healthy   1.0        -                    -"
        "       owed since it was left out\n"
    )


def test_an_observation_that_is_as_wanted_says_so() -> None:
    rows = observed(SVC, tuple(fleet().values()), Past())
    assert report.observed_text(rows).splitlines()[0] == "✔ 4 instances, all as wanted"


def test_an_observation_as_json_and_markdown() -> None:
    told = json.loads(report.observed_json(OBSERVED))
    assert told["schema"] == 1
    assert [(row["instance"], row["as_wanted"]) for row in told["instances"]] == [
        ("p1", True), ("i1", False), ("i2", False), ("i3", False),
    ]  # fmt: skip
    assert "| Svc       | i1         | production     | healthy  | 1.10      |" in report.observed_markdown(OBSERVED)


def test_a_service_that_names_another_release_than_was_started_has_drifted() -> None:
    rows = observed(SVC, tuple(fleet(seen("i1", release="0.9")).values()), Past())
    assert {row.instance: row.drift for row in rows if row.drift} == {"i1": "answers 1.0, but 0.9 was started"}


def test_an_instance_that_is_sent_nothing_has_drifted() -> None:
    away = fleet(seen("i1", in_service=False), seen("i2", "1.10", in_service=False), seen("i3", in_service=True))
    rows = observed(SVC, tuple(away.values()), Past())
    assert {row.instance: row.drift for row in rows if row.drift} == {
        "i1": "out of the balancer",
        "i2": "wanted 1.0; out of the balancer",
    }
    assert [row.as_wanted for row in rows] == [True, False, False, True]


# What is told of traffic


def told(world: SmallWorld, goal: Goal = Goal.DEPLOY, version: str | None = NEW) -> Account:
    return account(RUN, world.run(goal, version), world.service, 0.0)


def killed_before(change: str) -> SmallWorld:
    """Return the world after a run that was killed when it was about to make this change."""
    world = SmallWorld(behind())

    def kill(one: str) -> None:
        if one == change:
            raise KilledError

    world.before = kill
    with pytest.raises(KilledError):
        world.run()
    world.before = lambda _change: None
    return world


def test_a_run_tells_what_an_earlier_one_had_left_out_and_it_put_back() -> None:
    assert told(killed_before("switch i1=2.0")).done == (
        "put i1 back into the balancer, where an earlier run had left it out",
    )


def test_one_that_could_not_be_put_back_is_told_in_its_row_and_in_a_note() -> None:
    world = SmallWorld(behind(), trouble=lambda what, one: "timed out" if (what, one) == ("restore", "i1") else "")
    shown = told(world)
    assert shown.headline == "ROLLBACK FAILED: i1 of Svc could not be taken back to 1.0"
    assert [(row.instance, row.state) for row in shown.rows] == [
        ("p1", "taken back"),
        ("i1", "stuck, out of the balancer"),
        ("i2", "not touched"),
        ("i3", "not touched"),
    ]
    assert shown.notes[-1] == "the balancer: i1: timed out"


def test_a_restore_tells_who_may_have_traffic_again() -> None:
    shown = told(killed_before("switch i1=2.0"), Goal.RESTORE, None)
    assert (shown.ending, shown.headline, shown.concerns) == (
        Ending.ALREADY_THERE, "Svc: i1 passed, and may have traffic again; nothing was restarted", None,
    )  # fmt: skip


def test_a_restore_tells_who_stays_out_and_why() -> None:
    world = killed_before("switch i1=2.0")
    world.ill.add(("i1", OLD))
    shown = told(world, Goal.RESTORE, None)
    assert (shown.ending, shown.why) == (
        Ending.CANNOT_TELL,
        "i1: stays out of the balancer: answered 503 (until the deadline of 20 s)",
    )
    assert [(row.instance, row.state) for row in shown.rows] == [("i1", "out of the balancer")]
    assert shown.concerns == ("ops", "nathan")


def test_a_restore_that_was_stopped_is_to_be_run_again() -> None:
    world = killed_before("switch i1=2.0")
    world.stop = "SIGTERM"
    assert told(world, Goal.RESTORE, None).now == "Run `deploygate restore Svc` again to finish it."


def test_a_restore_with_nothing_to_do_says_so() -> None:
    shown = already_there(RUN, SVC, plan(goal=Goal.RESTORE, instances={}), {})
    assert shown.headline == "Svc: no run has left an instance out of the balancer"


def test_a_rollback_that_only_put_traffic_right_says_that_nothing_was_taken_back() -> None:
    world = killed_before("drain i1")
    world.out.add("i1")
    world.runs[0] = replace(world.runs[0], touched=frozenset())
    shown = told(world, Goal.ROLLBACK, None)
    assert (shown.ending, shown.headline) == (
        Ending.ALREADY_THERE, "Svc: no instance is to be taken back; nothing was restarted",
    )  # fmt: skip


def test_a_stopped_deploy_that_left_one_out_does_not_say_that_nothing_was_touched() -> None:
    world = SmallWorld(behind(), trouble=lambda what, _one: "timed out" if what == "restore" else "")
    world.start("p1", NEW)
    world.before = lambda change: setattr(world, "stop", "SIGTERM") if change == "drain i1" else None
    assert told(world).now == "No process was changed. Run `deploygate restore Svc`, or `deploygate deploy Svc 2.0`."


def test_what_stands_in_the_way_of_a_deploy_is_named_though_the_instance_answers_well() -> None:
    world = SmallWorld(behind())
    world.start("i3", NEW)
    world.before = lambda change: world.out.add("i3") if change == "drain i2" else None
    shown = told(world)
    assert (shown.ending, shown.why) == (
        Ending.CANNOT_TELL, "i3: was not touched, and is not well: the balancer sends it nothing",
    )  # fmt: skip


FINDINGS = (
    Finding("same-name", Where("services.yml", 3, 5), "two | of a kind", "Rename <one>."),
    Finding("single-instance", Where("services.yml"), "only one", "Add one.", Severity.WARNING),
)


def test_findings_as_text_markdown_and_json() -> None:
    assert report.findings_text(FINDINGS) == (
        "services.yml:3:5: error: two | of a kind [same-name]\n    Rename <one>.\n"
        "services.yml: warning: only one [single-instance]\n    Add one.\n"
    )
    assert report.findings_markdown(FINDINGS) == (
        "| where            | severity   | rule            | what was found   | what to do          |\n"
        "|------------------|------------|-----------------|------------------|---------------------|\n"
        "| services.yml:3:5 | error      | same-name       | two \\| of a kind | Rename &lt;one&gt;. |\n"
        "| services.yml     | warning    | single-instance | only one         | Add one.            |\n"
    )
    told = json.loads(report.findings_json(FINDINGS))
    assert [one["severity"] for one in told["findings"]] == ["error", "warning"]


@pytest.mark.parametrize(
    ("action", "line"),
    [
        (TakeLock(Goal.ROLLBACK), "take the lock, as a rollback"),
        (Stage((Start(name("i1"), NEW), Start(name("i2"), NEW))), "stage 2.0 beside what runs (2 instances)"),
        (Stage(()), "stage nothing beside what runs (0 instances)"),
        (
            Prove((Start(name("i1"), NEW), Start(name("i1"), OLD)), unchanged=True),
            "prove that 1.0, 2.0 can be started, forwards and back",
        ),
        (Switch((Change(name("i1"), OLD, NEW),)), "i1: kill 1.0, start 2.0"),
        (
            Switch((Change(name("i1"), None, NEW), Change(name("i2"), NEW, None))),
            "i1: start 2.0; i2: kill 2.0, start nothing",
        ),
        (Look((name("i1"), name("i2")), 0.0), "look at i1, i2"),
        (Look(tuple(name(str(one)) for one in range(6)), 0.0), "look at 0, 1, 2, 3 and others"),
        (RaiseRollback("i1: ill", 60.0), "raise the rollback: i1: ill"),
        (Prune((name("i1"),), (OLD, NEW)), "remove old releases, but never 1.0, 2.0"),
        (ReleaseLock(), "let go of the lock"),
        (Drain((name("i1"), name("i2")), 5.0), "take i1, i2 out of the balancer, waiting 5 s at most for connections"),
        (Restore((name("i1"),)), "put i1 back into the balancer"),
    ],
)
def test_every_action_has_a_line(action: TakeLock, line: str) -> None:
    assert report.action_line(action) == line


def test_a_rehearsal_shows_every_action_but_the_looks() -> None:
    lines = [report.action_line(action) for action in rehearse(planned(NEW), tuple(fleet().values()))]
    assert lines == [
        "take the lock, as a deploy",
        "stage 2.0 beside what runs (4 instances)",
        "prove that 1.0, 2.0 can be started, forwards and back",
        "p1: kill 1.0, start 2.0",
        "i1: kill 1.0, start 2.0",
        "i2: kill 1.0, start 2.0",
        "i3: kill 1.0, start 2.0",
        "remove old releases, but never 1.0, 2.0",
        "let go of the lock",
    ]
    assert json.loads(report.actions_json(lines)) == {"schema": 1, "actions": lines}


def test_a_rehearsed_rollback_goes_back_from_the_last() -> None:
    back = plan(move("p1"), move("i1"), move("i2"), goal=Goal.ROLLBACK, version=OLD)
    lines = [report.action_line(action) for action in rehearse(back, tuple(fleet(version=NEW).values()))]
    assert lines == [
        "take the lock, as a rollback",
        "prove that 1.0 can be started, forwards and back",
        "i2: kill 2.0, start 1.0",
        "i1: kill 2.0, start 1.0",
        "p1: kill 2.0, start 1.0",
        "let go of the lock",
    ]


def test_a_rehearsal_ends_though_the_floor_forbids_the_roll() -> None:
    careful = service(rollout=Care(floor=2))
    silent = fleet(seen("i1", health=Health.UNKNOWN))
    found = plan_deploy(inventory(careful), Wish(careful, NEW, waived={"baseline": "x"}), Known(silent, (), Past()))
    assert isinstance(found, Plan)
    lines = [report.action_line(action) for action in rehearse(found, tuple(silent.values()))]
    assert lines[-1] == "let go of the lock"


# Nothing that a probed service says can forge the gate's own output.

HOSTILE = [
    "a | b |\n| c | d", "[click](http://evil.example)", "![x](https://evil.example/x.png)", "@org/admins look", "#1",
    "<script>x</script>", "<!-- x", "</details>", "`code`", "**bold**", "\n::error::x", "::stop-commands::x",
    "##[error]x", "www.evil.example", "a@b.example", "&lt;b&gt;", "\\| x", "\\", "```", "\r::error::x", "\u2028x",
    "$x$", "~~x~~", "\x1b[31m", "x\\\n", "http://x", "<http://x>", "1.10", "   ", "- x", "> x",
]  # fmt: skip
SAYS = st.text() | st.sampled_from(HOSTILE) | st.lists(st.sampled_from(HOSTILE)).map("".join)


def told_of(says: str, version: str) -> Account:
    """Return the account of a run in which i2 said this, by the way that answers go."""
    line, named = plain(f"/health: {says}"), plain(version, 80) or None

    def ill(one: Sighting) -> Sighting:
        if one.instance != "i2" or one.version != NEW:
            return one
        return replace(one, health=Health.ILL, version=named, says=line, alive=False)

    return account(RUN, rolled(DEPLOY, ill), SVC, 1.0)


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert attrs == []
        self.tags.append(tag)


@given(SAYS, SAYS)
@example("a | b |\n| c | d", "1\n::error::")
def test_nothing_that_is_said_forges_a_line_of_text(says: str, version: str) -> None:
    told = told_of(says, version)
    lines = report.as_text(told).splitlines()
    assert len(lines) == len(report.as_text(ROLLED_BACK).splitlines())
    for line in lines:
        assert not line.lstrip().startswith("::")
        assert "##[" not in line
        assert all(char.isprintable() for char in line)
    for line in report.as_json(told).splitlines():
        assert not line.lstrip().startswith("::")
        assert "##[" not in line


def unescaped(line: str) -> str:
    """Return a line of Markdown without what a backslash makes harmless."""
    return re.sub(r"\\[!-/:-@\[-`{-~]", "", line)


@given(SAYS, SAYS)
@example("\\| x", "#1")
def test_nothing_that_is_said_forges_markdown(says: str, version: str) -> None:
    says = says or "x"
    rows = (Row("i1", "production", version, "ill", "stuck", says),)
    shown = report.as_markdown(
        Account(RUN, Goal.DEPLOY, "Svc", version, Ending.MIXED, says, why=says, now=says, rows=rows, notes=(says,))
    )
    quiet = report.as_markdown(
        Account(RUN, Goal.DEPLOY, "Svc", "1", Ending.MIXED, "x", why="x", now="x", notes=("x",),
                rows=(Row("i1", "production", "1", "ill", "stuck", "x"),))
    )  # fmt: skip
    lines = shown.splitlines()
    assert len(lines) == len(quiet.splitlines())
    table = [unescaped(line) for line in lines if line.startswith("|")]
    assert len(table) == 3
    assert {line.count("|") for line in table} == {7}
    tags = _Tags()
    tags.feed(shown)
    assert tags.tags == ["details", "summary", "sub"]
    free = "\n".join(lines)
    assert not re.search(r"@[A-Za-z0-9]", free)
    assert not re.search(r"#[0-9]", free)
    assert "://" not in free
    assert not re.search(r"(?<!\w)www\.", free)
    markup = unescaped(free.replace("`mixed`", "").replace("**why**", "").replace("**now**", ""))
    assert not re.search(r"[`*\[\]]", markup)


@given(SAYS)
def test_escaped_text_is_one_line(says: str) -> None:
    assert len(report.escaped(says).splitlines()) <= 1
