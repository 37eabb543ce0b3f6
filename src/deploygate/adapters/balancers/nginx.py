"""nginx: a generated upstream on every machine that runs it, and a reload whose old workers are waited for."""

import time
from collections.abc import Mapping, Sequence

from deploygate.adapters.balancers.nginx_host import NginxHost, Shell
from deploygate.adapters.balancers.upstream import Upstream, UpstreamError, read, written
from deploygate.events import Trouble
from deploygate.inventory import Instance, Service
from deploygate.names import InstanceName
from deploygate.ways import BACK_IN, Nginx
from deploygate.wording import plain, seconds

_FIRST, _LONGEST = 0.01, 0.25  # seconds between two looks


class NginxServers:
    """A `Balancer`. An instance is in service only where the file of every nginx has it, and not as down."""

    def __init__(self, way: Nginx, shell: Shell, *, fresh: float = BACK_IN) -> None:
        self._way = way
        self._hosts = [NginxHost(way, shell, host) for host in way.hosts or ("",)]
        self._fresh = fresh

    def drain(self, service: Service, instances: Sequence[Instance], patience: float) -> tuple[Trouble, ...]:
        """Take instances out of every file, and wait until the workers that knew them are gone.

        Every nginx is asked first, so that what can be known to fail changes nothing. The first that fails all the
        same ends it, and what was changed is put back: nothing will be stopped then, and no capacity is lost.
        """
        end = time.monotonic() + patience
        names = [one.name for one in instances]
        placed: dict[NginxHost, Upstream] = {}
        old: dict[NginxHost, frozenset[int]] = {}
        try:
            before = {host: self._asked(host, service, names) for host in self._hosts}
            for host, upstream in before.items():
                self._place(host, service, upstream.without(names))
                placed[host] = upstream
                old[host] = self._reloaded(host)
        except UpstreamError as error:
            return _troubles(instances, [str(error), *self._put_back(service, placed)])
        self._until_gone(old, end)
        return _strangers(service, instances)

    def restore(self, service: Service, instances: Sequence[Instance]) -> tuple[Trouble, ...]:
        """Put instances into every file; an nginx that fails holds up no other, since more capacity harms nobody."""
        names = [one.name for one in instances]
        failed = []
        for host in self._hosts:
            try:
                self._place(host, service, self._known(host, service).having(names))
                self._reloaded(host)
            except UpstreamError as error:
                failed.append(str(error))
        return _troubles(instances, failed) or _strangers(service, instances)

    def in_service(self, service: Service, instances: Sequence[Instance]) -> Mapping[InstanceName, bool]:
        """Say who is in every file; where one can't be read, or is not there yet, nobody can be told."""
        upstreams: list[Upstream] = []
        for host in self._hosts:
            try:
                text = host.file()
                if text is None:
                    return {}
                upstreams.append(read(text, service.behind))
            except UpstreamError:
                return {}
        return {one.name: all(one.name in upstream.serving for upstream in upstreams) for one in instances}

    def drained(self, service: Service, instances: Sequence[Instance]) -> frozenset[InstanceName]:
        """Say who is down in a file: nobody but a gate writes it."""
        serving = self.in_service(service, instances)
        return frozenset(name for name, in_file in serving.items() if not in_file)

    def _asked(self, host: NginxHost, service: Service, names: Sequence[InstanceName]) -> Upstream:
        """Return what an nginx has, when it runs and would have anything left."""
        upstream = self._known(host, service)
        if upstream.serving and not upstream.without(names).serving:
            raise UpstreamError(host.says("nothing else is in service, and nginx would answer 502 without it"))
        host.workers()
        return upstream

    def _known(self, host: NginxHost, service: Service) -> Upstream:
        """Return what an nginx has; without a file, it has everything."""
        text = host.file()
        if text is None:
            return Upstream(frozenset(one.name for one in service.behind))
        try:
            return read(text, service.behind)
        except UpstreamError as error:
            raise UpstreamError(host.says(f"{self._way.file} {error}")) from None

    def _place(self, host: NginxHost, service: Service, upstream: Upstream) -> None:
        host.place(written(self._way.upstream, upstream, service.behind))

    def _reloaded(self, host: NginxHost) -> frozenset[int]:
        """Reload, wait until only new workers take connections, and return the old ones."""
        before = host.reload()
        old = before.taking | before.leaving
        end, pause = time.monotonic() + self._fresh, _FIRST
        while not (taking := host.workers().taking) or taking & old:
            if time.monotonic() >= end:
                after = seconds(self._fresh)
                raise UpstreamError(host.says(f"nginx has no new workers {after} after a reload: see its error log"))
            time.sleep(pause)
            pause = min(2 * pause, _LONGEST)
        return old

    def _put_back(self, service: Service, placed: Mapping[NginxHost, Upstream]) -> list[str]:
        """Put files back as they were read, and return where that failed."""
        failed = []
        for host, upstream in placed.items():
            try:
                self._place(host, service, upstream)
                self._reloaded(host)
            except UpstreamError as error:
                failed.append(f"not put back: {error}")
        return failed

    def _until_gone(self, old: Mapping[NginxHost, frozenset[int]], end: float) -> None:
        """Wait for old workers, which live as long as one of their connections; what stays is cut off later."""
        pause = _FIRST
        left = dict(old)
        while left and time.monotonic() < end:
            left = {host: before for host, before in left.items() if self._some_live(host, before)}
            if left:
                time.sleep(max(0.0, min(pause, end - time.monotonic())))
                pause = min(2 * pause, _LONGEST)

    def _some_live(self, host: NginxHost, before: frozenset[int]) -> bool:
        try:
            now = host.workers()
        except UpstreamError:
            return True  # not seen is not gone
        return bool((now.taking | now.leaving) & before)


def _strangers(service: Service, instances: Sequence[Instance]) -> tuple[Trouble, ...]:
    """Say who has no line in the file, which has those that the inventory puts behind this nginx."""
    known = {one.name for one in service.behind}
    return tuple(Trouble(one.name, "is not behind this nginx") for one in instances if one.name not in known)


def _troubles(instances: Sequence[Instance], failed: Sequence[str]) -> tuple[Trouble, ...]:
    return tuple(Trouble(one.name, plain("; ".join(failed), 320)) for one in instances) if failed else ()
