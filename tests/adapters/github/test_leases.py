"""A lease names its run of a workflow, and that is asked for whether it is over: a runner that is gone can't be."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, nullcontext

import pytest
from remembering import Forge, occasion

from deploygate.adapters.github.leases import GitHubLocks
from deploygate.endings import Goal
from deploygate.fake_github import FakeGitHub, Run
from deploygate.names import RunId, ServiceName
from deploygate.ports import Lease

SVC = ServiceName("Svc")
OTHER = RunId("another")


class Here:
    """`Locks` of a machine that knows nothing of the other runs, but of one."""

    def take(self, service: ServiceName, rank: Goal) -> tuple[str, str]:
        return f"{service}", f"{rank}"

    def guard(self, service: ServiceName) -> AbstractContextManager[str]:
        return nullcontext(f"guard of {service}")

    def release(self, service: ServiceName) -> None:
        raise LookupError(service)

    def lease(self, rank: Goal, lasts: float) -> Lease:
        return Lease(RunId("this"), rank, "runner-7", "1-1@here", "then", lasts)

    def over(self, _service: ServiceName, lease: Lease) -> bool:
        return lease.run == "ended-here"


@pytest.fixture
def forge() -> Iterator[Forge]:
    with FakeGitHub() as github, closing(Forge(github)) as forge:
        yield forge


def locks(forge: Forge, run_id: int = 1, attempt: int = 1, *, alone: bool = False) -> GitHubLocks:
    _, _, errands = forge.memory("this")
    return GitHubLocks(Here(), forge.hub(), errands, occasion("1f" * 20, run_id, attempt), alone=alone)


def lease(gate: str, run: RunId = OTHER) -> Lease:
    return Lease(run, Goal.DEPLOY, gate, "1-1@there", "then", 600.0)


def deploying(forge: Forge) -> Run:
    run = forge.repository.run(forge.repository.workflow("deploy.yml"))
    run.start()
    return run


def test_a_lease_names_the_run_of_the_workflow_and_has_no_space_in_it(forge: Forge) -> None:
    made = locks(forge, 4711, 2).lease(Goal.ROLLBACK, 90.0)
    assert made == Lease(RunId("this"), Goal.ROLLBACK, "github:acme/shop:4711:2", "1-1@here", "then", 90.0)
    outside = GitHubLocks(Here(), forge.hub(), forge.memory("x")[2], occasion("", 0, 1))
    assert outside.lease(Goal.DEPLOY, 1.0).gate == "github:acme/shop:0:1"


def test_the_rest_is_as_the_machine_says(forge: Forge) -> None:
    made = locks(forge)
    assert made.take(SVC, Goal.DEPLOY) == ("Svc", "deploy")
    with made.guard(SVC) as lost:
        assert lost == "guard of Svc"
    with pytest.raises(LookupError):
        made.release(SVC)
    assert made.over(SVC, lease("runner-8", RunId("ended-here")))
    assert forge.asked() == []


def test_a_run_of_a_workflow_is_over_when_github_says_so(forge: Forge) -> None:
    run = deploying(forge)
    made, held = locks(forge), lease(f"github:acme/shop:{run.number}:1")
    assert not made.over(SVC, held)
    run.complete("cancelled")
    assert made.over(SVC, held)


def test_trap_28_an_attempt_is_over_once_a_later_one_has_begun(forge: Forge) -> None:
    run = deploying(forge)
    run.complete("failure")
    run.attempt()
    again = locks(forge, run.number, 2)
    assert again.over(SVC, lease(f"github:acme/shop:{run.number}:1"))
    assert not again.over(SVC, lease(f"github:acme/shop:{run.number}:2"))
    assert not locks(forge).over(SVC, lease(f"github:acme/shop:{run.number}:3"))  # there is none: can't tell


def test_our_own_attempt_is_over_only_where_the_post_step_says_so(forge: Forge) -> None:
    run = deploying(forge)
    held = lease(f"github:acme/shop:{run.number}:1")
    assert not locks(forge, run.number).over(SVC, held)
    assert locks(forge, run.number, alone=True).over(SVC, held)
    assert forge.asked() == []


@pytest.mark.parametrize(
    "gate",
    ["runner-8", "github:other/shop:1:1", "github:acme/shop:x:1", "github:acme/shop:1:1 ", "github:acme/shop:99:1"],
)
def test_what_can_not_be_told_is_not_over(forge: Forge, gate: str) -> None:
    assert not locks(forge).over(SVC, lease(gate))


@pytest.mark.parametrize("permissions", [None, {"contents": "read"}])
def test_a_github_that_does_not_answer_has_not_said_that_a_run_is_over(
    forge: Forge, permissions: dict[str, str] | None
) -> None:
    run = deploying(forge)
    run.complete()
    forge.permissions = permissions
    forge.github.fault("GET", "/repos/acme/shop/actions/runs/*", status=500, times=None)
    assert not locks(forge).over(SVC, lease(f"github:acme/shop:{run.number}:1"))
