"""What PyGithub calls a connection: it says a thing again where nothing can be done twice by it, within a budget."""

import re
import time
from collections.abc import Callable

from deploygate.adapters.github.asking import POLL, Answer, Caller, LineError, Patience
from deploygate.wording import seconds

__all__ = ["Line", "LineError", "Patience"]

_UNTOLD = 60.0  # seconds to wait where a rate limit does not say how long; GitHub asks for a minute
_NUMBER = re.compile(r"[0-9]{1,12}")
_MOVED = {302, 303, 307, 308}
_READS = {"GET", "HEAD"}


class Line:
    """What PyGithub calls a connection. It is kept between requests, until `hang_up`; `calls` counts the requests."""

    def __init__(self, origin: str, patience: Patience, stopped: Callable[[], str]) -> None:
        self.calls = 0
        self._origin = origin
        self._patience = patience
        self._stopped = stopped
        self._left = patience.budget
        self._caller = Caller(patience, stopped)
        self._asked: tuple[str, str, str | None, dict[str, str]] = ("GET", "/", None, {})

    def request(self, verb: str, url: str, body: str | None, headers: dict[str, str], stream: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002 - as PyGithub calls it
        """Keep what is to be asked."""
        self._asked = (verb, url, body, headers)

    def getresponse(self) -> Answer:
        """Ask, and ask again where nothing can be done twice by it: what was refused, never arrived, or only reads.

        Raises:
            LineError: There is no answer, or none that is worth more tries.
        """
        again = self._asked[0] in _READS
        tries = 0
        while True:
            tries += 1
            last = tries >= self._patience.tries
            try:
                answer = self._ask()
            except LineError as error:
                if last or (error.unsure and not again):
                    raise
                self._wait(2.0 ** (tries - 2), error.says)
                continue
            if (pause := _pause(answer)) is not None:
                tries -= 1  # what was refused was not done, and waiting has a limit of its own
                self._wait(pause, "its rate limit is used up", status=answer.status)
            elif answer.status in _MOVED:
                raise LineError(f"it sends us elsewhere ({answer.status}): was the repository moved?")
            elif answer.status >= 500 and again and not last:
                self._wait(2.0 ** (tries - 2), f"its answer was {answer.status}")
            else:
                return answer

    def close(self) -> None:
        """Do nothing: PyGithub closes after each request what is good for the next one."""

    def hang_up(self) -> None:
        """Close what is open."""
        self._caller.hang_up()

    def _ask(self) -> Answer:
        verb, path, body, headers = self._asked
        self.calls += 1
        return self._caller.ask(verb, f"{self._origin}{path}", body, headers)

    def _wait(self, pause: float, why: str, *, status: int | None = None) -> None:
        """Wait before another try, out of the budget; a run that was asked to stop waits no longer."""
        if pause > self._left:
            raise LineError(
                f"{why}, and another {seconds(pause)} of waiting is more than is left for it", status=status
            )
        self._left -= pause
        end = time.monotonic() + pause
        while (left := end - time.monotonic()) > 0:
            if self._stopped():
                raise LineError(f"{why}, and the run was asked to stop", status=status)
            time.sleep(min(left, POLL))


def _pause(answer: Answer) -> float | None:
    """Return how many seconds a rate limit asks to wait, None where it is not a rate limit that refused."""
    if answer.status not in {403, 429}:
        return None
    after = answer.headers.get("retry-after", "")
    if after:
        return max(1.0, float(after)) if _NUMBER.fullmatch(after) else _UNTOLD
    text = answer.read().lower()
    if answer.headers.get("x-ratelimit-remaining") == "0" and "not accessible" not in text:
        reset = answer.headers.get("x-ratelimit-reset", "")
        return max(1.0, float(reset) - time.time() + 1) if _NUMBER.fullmatch(reset) else _UNTOLD
    return _UNTOLD if answer.status == 429 or "rate limit" in text or "abuse detection" in text else None
