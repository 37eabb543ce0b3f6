"""A balancer through programs of the user's own: their exit codes, their environment, their JSON, their limits."""

import json
import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import pytest
from made import service

from deploygate.adapters.balancers.programs import OwnPrograms
from deploygate.events import Trouble
from deploygate.inventory import Instance, Service
from deploygate.names import InstanceName
from deploygate.ways import Argv, BalancerPrograms, Balancing, Command, Script

FUSE = 20.0
ECHO = "import json, os, sys; json.dump([sys.argv[1:], dict(os.environ)], open(os.environ['DEPLOYGATE_INSTANCE'], 'w'))"
OK = Script("exit 0")


def made(folder: Path, **more: Command | float) -> tuple[OwnPrograms, Service]:
    way = BalancerPrograms(**({"drain": OK, "restore": OK} | more))  # type: ignore[arg-type]  # each is of its kind
    return OwnPrograms(way, folder), service(balancer=Balancing(way))


def production(svc: Service) -> tuple[Instance, ...]:
    return svc.instances[1:]


def told(folder: Path, name: str) -> tuple[list[str], Mapping[str, str]]:
    words, environment = json.loads((folder / name).read_text())
    return words, {key: value for key, value in environment.items() if key.startswith("DEPLOYGATE_")}


@pytest.mark.parametrize("verb", ["drain", "restore"])
def test_a_program_is_run_for_each_instance_with_all_that_is_known_of_it(tmp_path: Path, verb: str) -> None:
    balancer, svc = made(tmp_path, **{verb: Argv((sys.executable, "-c", ECHO, verb, "{instance}", "{port}"))})
    if verb == "drain":
        assert balancer.drain(svc, production(svc), 12.5) == ()
    else:
        assert balancer.restore(svc, production(svc)) == ()
    more = {"DEPLOYGATE_PATIENCE": "12.5"} if verb == "drain" else {}
    for one in production(svc):
        assert told(tmp_path, one.name) == (
            [verb, one.name, str(one.port)],
            {
                "DEPLOYGATE_SERVICE": "Svc",
                "DEPLOYGATE_INSTANCE": one.name,
                "DEPLOYGATE_ENVIRONMENT": "production",
                "DEPLOYGATE_VERSION": "",
                "DEPLOYGATE_RELEASE": "",
                "DEPLOYGATE_ROOT": "",
                "DEPLOYGATE_ADDRESS": one.address,
                "DEPLOYGATE_HOST": "127.0.0.1",
                "DEPLOYGATE_PORT": str(one.port),
                "DEPLOYGATE_MACHINE": "127.0.0.1",
                **more,
            },
        )


def test_what_fails_is_told_by_its_last_line_and_the_others_are_done(tmp_path: Path) -> None:
    text = (
        '[ "$DEPLOYGATE_INSTANCE" = i2 ] && { echo first >&2; echo "no such pool" >&2; exit 3; }; touch "$0.$$"; exit 0'
    )
    balancer, svc = made(tmp_path, drain=Script(text), restore=Script(text))
    for verb, done in (
        ("drain", balancer.drain(svc, production(svc), 0.0)),
        ("restore", balancer.restore(svc, production(svc))),
    ):
        assert done == (Trouble(InstanceName("i2"), f"the balancer's {verb} exited with 3: no such pool"),)


def test_a_program_that_is_not_there_is_trouble(tmp_path: Path) -> None:
    balancer, svc = made(tmp_path, drain=Argv(("./lb", "{instance}")), status=Argv(("./lb",)))
    says = "the balancer's drain can't be started: [Errno 2] No such file or directory: './lb'"
    assert balancer.drain(svc, production(svc)[:1], 0.0) == (Trouble(InstanceName("i1"), says),)
    assert balancer.in_service(svc, svc.instances) == {}


def test_a_drain_has_its_patience_and_five_seconds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("deploygate.adapters.balancers.programs._MORE", 0.2)
    balancer, svc = made(tmp_path, drain=Script("sleep 60 & echo waiting >&2; wait"))
    says = "the balancer's drain did not end within 400 ms and was killed: waiting"
    assert balancer.drain(svc, production(svc)[:1], 0.2) == (Trouble(InstanceName("i1"), says),)


