"""The lease on each host: who may change it, as the host itself has it written down."""

import math
from collections.abc import Sequence
from pathlib import Path

from msgspec.structs import replace

from deploygate.adapters.hosts.remote.asking import Asker, HostError, Place, each, hundredths, place
from deploygate.adapters.hosts.remote.limits import change, lasting
from deploygate.adapters.shells import Ran, UnreachableError
from deploygate.endings import Goal
from deploygate.inventory import Service
from deploygate.names import InstanceName, RunId, ServiceName
from deploygate.ports import Lease
from deploygate.wording import plain

_HELD = 3  # the exit code of a claim that was refused
_FENCED = 6  # the exit code where another run has the host, which this one had claimed
_LIMIT = 15.0  # seconds, beside those that a change in progress may take


class FencedError(Exception):
    """A host is another run's now; `by` names that run."""

    def __init__(self, says: str, by: str) -> None:
        super().__init__(says)
        self.by = by


def fenced(ran: Ran) -> None:
    """Tell whether a host was asked by a run that it is not held by any more.

    Raises:
        FencedError: It was.
    """
    if ran.code == _FENCED:
        by, _, says = ran.out.strip().partition("\n")
        raise FencedError(plain(says, 300), plain(by))


class Leases:
    """The leases of this run."""

    def __init__(self, asker: Asker, folder: Path) -> None:
        self._asker = asker
        self._folder = folder
        self._leases: dict[ServiceName, Lease] = {}
        self._claimed: set[tuple[Place, RunId]] = set()
        self._begun: set[tuple[Place, RunId]] = set()  # claims in a change, of which the answer may be lost

    def claim(
        self, service: Service, instances: Sequence[InstanceName], lease: Lease, over: Sequence[RunId]
    ) -> tuple[Lease, ...]:
        """Write the lease on every host that can be reached; return who else holds one, and who held it until now."""
        places = self._places(service, instances)
        lease = self._leases[service.name] = replace(lease, lasts=lasting(service, lease, len(places)))
        patience = change(service)

        def one(where: Place) -> Lease | None:
            given = self._given(lease) | {"over": " ".join(over), "patience": hundredths(patience)}
            try:
                ran = self._asker.call(where, "dg_claim", given, patience + 2 * _LIMIT)
            except (HostError, UnreachableError):
                return None  # what is asked of it next will fail, and say why
            if ran.code == _HELD:
                return _lease(ran.out)
            self._claimed.add((where, lease.run))
            return replace(_lease(ran.out), taken=True) if ran.out.strip() else None

        return tuple(held for held in each(places, one) if held)

    def leave(self, service: Service, instances: Sequence[InstanceName], run: RunId) -> None:
        """Take this run's lease off the hosts."""

        def one(where: Place) -> None:
            if (where, run) not in self._claimed | self._begun:
                return
            self._claimed.discard((where, run))
            self._begun.discard((where, run))
            try:
                self._asker.call(where, "dg_leave", {"run": run, "patience": hundredths(_LIMIT)}, 2 * _LIMIT)
            except (HostError, UnreachableError):
                return  # it runs out by itself

        each(self._places(service, instances), one)
        if service.name in self._leases and self._leases[service.name].run == run:
            del self._leases[service.name]

    def lost(self, service: Service, instances: Sequence[InstanceName], run: RunId) -> str:
        """Name another run that has one of these hosts now; one that can't be asked is nobody's as far as is known."""
        lease = self._leases.get(service.name)

        def one(where: Place) -> str:
            if lease is None or (where, run) not in self._claimed:
                return ""
            try:
                fenced(self._asker.call(where, "dg_leased", self._given(lease) | {"run": run}, _LIMIT))
            except FencedError as error:
                return error.by
            except (HostError, UnreachableError):
                return ""
            return ""

        return next((by for by in each(self._places(service, instances), one) if by), "")

    def taken(self, service: Service, instances: Sequence[InstanceName]) -> bool:
        """Tell whether hosts that this run had claimed are another's now."""
        lease = self._leases.get(service.name)
        return lease is not None and bool(self.lost(service, instances, lease.run))

    def shown(self, service: Service, where: Place, run: RunId) -> dict[str, str]:
        """Return what a change shows to the host; a host that was not there to be claimed is claimed with it."""
        lease = self._leases.get(service.name) or Lease(run, Goal.DEPLOY, "unknown", "unknown", "unknown")
        away = service.name in self._leases and lease.run == run and (where, run) not in self._claimed
        claiming = "yes" if away else ""
        if away:
            self._begun.add((where, run))
        return self._given(lease) | {"run": run, "over": "", "claiming": claiming}

    def run(self, service: Service) -> str:
        """Return by whose run something is done on hosts, which renews its lease there; nothing where there is none."""
        lease = self._leases.get(service.name)
        return _word(lease.run) if lease else ""

    def claimed(self, where: Place, run: RunId) -> None:
        """Remember that a change has claimed a host."""
        self._claimed.add((where, run))

    def _given(self, lease: Lease) -> dict[str, str]:
        return {
            "run": _word(lease.run),
            "rank": lease.rank,
            "gate": _word(lease.gate),
            "process": _word(lease.process),
            "since": _word(lease.since),
            "lasts": str(math.ceil(lease.lasts)),
        }

    def _places(self, service: Service, instances: Sequence[InstanceName]) -> list[Place]:
        wanted = set(instances) or {one.name for one in service.instances}
        found: dict[Place, None] = {}
        for instance in service.instances:
            if instance.name in wanted:
                try:
                    found[place(service, instance, self._folder)] = None
                except HostError:
                    continue  # what is asked of it next will fail, and say why
        return list(found)


def _word(text: str) -> str:
    return "-".join(text.split()) or "unknown"


def _lease(line: str) -> Lease:
    parts = [*line.split(), *["unknown"] * 6]
    rank = Goal(parts[1]) if parts[1] in set(Goal) else Goal.DEPLOY
    lasts = float(parts[5]) if parts[5].isdecimal() else 0.0
    return Lease(RunId(parts[0]), rank, parts[2], parts[3], parts[4], lasts)
