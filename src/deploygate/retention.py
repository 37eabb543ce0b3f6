"""Which old releases may go: never one that runs, that something may come back to, or among the newest."""

from collections.abc import Collection, Sequence

from deploygate.names import Version


def prunable(oldest_first: Sequence[Version], kept: Collection[Version], keep: int) -> tuple[Version, ...]:
    """Return the releases to remove so that `keep` stay; those in `kept` count, and stay whatever their age."""
    excess = len(oldest_first) - keep
    if excess <= 0:
        return ()
    return tuple(version for version in oldest_first if version not in kept)[:excess]
