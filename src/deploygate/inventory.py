"""The service inventory: who answers for what, where it runs, which interfaces it has, how it is deployed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import urlsplit

from deploygate.findings import Where
from deploygate.names import Environment, InstanceName, ServiceName, Version
from deploygate.probe import HealthProbe, VersionProbe
from deploygate.ways import Balancing, Driver, KillStart, Programs

_SHORTEST, _LONGEST = 30.0, 600.0  # seconds that a supervisor's start gets


@dataclass(frozen=True, slots=True)
class Owners:
    """The three who answer for a service."""

    ops: str
    dev: str
    pm: str


class Interface(NamedTuple):
    """One version of one interface."""

    name: str
    version: str

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


class BackKind(StrEnum):
    """Whether a release that runs may be left for an older one: by the gate, by nobody, or by hand only."""

    ALLOWED = "allowed"
    FORBIDDEN = "forbidden"
    MANUAL = "manual"


@dataclass(frozen=True, slots=True)
class WayBack:
    """What a release says of the way back from it; what is not simply allowed has a reason."""

    kind: BackKind = BackKind.ALLOWED
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Release:
    """What one version of a service offers to its neighbours and needs of them, and what the way back from it is.

    `digests` are those of provided interfaces whose definition is known.
    """

    version: Version
    provides: frozenset[Interface]
    consumes: frozenset[Interface]
    digests: Mapping[Interface, str] = field(default_factory=dict)
    rollback: WayBack = WayBack()


class Wave(NamedTuple):
    """How many instances are changed at once: a number, or a share of the fleet in percent."""

    size: int
    percent: bool = False

    def of(self, fleet: int) -> int:
        """Return the size of the wave in a fleet, one at the least."""
        return max(1, self.size * fleet // 100) if self.percent else self.size


class OnFailure(StrEnum):
    """What a failed instance means for those already updated."""

    UNDO = "undo"
    HALT = "halt"


@dataclass(frozen=True, slots=True)
class Rollout:
    """How carefully a service is rolled.

    `bake` is how long, in seconds, the first production instance must stay healthy; `floor` is how many
    instances of an environment must keep serving (None: all but one); `failure_budget` is how many instances
    may fail in the whole fleet before the roll is taken back. `waves` are how many production instances are
    changed at once, one wave after the other, the last size over and over.
    """

    bake: float = 30.0
    on_failure: OnFailure = OnFailure.UNDO
    failure_budget: int = 0
    floor: int | None = None
    waves: tuple[Wave, ...] = ()


@lru_cache(maxsize=1 << 16)
def _host_and_port(address: str) -> tuple[str, int]:
    """Take an address apart; it is asked for at every look."""
    parts = urlsplit(address)
    return parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)


@dataclass(frozen=True, slots=True)
class Instance:
    """One running copy of a service, asked at its own address (`http://host:port`).

    `on` names the machine that it runs on, where that is not the address's host.
    """

    name: InstanceName
    environment: Environment
    address: str
    where: Where = Where()
    on: str = ""

    @property
    def machine(self) -> str:
        """The machine that the instance runs on."""
        return self.on or self.host

    @property
    def host(self) -> str:
        """The address's host."""
        return _host_and_port(self.address)[0]

    @property
    def port(self) -> int:
        """The address's port, or its scheme's."""
        return _host_and_port(self.address)[1]


@dataclass(frozen=True, slots=True)
class Service:
    """A service as the reviewed file wants it. `releases` differ from `wanted` only where they are listed.

    `address` is the shared one, which callers use and no probe asks.
    """

    name: ServiceName
    purpose: str
    owners: Owners
    wanted: Version
    provides: frozenset[Interface]
    consumes: frozenset[Interface]
    releases: Mapping[Version, Release]
    deploy: Driver
    instances: tuple[Instance, ...]
    artifact: str | None = None
    address: str = ""
    health: HealthProbe = HealthProbe()
    version: VersionProbe = VersionProbe()
    rollout: Rollout = Rollout()
    balancer: Balancing | None = None
    digests: Mapping[Interface, str] = field(default_factory=dict)
    waive: Mapping[str, str] = field(default_factory=dict)
    where: Where = Where()

    def release(self, version: Version) -> Release:
        """Return what `version` provides and consumes: as listed, else as the service says."""
        return self.releases.get(version) or Release(version, self.provides, self.consumes, self.digests)

    @property
    def secrets(self) -> tuple[str, ...]:
        """The names of environment variables that only its processes, or the programs that deploy it, are to get."""
        return self.deploy.secrets if isinstance(self.deploy, KillStart | Programs) else ()

    @property
    def starting(self) -> float:
        """How long, in seconds, a supervisor's start may take: as long as the service to be healthy, within bounds."""
        supervised = isinstance(self.deploy, KillStart) and self.deploy.pid is not None
        return min(max(_SHORTEST, self.health.deadline), _LONGEST) if supervised else 0.0

    @property
    def switching(self) -> float:
        """How long, in seconds, a switch may take: its stop, and its start where that is waited for."""
        return self.deploy.timeout if isinstance(self.deploy, Programs) else self.deploy.grace + self.starting

    @property
    def listed(self) -> tuple[Release, ...]:
        """What the service says of any version, as that which is wanted, and the releases that are listed."""
        return (Release(self.wanted, self.provides, self.consumes, self.digests), *self.releases.values())

    @property
    def behind(self) -> tuple[Instance, ...]:
        """The instances that a balancer stands before, in the inventory's order."""
        return tuple(one for one in self.instances if self.balances(one))

    def balances(self, one: Instance) -> bool:
        """Tell whether the service's balancer stands before an instance."""
        return self.balancer is not None and one.environment in self.balancer.environments

    def within(self, environment: Environment) -> tuple[Instance, ...]:
        """Return the instances of one environment, in the inventory's order."""
        return tuple(one for one in self.instances if one.environment == environment)


@dataclass(frozen=True, slots=True)
class Chain:
    """A series of services, in the order of the data's journey, where it begins, and where it ends by environment."""

    name: str
    order: tuple[ServiceName, ...]
    sinks: Mapping[Environment, str]
    source: str = ""
    where: Where = Where()


@dataclass(frozen=True, slots=True)
class Inventory:
    """The whole reviewed file. `folder` is what relative paths in it are relative to; times in seconds.

    `people` has the GitHub login, or the team as organization/team, of each owner's name; empty where it is not given.
    """

    environments: tuple[Environment, ...]
    services: Mapping[ServiceName, Service]
    chains: tuple[Chain, ...] = ()
    job_limit: float = 6 * 3600.0
    folder: str = "."
    people: Mapping[str, str] = field(default_factory=dict)

    def up_to(self, last: Environment | None) -> tuple[Environment, ...]:
        """Return the environments up to and including one, in order; all where none is named."""
        return self.environments if last is None else self.environments[: self.environments.index(last) + 1]
