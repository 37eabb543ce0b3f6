"""What is asked of an instance, and what it answered."""

from dataclasses import dataclass
from enum import StrEnum

import msgspec

from deploygate.names import InstanceName

BODY_LIMIT = 64 * 1024  # bytes of an answer that are read at the most


class Convention(StrEnum):
    """How services say how they are. `auto` never reads an answer more kindly than its status code."""

    AUTO = "auto"
    STATUS = "status"
    HEALTH_JSON = "health+json"  # draft-inadarei-api-health-check: status pass|warn|fail, releaseId is the build
    ACTUATOR = "actuator"  # Spring Boot: status UP|DOWN|..., build.version


@dataclass(frozen=True, slots=True)
class JsonPointer:
    """A place in a JSON body, as in RFC 6901."""

    pointer: str


@dataclass(frozen=True, slots=True)
class Header:
    """A header of the answer, by name."""

    name: str


@dataclass(frozen=True, slots=True)
class TextBody:
    """The whole body as text, without surrounding space."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """The first group of a regular expression found in the body, or all that it matched."""

    regex: str


Reader = JsonPointer | Header | TextBody | Pattern


@dataclass(frozen=True, slots=True)
class HealthProbe:
    """How health is asked for and judged. Times in seconds.

    `reads` is a convention, or a reader whose value must be one of `expect`.
    """

    path: str = "/health"
    reads: Convention | Reader = Convention.AUTO
    expect: tuple[str, ...] = ()
    interval: float = 2.0
    timeout: float = 5.0
    passes: int = 3
    fails: int = 3
    min_healthy: float = 10.0
    deadline: float = 120.0


@dataclass(frozen=True, slots=True)
class VersionProbe:
    """How the running build, and where the service gives one the process's identity, are read.

    By default it is JSON's `/version`, but for answers that say by their content type what they are: the IETF's
    health+json calls the build `releaseId` (its `version` is the public interface's), Spring's actuator
    `build.version`.
    """

    path: str = "/version"
    reads: Convention | Reader = Convention.AUTO
    identity: JsonPointer | Header | None = None


class Health(StrEnum):
    """What an answer says of health: the third value is not the first."""

    HEALTHY = "healthy"
    ILL = "ill"
    UNKNOWN = "unknown"


class Reply(msgspec.Struct, frozen=True):
    """An HTTP answer; `headers` have lower-case names, `cut` says that the body was longer than the limit."""

    status: int
    headers: dict[str, str]
    body: bytes
    cut: bool = False


class NoReply(msgspec.Struct, frozen=True):
    """No answer came. `refused` means that nothing listens there, which is knowledge; the rest is none."""

    says: str
    refused: bool = False


class Sighting(msgspec.Struct, frozen=True, omit_defaults=True):
    """One look at one instance, at `at` seconds; `says` is one plain line, safe to print anywhere.

    `alive` and `release` are what the host says of the process and of the release that was started, where
    it can: a service that names another build than the one that runs there is caught by that. `in_service` is what
    the balancer says, where there is one that can.
    """

    instance: InstanceName
    at: float
    health: Health
    version: str | None = None
    identity: str | None = None
    says: str = ""
    alive: bool | None = None
    release: str | None = None
    elapsed: float = 0.0
    in_service: bool | None = None

    @property
    def running(self) -> str | None:
        """The version that runs: as the host knows it, else as the service says."""
        return self.release or self.version
