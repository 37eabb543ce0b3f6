"""Hosts that take a connection and never say a word: who answers is answered to while they are still waited for."""

import socket
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack
from pathlib import Path

import pytest

from deploygate.adapters.shells import Ran, Shells
from deploygate.ways import Ssh

from .sshd import FUSE, Sshd, hosts, missing, sshd

pytestmark = pytest.mark.skipif(bool(missing()), reason=missing())
SLOTS = 16  # connections that are opened at the same time
PATIENCE = 4 * FUSE


@pytest.fixture
def good(tmp_path: Path) -> Iterator[Sshd]:
    made = sshd(tmp_path / "hosts", 1)
    yield made
    made.down()


@pytest.mark.parametrize("number", [SLOTS - 1, SLOTS + 4], ids=["a slot is left", "more than there are slots"])
def test_a_good_host_is_answered_to_while_hung_ones_are_waited_for(good: Sshd, stack: ExitStack, number: int) -> None:
    shells = Shells(good.inputs)
    stack.callback(shells.close)
    pool = stack.enter_context(ThreadPoolExecutor(number + 1))
    way = Ssh(port=good.port)

    def asked(host: str) -> Future[Ran]:
        return pool.submit(shells.run, host, way, "echo here", {}, PATIENCE)

    with ExitStack() as doors:
        names = hosts(number)
        for name in names:
            doors.enter_context(socket.create_server((name, good.port)))
        hung = [asked(name) for name in names]
        answer = asked(good.hosts[0])
        if number < SLOTS:
            assert wait([*hung, answer], PATIENCE, FIRST_COMPLETED).done == {answer}
        assert answer.result(PATIENCE).out == "here\n"
        assert [one for one in hung if not one.done()], "the hung ones were all given up before"
    for one, name in zip(hung, names, strict=True):
        assert str(one.exception(PATIENCE)).startswith(f"{name} can't be reached: ")
