"""Looks at many instances at the same time; one that hangs holds up no other."""

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

from deploygate.adapters.prober.asking import Asker
from deploygate.adapters.prober.lines import Leash
from deploygate.answers import read_health, read_identity, read_version
from deploygate.inventory import Instance, Service
from deploygate.ports import Process
from deploygate.probe import Health, NoReply, Sighting
from deploygate.wording import plain, seconds


class Identify(Protocol):
    """Says what the host knows of the process of an instance, which may have named its own already."""

    def __call__(self, service: Service, instance: Instance, /, *, answered: bool) -> Process:
        """Return what is known; with `answered`, a host that is far away may say nothing."""


_AT_ONCE = 32  # instances asked at the same time
_PATIENCE = 0.02  # seconds after which more are asked at the same time


class HttpProber:
    """A `Prober`. Every look is bounded as a whole: what drips or hangs is cut off from outside."""

    def __init__(self, identify: Identify, now: Callable[[], float], *, verify: bool | str = True) -> None:
        self._identify = identify
        self._now = now
        self._verify = verify
        self._pool = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="probe")
        self._local = threading.local()

    def look(
        self, service: Service, instances: Sequence[Instance], *, in_passing: bool = False
    ) -> tuple[Sighting, ...]:
        """Return one sighting an instance, in their order.

        Threads only help against waiting: answers that come at once are read by one of them, faster than by many.
        """
        seen: dict[str, Sighting] = {}
        waiting = deque(instances)
        asked: dict[str, tuple[Instance, Leash]] = {}
        changed = threading.Condition()

        def work() -> None:
            while True:
                try:
                    one = waiting.popleft()
                except IndexError:
                    return
                leash = Leash(service.health.timeout)
                with changed:
                    asked[one.name] = one, leash
                sighting = self._surely(service, one, leash, in_passing)
                with changed:
                    del asked[one.name]
                    seen.setdefault(one.name, sighting)
                    if len(seen) == len(instances):
                        changed.notify()

        workers = before = 0
        with changed:
            while len(seen) < len(instances):
                if waiting and workers < _AT_ONCE and len(seen) - before < max(1, workers):
                    more = min(max(1, workers), _AT_ONCE - workers)
                    workers += more
                    for _ in range(more):
                        self._pool.submit(work)
                before = len(seen)
                changed.wait(_PATIENCE)
                for one, leash in asked.values():
                    if one.name not in seen and leash.overdue():
                        seen[one.name] = self._given_up(one, service.health.timeout)
        return tuple(seen[one.name] for one in instances)

    def close(self) -> None:
        """Let the threads go."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _surely(self, service: Service, one: Instance, leash: Leash, in_passing: bool) -> Sighting:  # noqa: FBT001 - a part of look
        try:
            return self._ask(service, one, leash, in_passing)
        except Exception as error:  # noqa: BLE001 - whatever befalls one, the others are asked
            says = plain(f"could not be asked: {type(error).__name__}: {error}")
            return Sighting(one.name, self._now(), Health.UNKNOWN, says=says)

    def _ask(self, service: Service, one: Instance, leash: Leash, in_passing: bool) -> Sighting:  # noqa: FBT001 - a part of look
        asker: Asker | None = getattr(self._local, "asker", None)
        if asker is None:
            asker = self._local.asker = Asker(self._verify)
        leash.start()
        began = time.monotonic()
        address = one.address.rstrip("/")
        health_reply = asker.get(address + service.health.path, leash)
        same = service.version.path == service.health.path or isinstance(health_reply, NoReply)
        version_reply = health_reply if same else asker.get(address + service.version.path, leash)
        health, why = read_health(service.health, health_reply)
        version, why_not = read_version(service.version, version_reply)
        named = read_identity(service.version, version_reply)
        answered = health is Health.HEALTHY and version is not None and (in_passing or named is not None)
        process = self._identify(service, one, answered=answered)
        if answered and process.release not in {None, version}:  # what a host said a while ago may be over
            process = self._identify(service, one, answered=False)
        says = f"{service.health.path}: {why}" if why else "" if version else f"{service.version.path}: {why_not}"
        if process.alive is False or not says:
            says = process.says or says
        return Sighting(
            instance=one.name,
            at=self._now(),
            health=health,
            version=plain(version, 80) if version else None,
            identity=named or process.identity,
            says=plain(says),
            alive=process.alive,
            release=process.release,
            elapsed=round(time.monotonic() - began, 4),
        )

    def _given_up(self, one: Instance, limit: float) -> Sighting:
        return Sighting(one.name, self._now(), Health.UNKNOWN, says=f"no whole answer within {seconds(limit)}")
