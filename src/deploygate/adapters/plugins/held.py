"""Plug-ins held to their ports: what else they answer or raise is one line that names them, and goes no further."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from deploygate.endings import Ending
from deploygate.errors import GateError
from deploygate.events import Change, Start, Trouble
from deploygate.inventory import Instance, Service
from deploygate.names import InstanceName, RunId, Version
from deploygate.ports import Balancer, Hosts, Lease, Process, Telling
from deploygate.wording import plain


class Held:
    """Asks a plug-in; `who` is how messages name it."""

    def __init__(self, who: str) -> None:
        self._who = who

    def asked(self, method: str, call: Callable[[], object]) -> Any:
        """Return what a method answers.

        Raises:
            GateError: It raises something itself, also what would end the gate.
        """
        try:
            return call()
        except (Exception, SystemExit) as error:
            raise self._error(f"{self._who} failed in {method}: {type(error).__name__}: {error}") from error

    def troubles(self, method: str, names: Sequence[InstanceName], call: Callable[[], object]) -> tuple[Trouble, ...]:
        """Return the troubles that a method answers with, each of an instance that it was asked for.

        Raises:
            GateError: It answers with anything else: the journal could not be read, and nobody knows what was done.
        """
        answer = self.asked(method, call)
        self.must(isinstance(answer, tuple | list), method, "a tuple of Trouble", answer)
        for one in answer:
            sound = isinstance(one, Trouble) and type(one.says) is str and one.instance in names
            self.must(sound, method, "Troubles of the instances that it was asked for", one)
        return tuple(answer)

    def must(self, sound: bool, method: str, what: str, answer: object) -> None:  # noqa: FBT001 - what must be
        """Refuse what is not sound.

        Raises:
            GateError: It is not.
        """
        if not sound:
            raise self._error(f"{self._who} answers {method} with {plain(repr(answer), 80)}, which must be {what}")

    def _error(self, says: str) -> GateError:
        return GateError(plain(says, 300), help="Ask its author, or install another.", ending=Ending.INTERNAL_ERROR)


class HeldDriver:
    """`Hosts` of a plug-in."""

    def __init__(self, made: Hosts, who: str) -> None:
        self.made = made
        self._held = Held(who)

    def claim(
        self, service: Service, instances: Sequence[InstanceName], lease: Lease, over: Sequence[RunId]
    ) -> tuple[Lease, ...]:
        """Claim the hosts of a service."""
        answer = self._held.asked("claim", lambda: self.made.claim(service, instances, lease, over))
        sound = isinstance(answer, tuple | list) and all(isinstance(one, Lease) for one in answer)
        self._held.must(sound, "claim", "a tuple of Lease", answer)
        return tuple(answer)

    def leave(self, service: Service, instances: Sequence[InstanceName], run: RunId) -> None:
        """Let go of the hosts of a service."""
        self._held.asked("leave", lambda: self.made.leave(service, instances, run))

    def lost(self, service: Service, instances: Sequence[InstanceName], run: RunId) -> str:
        """Say who else has the hosts of a service."""
        answer = self._held.asked("lost", lambda: self.made.lost(service, instances, run))
        self._held.must(type(answer) is str, "lost", "a text", answer)
        return str(answer)

    def stage(self, service: Service, releases: Sequence[Start]) -> tuple[Trouble, ...]:
        """Install releases."""
        names = [one.instance for one in releases]
        return self._held.troubles("stage", names, lambda: self.made.stage(service, releases))

    def prove(self, service: Service, releases: Sequence[Start], *, unchanged: bool) -> tuple[Trouble, ...]:
        """Show that releases could be started."""
        names = [one.instance for one in releases]
        return self._held.troubles("prove", names, lambda: self.made.prove(service, releases, unchanged=unchanged))

    def switch(self, service: Service, changes: Sequence[Change], run: RunId) -> tuple[Trouble, ...]:
        """Kill and start."""
        names = [one.instance for one in changes]
        return self._held.troubles("switch", names, lambda: self.made.switch(service, changes, run))

    def process(self, service: Service, instance: Instance, *, answered: bool) -> Process:
        """Return what the driver knows of a process."""
        answer = self._held.asked("process", lambda: self.made.process(service, instance, answered=answered))
        sound = (
            isinstance(answer, Process)
            and type(answer.alive) in {bool, type(None)}
            and {type(answer.release), type(answer.identity)} <= {str, type(None)}
            and type(answer.says) is str
        )
        self._held.must(sound, "process", "a Process", answer)
        known: Process = answer
        return known

    def prune(
        self, service: Service, instances: Sequence[InstanceName], protect: Sequence[Version]
    ) -> tuple[Version, ...]:
        """Remove old releases."""
        answer = self._held.asked("prune", lambda: self.made.prune(service, instances, protect))
        sound = isinstance(answer, tuple | list) and all(isinstance(one, str) for one in answer)
        self._held.must(sound, "prune", "a tuple of versions", answer)
        return tuple(answer)


class HeldBalancer:
    """A `Balancer` of a plug-in."""

    def __init__(self, made: Balancer, who: str) -> None:
        self.made = made
        self._held = Held(who)

    def drain(self, service: Service, instances: Sequence[Instance], patience: float) -> tuple[Trouble, ...]:
        """Take instances out."""
        return self._hindered("drain", instances, lambda: self.made.drain(service, instances, patience))

    def restore(self, service: Service, instances: Sequence[Instance]) -> tuple[Trouble, ...]:
        """Put instances back."""
        return self._hindered("restore", instances, lambda: self.made.restore(service, instances))

    def in_service(self, service: Service, instances: Sequence[Instance]) -> Mapping[InstanceName, bool]:
        """Say who is sent traffic; where the plug-in fails, nobody can be told."""
        try:
            answer = self._held.asked("in_service", lambda: self.made.in_service(service, instances))
            sound = isinstance(answer, Mapping) and all(isinstance(one, bool) for one in answer.values())
            self._held.must(sound, "in_service", "a mapping of names to True or False", answer)
        except GateError:
            return {}
        known: Mapping[InstanceName, bool] = answer
        return known

    def drained(self, service: Service, instances: Sequence[Instance]) -> frozenset[InstanceName]:
        """Say who is out by a gate's doing, where the plug-in tells; where it fails, nobody can be told."""
        made = self.made
        if not isinstance(made, Telling):
            return frozenset()
        try:
            answer = self._held.asked("drained", lambda: made.drained(service, instances))
            names = {one.name for one in instances}
            sound = isinstance(answer, frozenset | set) and answer <= names
            self._held.must(sound, "drained", "a set of the instances that it was asked for", answer)
        except GateError:
            return frozenset()
        return frozenset(answer)

    def _hindered(self, method: str, instances: Sequence[Instance], call: Callable[[], object]) -> tuple[Trouble, ...]:
        """Ask for something; a failure is a trouble of each instance, since no balancer may stop the way back."""
        names = [one.name for one in instances]
        try:
            return self._held.troubles(method, names, call)
        except GateError as error:
            return tuple(Trouble(name, error.says) for name in names)
