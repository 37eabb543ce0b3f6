"""The machine's clock, and the signals that cut its waits short."""

import os
import select
import signal
import time
from types import FrameType


class SystemClock:
    """Steady seconds since the epoch; SIGINT and SIGTERM ask the run to stop, and a second one kills it."""

    def __init__(self) -> None:
        self._epoch = time.time() - time.monotonic()
        self._stopped = ""
        self._read, self._write = os.pipe()
        os.set_blocking(self._write, False)

    def listen(self) -> None:
        """Take the signals over, also as the first process of a container, where SIGTERM has no default."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._stop)

    def _stop(self, number: int, _frame: FrameType | None) -> None:
        self._stopped = signal.Signals(number).name
        os.write(self._write, b"!")
        signal.signal(number, signal.SIG_DFL)

    def now(self) -> float:
        """Return seconds since the epoch, steady within this process."""
        return self._epoch + time.monotonic()

    def wait_until(self, when: float) -> None:
        """Sleep until `when`, or until a signal."""
        left = when - self.now()
        if left > 0 and not self._stopped:
            select.select([self._read], [], [], left)

    def stopped(self) -> str:
        """Name the signal that asked the run to stop, or nothing."""
        return self._stopped
