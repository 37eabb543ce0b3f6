"""One thread that goes to GitHub, in order, so that a deploy need not wait for what is only shown or remembered."""

import queue
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from deploygate.adapters.github.trouble import GitHubTrouble
from deploygate.wording import plain, seconds

_Result = TypeVar("_Result")


class Errands:
    """The one thread that uses a `Hub`. What an errand did not foresee is told to `note`, and the next one follows."""

    def __init__(self, note: Callable[[str], None]) -> None:
        self._note = note
        self._queue: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._over = False
        self._thread = threading.Thread(target=self._go, name="errands", daemon=True)
        self._thread.start()

    def submit(self, errand: Callable[[], None]) -> None:
        """Have something done, after all that was asked for before; once this is finished, nothing more is."""
        if not self._over:
            self._queue.put(errand)

    def ask(self, errand: Callable[[], _Result], budget: float) -> _Result:
        """Have something done in its turn, and wait for its result, for `budget` seconds at the most.

        Raises:
            GitHubTrouble: It failed, also in a way that nobody foresaw; or it took too long: it was not begun, and will
            not be, or its result comes too late.
        """
        if self._over:
            raise GitHubTrouble("GitHub is not asked any more")
        asked = _Asked(errand)
        self._queue.put(asked.go)
        if not asked.done.wait(budget):
            asked.given_up = True
            raise GitHubTrouble(f"GitHub took longer than {seconds(budget)}")
        if asked.failed is not None:
            raise _told(asked.failed)
        return asked.results[0]

    def finish(self, budget: float) -> bool:
        """Wait until all is done, for `budget` seconds at the most, and tell whether it is; nothing follows."""
        if not self._over:
            self._over = True
            self._queue.put(None)
        self._thread.join(budget)
        return not self._thread.is_alive()

    def _go(self) -> None:
        while (errand := self._queue.get()) is not None:
            try:
                errand()
            except GitHubTrouble as trouble:
                self._note(trouble.says)
            except Exception as error:  # noqa: BLE001 - what one errand did not foresee must not end the others
                self._note(plain(f"GitHub could not be told: {type(error).__name__}: {error}"))


def _told(error: Exception) -> Exception:
    """Return what went wrong in the words that all are ready for."""
    if isinstance(error, GitHubTrouble):
        return error
    trouble = GitHubTrouble(plain(f"what came of asking GitHub was not foreseen: {type(error).__name__}: {error}"))
    trouble.__cause__ = error
    return trouble


class _Asked(Generic[_Result]):
    """An errand that somebody waits for, until it is given up."""

    def __init__(self, errand: Callable[[], _Result]) -> None:
        self._errand = errand
        self.done = threading.Event()
        self.given_up = False
        self.results: list[_Result] = []
        self.failed: Exception | None = None

    def go(self) -> None:
        if self.given_up:
            return
        try:
            self.results.append(self._errand())
        except Exception as error:  # noqa: BLE001 - it is raised where it was asked for
            self.failed = error
        self.done.set()
