"""The secrets of a process on this machine: it gets them, whatever their names are, and nobody is told them."""

import os
import time
from pathlib import Path

import psutil
import pytest
from made import service

from deploygate.adapters.hosts.killstart import LocalKillStart
from deploygate.events import Change, Start
from deploygate.inventory import Instance, Service
from deploygate.names import PRODUCTION, InstanceName, RunId, Version
from deploygate.ports import Process
from deploygate.ways import KillStart, Script

I1, OLD, RUN = InstanceName("i1"), Version("1.0"), RunId("run-1")
FUSE = 20.0


def started(folder: Path, start: str) -> tuple[LocalKillStart, Service]:
    """Install a release, and start it in a way."""
    (folder / "srv/1.0").mkdir(parents=True)
    way = KillStart("srv", Script(start), grace=0.5, secrets=("GITHUB_KEY",))
    one = service(deploy=way, instances=(Instance(I1, PRODUCTION, "http://127.0.0.1:9"),))
    return LocalKillStart(folder), one


def switched(driver: LocalKillStart, one: Service, to: Version | None) -> Process:
    assert driver.switch(one, [Change(I1, None, to)], RUN) == ()
    return driver.process(one, one.instances[0])


def test_the_process_gets_a_secret_also_where_such_names_are_private_to_the_gate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_KEY", "open sesame")
    monkeypatch.setenv("GITHUB_TOKEN", "the gate's own")
    driver, one = started(tmp_path, "exec sleep 30")
    assert driver.prove(one, [Start(I1, OLD)], unchanged=False) == ()
    now = switched(driver, one, OLD)
    running, end = psutil.Process(int(str(now.identity).split("-")[0])), time.monotonic() + FUSE
    while running.name() != "sleep" and time.monotonic() < end:  # a program that becomes another has none for a moment
        time.sleep(0.005)
    got = running.environ()
    switched(driver, one, None)
    assert (got["GITHUB_KEY"], "GITHUB_TOKEN" in got) == ("open sesame", False)


def test_a_secret_that_the_gate_does_not_have_is_said_before_anything_is_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GITHUB_KEY", raising=False)
    driver, one = started(tmp_path, "exec sleep 30")
    for unchanged in (True, False):
        (trouble,) = driver.prove(one, [Start(I1, OLD)], unchanged=unchanged)
        assert trouble.says == (
            "Svc 1.0 can't be started: the gate's environment has no GITHUB_KEY, which the process is to get"
        )


def test_a_secret_that_a_process_prints_is_not_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_KEY", "open sesame")
    driver, one = started(tmp_path, 'echo "wrong key: $GITHUB_KEY"; exit 3')
    now, end = switched(driver, one, OLD), time.monotonic() + FUSE
    while now.alive is not False and time.monotonic() < end:
        now = driver.process(one, one.instances[0])
    assert now.says.endswith("its log ends: wrong key: ***")
    assert os.environ["GITHUB_KEY"] not in now.says
