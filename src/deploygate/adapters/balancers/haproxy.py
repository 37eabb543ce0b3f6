"""HAProxy: an instance is drained, and put back, in every HAProxy that stands before it."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence

from deploygate.adapters.balancers.runtime_api import RuntimeApiError, Server, order, servers
from deploygate.events import Trouble
from deploygate.inventory import Instance, Service
from deploygate.names import InstanceName
from deploygate.ways import BACK_IN, HAProxy
from deploygate.wording import plain, quoted, seconds

_FIRST, _LONGEST = 0.01, 0.25  # seconds between two looks

Names = Mapping[str, InstanceName]  # the instance behind each server
Seen = Mapping[str, Mapping[str, Server]]  # what the HAProxy behind each socket says of its servers


class HAProxies:
    """A `Balancer`. An instance is in service only where every HAProxy sends it requests."""

    def __init__(self, way: HAProxy, *, up: float = BACK_IN) -> None:
        self._way = way
        self._up = up

    def drain(self, service: Service, instances: Sequence[Instance], patience: float) -> tuple[Trouble, ...]:
        """Take instances out everywhere, and wait until no request is in progress on them, `patience` at the most.

        Every HAProxy is asked first, so that what can be known to fail changes nothing. What can't be taken out
        everywhere is put back where this call took it out: it loses no capacity. A server in maintenance is out
        already, and is left so.
        """
        del service
        end = time.monotonic() + patience
        names = self._names(instances)
        seen, silent = self._seen()
        troubles = dict.fromkeys(names, "; ".join(silent)) if silent else self._missing(names, seen)
        for name in names:
            if name not in troubles and (says := self._out(name, seen)):
                troubles[name] = says
        drained = [name for name in names if name not in troubles]
        if drained:
            time.sleep(min(_FIRST, patience))  # a request that was given away when the order came is counted then
            self._until(drained, lambda server: server.idle, end)
        return _troubles(names, troubles)

    def restore(self, service: Service, instances: Sequence[Instance]) -> tuple[Trouble, ...]:
        """Put instances back wherever that can be done, and wait until every HAProxy says that they are up."""
        del service
        names = self._names(instances)
        seen, silent = self._seen()
        troubles = self._missing(names, seen) | {
            name: "; ".join((*silent, *refused))
            for name in names
            if (refused := list(self._refusals(name, seen))) or silent
        }
        waiting = [name for name in names if name not in troubles]
        for name, seen in self._until(waiting, lambda server: server.up, time.monotonic() + self._up).items():
            troubles[name] = f"is not in service {seconds(self._up)} after it was put back: {_says(name, seen)}"
        return _troubles(names, troubles)

    def in_service(self, service: Service, instances: Sequence[Instance]) -> Mapping[InstanceName, bool]:
        """Say who is sent requests by every HAProxy; where one can't be asked, nobody can be told."""
        del service
        seen, silent = self._seen()
        if silent:
            return {}
        return {
            one: all(known[name].serving for known in seen.values())
            for name, one in self._names(instances).items()
            if all(name in known for known in seen.values())
        }

    def drained(self, service: Service, instances: Sequence[Instance]) -> frozenset[InstanceName]:
        """Say who is drained in one of them, and in maintenance in none, which is what people order.

        A backup is nobody's that a gate has taken out: it was not in service before.
        """
        del service
        seen, silent = self._seen()
        if silent:
            return frozenset()
        return frozenset(
            one
            for name, one in self._names(instances).items()
            if any(name in known and known[name].draining for known in seen.values())
            and not any(name in known and (known[name].in_maintenance or known[name].backup) for known in seen.values())
        )

    def _names(self, instances: Sequence[Instance]) -> Names:
        return {self._way.server.replace("{instance}", one.name): one.name for one in instances}

    def _seen(self) -> tuple[Seen, list[str]]:
        """Ask every HAProxy; return what they said, and why others said nothing."""
        seen: dict[str, Mapping[str, Server]] = {}
        silent: list[str] = []
        for where in self._way.sockets:
            try:
                seen[where] = servers(where, self._way.backend)
            except RuntimeApiError as error:
                silent.append(str(error))
        return seen, silent

    def _missing(self, names: Names, seen: Seen) -> dict[str, str]:
        return {
            name: f"HAProxy at {where} has no server {quoted(name)} in backend {quoted(self._way.backend)}"
            for where, known in seen.items()
            for name in names
            if name not in known
        }

    def _out(self, name: str, seen: Seen) -> str:
        """Drain a server everywhere, or say why not and leave it as it was."""
        changed: list[str] = []
        for where, known in seen.items():
            if known[name].in_maintenance:
                continue
            try:
                order(where, self._way.backend, name, "drain")
            except RuntimeApiError as error:
                return f"{error}{self._undone(name, changed)}"
            if not known[name].draining:
                changed.append(where)
        return ""

    def _undone(self, name: str, changed: Sequence[str]) -> str:
        """Put a server back where it was just taken out, and say where that failed."""
        failed = []
        for where in changed:
            try:
                order(where, self._way.backend, name, "ready")
            except RuntimeApiError:
                failed.append(where)
        return f"; it stays drained at {', '.join(failed)}" if failed else ""

    def _refusals(self, name: str, seen: Seen) -> Iterator[str]:
        """Put a server back wherever it may be, and give why not elsewhere."""
        for where, known in seen.items():
            if name not in known:
                continue
            if known[name].in_maintenance:
                yield (
                    f"is in maintenance in HAProxy at {where}, which deploygate did not order: "
                    f"end it with `set server {self._way.backend}/{name} state ready`"
                )
                continue
            try:
                order(where, self._way.backend, name, "ready")
            except RuntimeApiError as error:
                yield str(error)

    def _until(self, names: Sequence[str], good: Callable[[Server], bool], end: float) -> dict[str, Seen]:
        """Look until all servers are good everywhere or the time is over; return the rest, with the last look."""
        pause = _FIRST
        while names:
            over = time.monotonic() >= end
            seen, silent = self._seen()
            names = [
                name
                for name in names
                if silent or not all(name in known and good(known[name]) for known in seen.values())
            ]
            if over:
                return dict.fromkeys(names, seen)
            if names:
                time.sleep(max(0.0, min(pause, end - time.monotonic())))
                pause = min(2 * pause, _LONGEST)
        return {}


def _says(name: str, seen: Seen) -> str:
    """Say what stands in the way of a server, from the last look at it."""
    said = [
        f"HAProxy at {where} says {plain(known[name].status, 40)}"
        for where, known in seen.items()
        if name in known and not known[name].up
    ]
    return "; ".join(said) or "HAProxy can't be asked any more"


def _troubles(names: Names, says: Mapping[str, str]) -> tuple[Trouble, ...]:
    return tuple(Trouble(one, plain(says[name], 320)) for name, one in names.items() if name in says)
