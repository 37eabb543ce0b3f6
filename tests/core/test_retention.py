"""Old releases go, the oldest first, and never one that is kept."""

from hypothesis import given
from hypothesis import strategies as st

from deploygate.names import Version
from deploygate.retention import prunable

VERSIONS = st.lists(st.sampled_from([Version(str(number)) for number in range(12)]), unique=True)


def versions(text: str) -> tuple[Version, ...]:
    return tuple(Version(one) for one in text.split())


def test_the_oldest_go_first() -> None:
    assert prunable(versions("1 2 3 4 5"), versions("5"), 3) == ("1", "2")


def test_what_is_kept_stays_whatever_its_age() -> None:
    assert prunable(versions("1 2 3 4 5"), versions("1 5"), 3) == ("2", "3")
    assert prunable(versions("1 2 3"), versions("1 2 3"), 1) == ()


def test_few_releases_all_stay() -> None:
    assert prunable(versions("1 2"), (), 5) == ()


@given(VERSIONS, st.sets(st.sampled_from([Version(str(number)) for number in range(12)])), st.integers(1, 14))
def test_nothing_kept_goes_and_nothing_more_stays_than_is_needed(
    oldest_first: list[Version],
    kept: set[Version],
    keep: int,
) -> None:
    gone = prunable(oldest_first, kept, keep)
    stay = [one for one in oldest_first if one not in gone]
    assert not kept & set(gone)
    assert len(stay) >= min(keep, len(oldest_first))
    assert len(stay) <= keep or set(stay) <= kept
    free = [one for one in oldest_first if one not in kept]
    assert list(gone) == free[: len(gone)]
