"""The service inventory: who answers for what, where it runs, which interfaces it has, how it is deployed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple
from urllib.parse import urlsplit

from deploygate.findings import Where
from deploygate.names import Environment, InstanceName, ServiceName, Version
from deploygate.probe import HealthProbe, VersionProbe


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


@dataclass(frozen=True, slots=True)
class Release:
    """What one version of a service offers to its neighbours and needs of them."""

    version: Version
    provides: frozenset[Interface]
    consumes: frozenset[Interface]


@dataclass(frozen=True, slots=True)
class Argv:
    """A command as an argument vector; `{placeholders}` in a word are filled in without any shell."""

    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Script:
    """A command as a shell script; it gets its values as environment variables, never as text."""

    text: str


Command = Argv | Script


@dataclass(frozen=True, slots=True)
class KillStart:
    """Releases side by side in `root/<version>/`: to deploy is to kill one and start the other.

    `grace` is how long, in seconds, a process may take to stop before it is killed; `keep` is how many
    releases stay installed.
    """

    root: str
    start: Command
    stop: Command | None = None
    grace: float = 10.0
    keep: int = 5


class OnFailure(StrEnum):
    """What a failed instance means for those already updated."""

    UNDO = "undo"
    HALT = "halt"


@dataclass(frozen=True, slots=True)
class Rollout:
    """How carefully a service is rolled.

    `bake` is how long, in seconds, the first production instance must stay healthy; `floor` is how many
    instances of an environment must keep serving (None: all but one); `failure_budget` is how many instances
    may fail in the whole fleet before the roll is taken back.
    """

    bake: float = 30.0
    on_failure: OnFailure = OnFailure.UNDO
    failure_budget: int = 0
    floor: int | None = None


@dataclass(frozen=True, slots=True)
class Instance:
    """One running copy of a service, asked at its own address (`http://host:port`)."""

    name: InstanceName
    environment: Environment
    address: str
    where: Where = Where()

    @property
    def host(self) -> str:
        """The address's host."""
        return urlsplit(self.address).hostname or ""

    @property
    def port(self) -> int:
        """The address's port, or its scheme's."""
        parts = urlsplit(self.address)
        return parts.port or (443 if parts.scheme == "https" else 80)


@dataclass(frozen=True, slots=True)
class Service:
    """A service as the reviewed file wants it. `releases` differ from `wanted` only where they are listed."""

    name: ServiceName
    purpose: str
    owners: Owners
    wanted: Version
    provides: frozenset[Interface]
    consumes: frozenset[Interface]
    releases: Mapping[Version, Release]
    deploy: KillStart
    instances: tuple[Instance, ...]
    artifact: str | None = None
    health: HealthProbe = HealthProbe()
    version: VersionProbe = VersionProbe()
    rollout: Rollout = Rollout()
    waive: Mapping[str, str] = field(default_factory=dict)
    where: Where = Where()

    def release(self, version: Version) -> Release:
        """Return what `version` provides and consumes: as listed, else as the service says."""
        return self.releases.get(version) or Release(version, self.provides, self.consumes)

    def within(self, environment: Environment) -> tuple[Instance, ...]:
        """Return the instances of one environment, in the inventory's order."""
        return tuple(one for one in self.instances if one.environment == environment)


@dataclass(frozen=True, slots=True)
class Chain:
    """A series of services, in the order of the data's journey, and where it ends in each environment."""

    name: str
    order: tuple[ServiceName, ...]
    sinks: Mapping[Environment, str]
    where: Where = Where()


@dataclass(frozen=True, slots=True)
class Inventory:
    """The whole reviewed file. `folder` is what relative paths in it are relative to; times in seconds."""

    environments: tuple[Environment, ...]
    services: Mapping[ServiceName, Service]
    chains: tuple[Chain, ...] = ()
    job_limit: float = 6 * 3600.0
    folder: str = "."
