"""Shells are lent out and kept; who is let go of is nobody who is being asked."""

import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from deploygate.adapters.shells import pool
from deploygate.adapters.shells.opening import Key
from deploygate.adapters.shells.pool import Pool

LIMIT = 20.0


def test_a_host_that_is_let_go_of_is_never_one_that_is_asked_at_the_same_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "_HOSTS", 2)
    shells = Pool(lambda _key, _limit, **_: ["/bin/sh"], None, time.monotonic)

    def ask(number: int) -> str:
        with shells.lent(Key(f"host-{number % 5}", None), time.monotonic() + LIMIT) as session:
            return session.run(f"echo {number}", LIMIT).out

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)  # so that threads meet in the middle of everything
    try:
        with ThreadPoolExecutor(4) as threads:
            said = list(threads.map(ask, range(3000)))
    finally:
        sys.setswitchinterval(interval)
    shells.close()
    assert said == [f"{number}\n" for number in range(3000)]