def test_restore_and_status_have_the_timeout_and_all_that_they_started_is_killed_with_them(tmp_path: Path) -> None:
    text = "sleep 60 & echo $! >>pids; wait"
    balancer, svc = made(tmp_path, restore=Script(text), status=Script(text), timeout=0.3)
    says = "the balancer's restore did not end within 300 ms and was killed"
    assert balancer.restore(svc, production(svc)[:1]) == (Trouble(InstanceName("i1"), says),)
    assert balancer.in_service(svc, svc.instances) == {}
    pids = [int(word) for word in (tmp_path / "pids").read_text().split()]
    assert len(pids) == 2
    end = time.monotonic() + FUSE
    while any(alive(pid) for pid in pids):
        assert time.monotonic() < end
        time.sleep(0.01)


def alive(pid: int) -> bool:
    """Tell whether a process runs; one that is dead and not yet waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_status_is_asked_once_for_all_instances(tmp_path: Path) -> None:
    text = (
        'echo "$DEPLOYGATE_SERVICE|$DEPLOYGATE_INSTANCES|$DEPLOYGATE_INSTANCE|$DEPLOYGATE_PORT" >>asked\n'
        """echo '{"schema": 1, "in_service": {"i1": true, "i2": false, "other": true}, "extra": [1]}'"""
    )
    balancer, svc = made(tmp_path, status=Script(text))
    assert balancer.in_service(svc, production(svc)) == {"i1": True, "i2": False}
    assert (tmp_path / "asked").read_text() == "Svc|i1 i2 i3||\n"
    assert balancer.in_service(svc, ()) == {}


@pytest.mark.parametrize(
    "printed",
    [
        "",
        "not JSON",
        "[]",
        '{"in_service": {"i1": true}}',
        '{"schema": 2, "in_service": {"i1": true}}',
        '{"schema": "1", "in_service": {"i1": true}}',
        '{"schema": 1}',
        '{"schema": 1, "in_service": {"i1": "true"}}',
        '{"schema": 1, "in_service": {"i1": 1}}',
        '{"schema": 1, "in_service": {"i1": true, "i2": null}}',
        '{"schema": 1, "in_service": ["i1"]}',
        '{"schema": 1, "in_service": {"i1": true}} {}',
        '{"schema": 1, "in_service": {"i1": true}, "pad": "' + "x" * 70_000 + '"}',
    ],
    ids=range(13),
)
def test_of_an_answer_that_is_none_nobody_can_tell(tmp_path: Path, printed: str) -> None:
    (tmp_path / "answer").write_text(printed)
    balancer, svc = made(tmp_path, status=Argv(("cat", "answer")))
    assert balancer.in_service(svc, svc.instances) == {}


def test_a_status_that_fails_or_is_not_given_tells_nothing(tmp_path: Path) -> None:
    text = """echo '{"schema": 1, "in_service": {"i1": true}}'; exit 1"""
    balancer, svc = made(tmp_path, status=Script(text))
    assert balancer.in_service(svc, svc.instances) == {}
    balancer, svc = made(tmp_path)
    assert balancer.in_service(svc, svc.instances) == {}


def test_what_is_private_to_the_gate_does_not_reach_a_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", "secret")
    monkeypatch.setenv("OF_THE_BALANCER", "kept")
    balancer, svc = made(tmp_path, drain=Argv((sys.executable, "-c", ECHO)))
    assert balancer.drain(svc, production(svc)[:1], 0.0) == ()
    environment = json.loads((tmp_path / "i1").read_text())[1]
    assert ("GITHUB_TOKEN" in environment, environment["OF_THE_BALANCER"]) == (False, "kept")
    assert environment["PATH"] == os.environ["PATH"]


def test_the_programs_run_at_the_same_time(tmp_path: Path) -> None:
    meet = (
        'touch "$DEPLOYGATE_INSTANCE"; left=400\n'
        'until [ "$(ls | wc -l)" -ge 3 ]; do left=$((left - 1)); [ $left -gt 0 ] || exit 1; sleep 0.05; done'
    )
    balancer, svc = made(tmp_path, drain=Script(meet))
    assert balancer.drain(svc, production(svc), FUSE) == ()
