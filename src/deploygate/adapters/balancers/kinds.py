"""From what an inventory says of a balancer to the `Balancer` that does it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import assert_never

from deploygate.adapters.balancers.haproxy import HAProxies
from deploygate.adapters.balancers.nginx import NginxServers
from deploygate.adapters.balancers.nginx_host import Shell
from deploygate.adapters.balancers.programs import OwnPrograms
from deploygate.ports import Balancer
from deploygate.ways import BalancerPrograms, Balancing, HAProxy, Nginx, Plugin


@dataclass(frozen=True, slots=True)
class Means:
    """What balancers need of the machine: a shell here and elsewhere, the inventory's folder, and plug-ins."""

    shell: Shell
    folder: Path
    plugin: Callable[[Plugin], Balancer]


def balancer_of(balancing: Balancing, means: Means) -> Balancer:
    """Return what takes instances out of a balancer and puts them back; it holds nothing between calls."""
    match balancing.by:
        case HAProxy():
            return HAProxies(balancing.by)
        case Nginx():
            return NginxServers(balancing.by, means.shell)
        case BalancerPrograms():
            return OwnPrograms(balancing.by, means.folder)
        case Plugin():
            return means.plugin(balancing.by)
        case _:
            assert_never(balancing.by)
