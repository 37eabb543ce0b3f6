"""How one instance is taken from one version to another, and where its host is: the ways to deploy."""

from collections.abc import Mapping
from dataclasses import dataclass, field


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
class Ssh:
    """How a host is reached with the system's OpenSSH client; what is None is as its configuration says."""

    user: str | None = None
    port: int | None = None
    jump: str | None = None


@dataclass(frozen=True, slots=True)
class KillStart:
    """Releases side by side in `root/<version>/`: to deploy is to kill one and start the other.

    Without `pid` the gate starts the process itself; with it, `start` and `stop` are a supervisor's commands, and
    `pid` prints the number of the process that it runs, which `kill` kills where the gate itself may not. `check`
    says whether a release could be started. `grace` is how long, in seconds, a process may take to stop before it
    is killed; `keep` is how many releases stay installed. `secrets` are names of environment variables of the gate
    that the process gets as well. Without `ssh` the instances run on this machine.
    """

    root: str
    start: Command
    stop: Command | None = None
    grace: float = 10.0
    keep: int = 5
    pid: Command | None = None
    kill: Command | None = None
    check: Command | None = None
    secrets: tuple[str, ...] = ()
    ssh: Ssh | None = None


@dataclass(frozen=True, slots=True)
class Programs:
    """Whatever else there is: the user's own programs, run beside the gate; see docs/command-driver.md.

    `timeout` bounds each of them, in seconds; a stop, within that, may take `grace` and five seconds more.
    """

    start: Command
    stop: Command
    status: Command
    stage: Command | None = None
    prove: Command | None = None
    prune: Command | None = None
    timeout: float = 120.0
    grace: float = 10.0
    keep: int = 5
    secrets: tuple[str, ...] = ()


GIVEN = ("service", "environment", "instance", "version", "from_version", "keep", "run")  # to a workflow, by name


@dataclass(frozen=True, slots=True)
class Workflow:
    """A workflow of the user's, one run of it for each change of an instance; see docs/workflow-driver.md.

    Its file is taken from the branch `ref`, and it gets `inputs` besides those that are GIVEN. A run must begin
    within `begin` seconds, and end within `timeout`.
    """

    file: str
    ref: str = "main"
    inputs: Mapping[str, str] = field(default_factory=dict)
    timeout: float = 600.0
    begin: float = 120.0

    @property
    def grace(self) -> float:
        """How long a change may take before the instance is looked at."""
        return self.timeout

    @property
    def keep(self) -> int:
        """How many releases stay installed: none is, beside those that run."""
        return 0


@dataclass(frozen=True, slots=True)
class Plugin:
    """A driver or a balancer that another package brings, by the name of its entry point; see docs/plugins.md."""

    name: str
    settings: Mapping[str, object] = field(default_factory=dict)
    grace: float = 10.0
    keep: int = 5


Driver = KillStart | Programs | Workflow | Plugin


def killstart(way: Driver) -> KillStart:
    """Return a way to deploy that is known to be by kill and start.

    Raises:
        TypeError: It is another one: whoever picked the driver was wrong.
    """
    if not isinstance(way, KillStart):
        raise TypeError(f"{type(way).__name__} is not kill and start")
    return way


BACK_IN = 10.0  # seconds that a balancer may take to send traffic again, for each order to do so


@dataclass(frozen=True, slots=True)
class HAProxy:
    """HAProxy's runtime API: `sockets` are paths or `host:port`, one of each HAProxy; `server` names an instance's."""

    sockets: tuple[str, ...]
    backend: str
    server: str = "{instance}"


@dataclass(frozen=True, slots=True)
class Nginx:
    """A generated file with one upstream, and a reload. Without `hosts` nginx runs on this machine."""

    file: str
    upstream: str
    test: Argv
    reload: Argv
    pid_file: str
    hosts: tuple[str, ...] = ()
    ssh: Ssh | None = None


@dataclass(frozen=True, slots=True)
class BalancerPrograms:
    """Any other balancer, through the user's own programs; `timeout` bounds each of them, in seconds."""

    drain: Command
    restore: Command
    status: Command | None = None
    timeout: float = 60.0


@dataclass(frozen=True, slots=True)
class Balancing:
    """What stands before the instances of `environments`; `drain` is how long, in seconds, connections may take."""

    by: HAProxy | Nginx | BalancerPrograms | Plugin
    drain: float = 30.0
    environments: tuple[str, ...] = ("production",)

    @property
    def back_in(self) -> float:
        """The seconds that one order to put instances back may take, before it is trouble and is given again."""
        match self.by:
            case BalancerPrograms(timeout=timeout):
                return timeout
            case Nginx(hosts=hosts):
                return BACK_IN * max(1, len(hosts))
            case _:
                return BACK_IN

    @property
    def tells(self) -> bool:
        """Whether it is one that can say who is in service."""
        match self.by:
            case HAProxy() | Nginx():
                return True
            case BalancerPrograms(status=status):
                return status is not None
            case _:
                return False
