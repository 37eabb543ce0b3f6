"""Any other balancer, through programs of the user's own; docs/balancers.md has their contract."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec

from deploygate.adapters.commands import argv, environment, values
from deploygate.adapters.programs import Done, run
from deploygate.events import Trouble
from deploygate.inventory import Instance, Service
from deploygate.names import InstanceName
from deploygate.ways import BalancerPrograms, Command
from deploygate.wording import plain

_AT_ONCE = 32  # programs that run at the same time
_MORE = 5.0  # seconds that draining may take beside its patience
_OF_ONE = (
    "instance",
    "environment",
    "address",
    "host",
    "port",
    "machine",
)  # what a question about all instances does not have


class Status(msgspec.Struct, frozen=True):
    """What a status program prints."""

    schema: int
    in_service: dict[str, bool]


class OwnPrograms:
    """A `Balancer`. `folder` is the inventory's, in which the programs run; one is run for each instance, at once."""

    def __init__(self, way: BalancerPrograms, folder: Path) -> None:
        self._way = way
        self._folder = folder

    def drain(self, service: Service, instances: Sequence[Instance], patience: float) -> tuple[Trouble, ...]:
        """Take instances out; the program waits for their connections, and knows how long."""
        more = {"DEPLOYGATE_PATIENCE": f"{patience:g}"}

        def one(instance: Instance) -> Done:
            return self._run(self._way.drain, values(service, instance, None, None), more, patience + _MORE)

        return _troubles("drain", instances, one)

    def restore(self, service: Service, instances: Sequence[Instance]) -> tuple[Trouble, ...]:
        """Put instances back."""

        def one(instance: Instance) -> Done:
            return self._run(self._way.restore, values(service, instance, None, None), {}, self._way.timeout)

        return _troubles("restore", instances, one)

    def in_service(self, service: Service, instances: Sequence[Instance]) -> Mapping[InstanceName, bool]:
        """Ask once for all instances; without a status program, or a sound answer of it, nobody can be told."""
        if self._way.status is None or not instances:
            return {}
        filled = values(service, instances[0], None, None) | dict.fromkeys(_OF_ONE, "")
        more = {"DEPLOYGATE_INSTANCES": " ".join(one.name for one in instances)}
        try:
            done = self._run(self._way.status, filled, more, self._way.timeout)
            said = msgspec.json.decode(done.out, type=Status)
        except (OSError, ValueError):
            return {}
        if done.code != 0 or said.schema != 1:
            return {}
        return {one.name: said.in_service[one.name] for one in instances if one.name in said.in_service}

    def _run(self, command: Command, filled: Mapping[str, str], more: Mapping[str, str], limit: float) -> Done:
        return run(argv(command, filled), environment(filled) | dict(more), self._folder, limit)


def _troubles(verb: str, instances: Sequence[Instance], run_one: Callable[[Instance], Done]) -> tuple[Trouble, ...]:
    """Run a program for each instance at the same time, and say which did not do well."""

    def says(instance: Instance) -> str:
        try:
            done = run_one(instance)
        except (OSError, ValueError) as error:
            return f"the balancer's {verb} can't be started: {plain(str(error))}"
        return "" if done.code == 0 else f"the balancer's {verb} {done.says}"

    with ThreadPoolExecutor(min(_AT_ONCE, len(instances) or 1), thread_name_prefix=verb) as pool:
        said = list(pool.map(says, instances))
    return tuple(Trouble(one.name, text) for one, text in zip(instances, said, strict=True) if text)
