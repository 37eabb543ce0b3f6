"""The `command` driver: the user's own programs stage, prove, start, stop and prune; see docs/command-driver.md."""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from msgspec.structs import replace

from deploygate.adapters.hosts.actions import Action, ProgramError, Runner
from deploygate.adapters.hosts.masking import masked
from deploygate.adapters.hosts.status import is_release, read_status
from deploygate.events import Change, Start, Trouble
from deploygate.inventory import Instance, Service
from deploygate.names import InstanceName, RunId, Version
from deploygate.ports import Lease, Process
from deploygate.ways import Programs
from deploygate.wording import plain

_AT_ONCE = 16  # instances whose programs run at the same time
_AFTER_GRACE = 5.0  # seconds that a stop program has to kill what did not stop within the grace

_Asked = TypeVar("_Asked", Start, Change)
_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


class ProgramsDriver:
    """`Hosts` for services whose instances are changed by programs of the inventory, run in its folder."""

    def __init__(self, folder: Path, run: RunId) -> None:
        self._folder = folder
        self._run = run

    def claim(self, *_: object) -> tuple[Lease, ...]:
        """Find nobody: there is no lease, and programs that want to fence are told the run."""
        return ()

    def leave(self, *_: object) -> None:
        """Do nothing, as there is no lease."""

    def lost(self, *_: object) -> str:
        """Find nobody, as there is no lease."""
        return ""

    def stage(self, service: Service, releases: Sequence[Start]) -> tuple[Trouble, ...]:
        """Install each release on each instance, where there is a program for it."""
        runner = self._runner(service)

        def one(start: Start) -> None:
            runner.secrets()
            if runner.way.stage is not None:
                stage = Action("stage", runner.way.stage, _named(service, start.instance), start.version)
                runner.done(stage, runner.way.timeout)

        return _troubles(releases, one)

    def prove(self, service: Service, releases: Sequence[Start], *, unchanged: bool) -> tuple[Trouble, ...]:
        """Show that the programs can be run, and by the prove program, where there is one, that releases could be."""
        runner = self._runner(service)
        way = runner.way
        told = {"DEPLOYGATE_UNCHANGED": "1" if unchanged else "0"}

        def one(start: Start) -> None:
            instance = _named(service, start.instance)
            runner.secrets()
            for name, command in (("start", way.start), ("stop", way.stop), ("status", way.status)):
                runner.runnable(Action(name, command, instance, start.version))
            if unchanged:  # on the way back a status that fails is no reason to leave a bad version running
                _status(runner, instance)
            if way.prove is not None:
                runner.done(Action("prove", way.prove, instance, start.version, told=told), way.timeout)

        return _troubles(releases, one)

    def switch(self, service: Service, changes: Sequence[Change], run: RunId) -> tuple[Trouble, ...]:
        """Stop and start each instance; what goes wrong with one does not stop the others."""
        runner = Runner(service, _way(service), self._folder, run)
        way = runner.way

        def one(change: Change) -> None:
            instance = _named(service, change.instance)
            now = _surely(runner, instance)
            if change.keep and change.start is not None and now.alive and now.release == change.start:
                return
            before = now.release or change.stop
            if now.alive is not False:
                stop = Action("stop", way.stop, instance, before, before)
                runner.done(stop, min(way.timeout, way.grace + _AFTER_GRACE))
            if change.start is not None:
                runner.done(Action("start", way.start, instance, change.start, before), way.timeout)

        return _troubles(changes, one)

    def process(self, service: Service, instance: Instance, *, answered: bool) -> Process:
        """Return what the status program says; where the service named its own process, no program is run."""
        return Process() if answered else _surely(self._runner(service), instance)

    def prune(
        self, service: Service, instances: Sequence[InstanceName], protect: Sequence[Version]
    ) -> tuple[Version, ...]:
        """Remove old releases from each instance, unless it can't be told what runs; return those that are gone."""
        runner = self._runner(service)
        command = runner.way.prune
        if command is None or not instances:
            return ()
        now = _at_once(service.instances, lambda one: _surely(runner, one))
        if any(one.alive is None or (one.alive and one.release is None) for one in now):
            return ()
        kept = dict.fromkeys([*protect, *(one.release for one in now if one.release)])
        told = {"DEPLOYGATE_PROTECT": " ".join(kept), "DEPLOYGATE_KEEP": str(runner.way.keep)}

        def one(name: InstanceName) -> str:
            try:
                done = runner.done(Action("prune", command, _named(service, name), told=told), runner.way.timeout)
            except ProgramError:  # a release too many does no harm, and is tried again after the next deploy
                return ""
            return done.out.decode(errors="replace")

        words = " ".join(_at_once(instances, one)).split()
        return tuple(Version(word) for word in dict.fromkeys(words) if is_release(word))

    def _runner(self, service: Service) -> Runner:
        return Runner(service, _way(service), self._folder, self._run)


def _status(runner: Runner, instance: Instance) -> Process:
    """Ask an instance's status program, for no longer than a look at the instance may take.

    Raises:
        ProgramError: It does not say.
    """
    limit = min(runner.way.timeout, runner.service.health.timeout)
    done = runner.once(Action("status", runner.way.status, instance), limit)
    if done.code != 0:
        raise ProgramError(f"the status program {runner.says(done)}")
    try:
        now = read_status(done.out)
    except ValueError as error:
        why = masked(str(error), runner.way.secrets, os.environ)
        raise ProgramError(f"the status program does not say what runs: {why}") from error
    return replace(now, says=masked(now.says, runner.way.secrets, os.environ))


def _surely(runner: Runner, instance: Instance) -> Process:
    """Ask an instance's status program; one that does not say tells nothing but why."""
    try:
        return _status(runner, instance)
    except ProgramError as error:
        return Process(says=plain(str(error), 300))


def _troubles(items: Sequence[_Asked], work: Callable[[_Asked], None]) -> tuple[Trouble, ...]:
    """Do something for every instance at once, and return what went wrong."""

    def surely(item: _Asked) -> str:
        try:
            work(item)
        except ProgramError as error:
            return plain(str(error), 300)
        return ""

    said = zip(items, _at_once(items, surely), strict=True)
    return tuple(Trouble(item.instance, why) for item, why in said if why)


def _at_once(items: Sequence[_Item], work: Callable[[_Item], _Result]) -> list[_Result]:
    """Do something for all of them at the same time, and return the results in their order."""
    if len(items) == 1:
        return [work(items[0])]
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return list(pool.map(work, items))


def _named(service: Service, name: InstanceName) -> Instance:
    for one in service.instances:
        if one.name == name:
            return one
    raise ProgramError(f"{service.name} has no instance {name}")


def _way(service: Service) -> Programs:
    if not isinstance(service.deploy, Programs):
        raise TypeError(f"{type(service.deploy).__name__} is not deployed by programs")
    return service.deploy
