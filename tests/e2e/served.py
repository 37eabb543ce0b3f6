"""A fleet behind a real balancer, its instances here or on real hosts, and what becomes of requests meanwhile."""

import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from processes.fleet import Fleet, Gate

from .balancing import HAProxyServer, NginxServer
from .load import Load
from .sshd import sshd

KINDS: dict[str, type[HAProxyServer] | type[NginxServer]] = {"haproxy": HAProxyServer, "nginx": NginxServer}


class Served(Fleet):
    """A fleet behind a balancer, or without one where its kind is empty.

    With `ssh`, each instance is on a host, whose disk is its `own` or `shared`; an nginx runs on one more host then.
    `first` is how the first release behaves.
    """

    def __init__(
        self, folder: Path, kind: str, stack: ExitStack, ssh: str = "", production: int = 3, **first: Any
    ) -> None:
        self.mount = folder / "mnt"
        self.mount.mkdir(parents=True)
        number = production + 1 + (kind == "nginx")
        self.ssh = sshd(folder / "hosts", number, root=self.mount if ssh == "own" else None) if ssh else None
        super().__init__(folder, production, hosts=self.ssh.hosts[: production + 1] if self.ssh else ())
        if self.ssh:
            stack.callback(self.ssh.down)
        stack.callback(self.down)
        places = {name: f"{self.hosts[name]}:{self.ports[name]}" for name in self.names if name != "p-1"}
        self.server = KINDS[kind](places) if kind else None
        if self.server:
            stack.enter_context(self.server)
        self.release("1.0", **first)
        self.balance()
        self.up()

    def balance(
        self, *, health: dict[str, Any] | None = None, killstart: dict[str, Any] | None = None, **rollout: Any
    ) -> None:
        """Write the inventory, with the balancer."""
        way: dict[str, Any] = {}
        if self.ssh:
            start = ["env", f"FLEET={self.folder}", *self.python, "{host}", "{port}"]
            way = {"root": f"{self.mount}/Svc", "start": start, "ssh": {"port": self.ssh.port}}
        self.inventory(health=health, killstart=way | (killstart or {}), rollout=rollout, **self.balancer())

    def balancer(self) -> dict[str, Any]:
        """Return what the inventory says of the balancer."""
        if self.server is None:
            return {}
        if isinstance(self.server, HAProxyServer):
            by: dict[str, Any] = {"haproxy": {"sockets": [self.server.unix], "backend": "adcaster"}}
        else:
            by = {"nginx": self.nginx(self.server)}
        return {"balancer": by | {"drain": "2s"}}

    def nginx(self, server: NginxServer) -> dict[str, Any]:
        """Return what the inventory says of the nginx, which is told over ssh where the instances are."""
        words = list(server.words)
        way: dict[str, Any] = {"test": [*words, "-t"], "reload": [*words, "-s", "reload"]}
        if self.ssh:
            way |= {"hosts": [self.ssh.hosts[-1]], "ssh": {"port": self.ssh.port}}
        return way | {"file": str(server.file), "pid_file": str(server.pid_file), "upstream": "adcaster"}

    @property
    def options(self) -> tuple[str, ...]:
        if not self.ssh:
            return ()
        given = self.ssh.inputs
        options = zip(("--ssh-known-hosts", "--ssh-key", "--ssh-config"), map(str, vars_of(given)), strict=True)
        return tuple(word for pair in options for word in pair)

    def begin(self, *words: str, form: str = "json") -> Gate:
        return super().begin(*words, *self.options, form=form)

    def load(self) -> Load:
        assert self.server is not None
        return Load(f"{self.server.url}version", fresh=2, kept=2, pause=0.01)


def vars_of(inputs: Any) -> tuple[Path, ...]:
    return inputs.known_hosts, inputs.key, inputs.config


def told(load: Load, what: str) -> None:
    """Print what became of the requests, and fail where one was lost."""
    result = load.result()
    sys.stdout.write(f"\n{what}: {result}\n")
    assert result.failed == 0, result
    assert result.sent > 100


def out(fleet: Served) -> set[str]:
    """Return the servers that HAProxy sends nothing, as it says itself."""
    assert isinstance(fleet.server, HAProxyServer)
    lines = fleet.server.told("show servers state adcaster").splitlines()[2:]
    fields = [line.split() for line in lines if line.strip()]
    return {one[3] for one in fields if int(one[6])}
