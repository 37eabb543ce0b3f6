"""A host that goes away in the middle of a roll: one verdict names it, the others are taken back, nothing hangs."""

import os
import signal
from contextlib import ExitStack, suppress
from pathlib import Path

import psutil
import pytest
from processes.fleet import Gate, Told

from .served import Served
from .ssh_fleet import needs_hosts

pytestmark = needs_hosts
LOST, NUMBER = "s-2", 2  # an instance and its host; p-1 is on the first
FUSE = 240.0  # seconds, several times what all the time-outs of a run over a silent host add up to


def killed(fleet: Served) -> None:
    """End the host: its connections are reset, its daemon is gone, and so is all that it ran."""
    assert fleet.ssh is not None
    for _ in range(2):  # what they were about to start stands still the second time
        fleet.ssh.freezes(NUMBER)
    doomed = [one.pid for one in fleet.ssh.of(NUMBER)[1:]]
    fleet.ssh.dies(NUMBER)
    while doomed:
        sent(signal.SIGKILL, doomed)
        doomed = fleet.launched()[LOST]


def silent(fleet: Served) -> None:
    """Stop the host where it is: nothing that is asked of it is ever answered, and nothing breaks either."""
    assert fleet.ssh is not None
    fleet.ssh.freezes(NUMBER)
    sent(signal.SIGSTOP, fleet.launched()[LOST])


def sent(number: signal.Signals, pids: list[int]) -> None:
    """Send a signal to those that are still there."""
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)


HOW = {"killed": killed, "silent": silent}


def rolling(fleet: Served, when: str) -> Gate:
    """Begin a deploy, and return when the instance is being switched, or is being watched after that."""
    fleet.balance(health={"min_healthy": "1s"}, killstart={"grace": "1s"})
    gate = fleet.begin("deploy", "Svc", "2.0")
    if when == "watching":
        fleet.began(gate, (LOST, "2.0"))
    else:
        fleet.wait(lambda: len(fleet.journals()) > 1 and [(LOST, "2.0")] in fleet.switches(1), gate)
        fleet.wait(lambda: napping(fleet), gate)
    return gate


def napping(fleet: Served) -> bool:
    """Tell whether the host waits for the old version to stop."""
    assert fleet.ssh is not None
    with suppress(psutil.NoSuchProcess):
        return any(one.name() == "sleep" for one in fleet.ssh.of(NUMBER))
    return False


@pytest.mark.parametrize("how", HOW)
def test_a_host_that_is_lost_in_the_middle_of_a_roll_is_one_verdict_and_the_others_are_taken_back(
    how: str, tmp_path: Path, stack: ExitStack
) -> None:
    fleets = {  # of which the first is slow to stop, so that it is lost within its change
        "switching": Served(tmp_path / "switching", "", stack, ssh="own", stubborn=True),
        "watching": Served(tmp_path / "watching", "", stack, ssh="own"),
    }
    gates = {}
    for when, fleet in fleets.items():
        gates[when] = rolling(fleet, when)
        HOW[how](fleet)
    for when, fleet in fleets.items():
        gates[when].process.wait(FUSE)
        others_are_back(fleet, when, gates[when].told())
    if how == "silent":
        for fleet in fleets.values():
            comes_back(fleet)


def others_are_back(fleet: Served, when: str, told: Told) -> None:
    """The verdict names the host or the instance, tells no tale of what was done there, and all others run 1.0."""
    assert told.end == (8, "rollback_failed"), told
    assert told.data["says"] == f"ROLLBACK FAILED: {LOST} of Svc could not be taken back to 1.0"
    assert told.states == {"p-1": "taken back", "s-1": "taken back", LOST: "stuck", "s-3": "not touched"}
    (stuck,) = [line for line in told.data["done"] if line.startswith("could not take back")]
    assert fleet.hosts[LOST] in stuck
    assert not [line for line in told.data["done"] if line.startswith("contained")]
    if when == "switching":
        assert told.why.startswith(f"{LOST}: {fleet.hosts[LOST]} was lost: ")
        assert told.why.endswith(f", when {LOST} was to go from 1.0 to 2.0")
    else:
        assert told.why.startswith(f"{LOST}: ")
    assert fleet.versions() == fleet.all_at("1.0") | {LOST: None}


def comes_back(fleet: Served) -> None:
    """What was begun there goes on, and another rollback finds it and takes it back."""
    assert fleet.ssh is not None
    fleet.ssh.thaws(NUMBER)
    sent(signal.SIGCONT, fleet.launched()[LOST])
    assert fleet.rollback().end == (0, "rolled_back")
    assert fleet.versions() == fleet.all_at("1.0")
