"""One thread goes to GitHub: in order, in its own time, and nobody waits for it longer than they said."""

import threading
from collections.abc import Iterator

import pytest

from deploygate.adapters.github.errands import Errands
from deploygate.adapters.github.trouble import GitHubTrouble

FUSE = 20.0


class Gone:
    """Errands, and the notes that came of them."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.errands = Errands(self.notes.append)


@pytest.fixture
def gone() -> Iterator[Gone]:
    gone = Gone()
    yield gone
    assert gone.errands.finish(FUSE)


def test_errands_are_done_in_order_by_one_thread_that_is_not_ours(gone: Gone) -> None:
    done: list[tuple[int, int]] = []
    for number in range(20):
        gone.errands.submit(lambda number=number: done.append((number, threading.get_ident())))  # type: ignore[misc]
    who = gone.errands.ask(threading.get_ident, FUSE)
    assert done == [(number, who) for number in range(20)]
    assert who != threading.get_ident()


def test_what_goes_wrong_is_noted_and_the_next_one_follows(gone: Gone) -> None:
    def fail(error: Exception) -> None:
        raise error

    gone.errands.submit(lambda: fail(GitHubTrouble("GitHub is away")))
    gone.errands.submit(lambda: fail(KeyError("##[error]x")))
    assert gone.errands.ask(lambda: "well", FUSE) == "well"
    assert gone.notes == ["GitHub is away", "GitHub could not be told: KeyError: '## [error]x'"]


def test_what_goes_wrong_is_raised_where_it_was_asked_for(gone: Gone) -> None:
    with pytest.raises(GitHubTrouble, match="was not foreseen: KeyError") as told:
        gone.errands.ask(lambda: {"y": 1}["x"], FUSE)
    assert isinstance(told.value.__cause__, KeyError)
    assert gone.notes == []


def test_one_that_was_given_up_before_it_began_is_never_done(gone: Gone) -> None:
    held, done = threading.Event(), []
    gone.errands.submit(lambda: assert_set(held))
    with pytest.raises(GitHubTrouble, match="took longer than 10 ms"):
        gone.errands.ask(lambda: done.append("late"), 0.01)
    held.set()
    assert gone.errands.ask(lambda: "next", FUSE) == "next"
    assert done == []


def test_finishing_waits_for_all_that_was_asked_for_and_for_no_longer_than_it_may() -> None:
    gone, held, done = Gone(), threading.Event(), []
    gone.errands.submit(lambda: assert_set(held))
    gone.errands.submit(lambda: done.append("last"))
    assert not gone.errands.finish(0.01)
    held.set()
    assert gone.errands.finish(FUSE)
    gone.errands.submit(lambda: done.append("too late"))
    with pytest.raises(GitHubTrouble, match="not asked any more"):
        gone.errands.ask(lambda: 1, FUSE)
    assert done == ["last"]


def assert_set(event: threading.Event) -> None:
    assert event.wait(FUSE)
