"""One action of the command driver: a program of the user's, told all that the contract says, run until it is done."""

import errno
import os
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from deploygate.adapters.commands import argv, environment, values
from deploygate.adapters.hosts.masking import masked
from deploygate.adapters.programs import Done, run
from deploygate.inventory import Instance, Service
from deploygate.names import RunId, Version
from deploygate.ways import Command, Programs

_PAUSE = 1.0  # seconds before a program that asked for it is run again
_UNKNOWN = ("DEPLOYGATE_RELEASE", "DEPLOYGATE_ROOT")  # folders that there are with kill-start only


class ProgramError(Exception):
    """A program did not do what it was run for; one line."""


@dataclass(frozen=True, slots=True)
class Action:
    """What a program is run for: on which instance, for which version, in place of which; and what else it is told."""

    name: str
    command: Command
    instance: Instance
    version: Version | None = None
    previous: Version | None = None
    told: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Runner:
    """Runs the programs of one service, in the inventory's folder, on behalf of a run of the gate."""

    service: Service
    way: Programs
    folder: Path
    run: RunId

    def done(self, action: Action, limit: float) -> Done:
        """Run a program until it has done its work: again, within `limit` seconds, as often as it exits with 75.

        Raises:
            ProgramError: It has not.
        """
        end = time.monotonic() + limit
        done = self.once(action, limit)
        while done.code == os.EX_TEMPFAIL and (left := end - time.monotonic() - _PAUSE) > 0:
            time.sleep(_PAUSE)
            done = self.once(action, left)
        if done.code != 0:
            raise ProgramError(f"the {action.name} program {self.says(done)}")
        return done

    def says(self, done: Done) -> str:
        """Say why a program was no success, without the secrets that it may have printed."""
        return masked(done.says, self.way.secrets, os.environ)

    def once(self, action: Action, limit: float) -> Done:
        """Run a program once, for `limit` seconds at the most.

        Raises:
            ProgramError: It can't be run.
        """
        words = argv(action.command, self._filled(action))
        try:
            return run(words, self._environment(action, limit), self.folder, limit)
        except (OSError, ValueError) as error:
            raise ProgramError(f"the {action.name} program can't be run: {self._why(words[0], error)}") from error

    def runnable(self, action: Action) -> None:
        """Show that there is a program to run.

        Raises:
            ProgramError: There is none.
        """
        program = argv(action.command, self._filled(action))[0]
        if shutil.which(self._path(program)) is None:
            found = "/" in program and Path(self._path(program)).is_file()
            why = "is not executable" if found else f"is not {'there' if '/' in program else 'on the PATH'}"
            raise ProgramError(f"the {action.name} program can't be run: {program} {why}")

    def secrets(self) -> None:
        """Show that the secrets are there.

        Raises:
            ProgramError: Some are not.
        """
        missing = [name for name in self.way.secrets if name not in os.environ]
        if missing:
            raise ProgramError(f"the gate's environment lacks {', '.join(missing)}, which `secrets` names")

    def _filled(self, action: Action) -> dict[str, str]:
        return values(self.service, action.instance, action.version, None)

    def _environment(self, action: Action, limit: float) -> dict[str, str]:
        whole = {name: one for name, one in environment(self._filled(action)).items() if name not in _UNKNOWN}
        whole |= {name: os.environ[name] for name in self.way.secrets if name in os.environ}
        return {
            **whole,
            "DEPLOYGATE_ACTION": action.name,
            "DEPLOYGATE_PREVIOUS": action.previous or "",
            "DEPLOYGATE_RUN": self.run,
            "DEPLOYGATE_GRACE": f"{self.way.grace:g}",
            "DEPLOYGATE_TIMEOUT": f"{limit:g}",
            **action.told,
        }

    def _path(self, program: str) -> str:
        return str(self.folder / program) if "/" in program else program

    def _why(self, program: str, error: OSError | ValueError) -> str:
        """Say what is wrong with a program where the system's own words mislead."""
        number = error.errno if isinstance(error, OSError) else None
        if number == errno.ENOENT and Path(self._path(program)).is_file():
            return f"the interpreter that {program} names in its first line is not there (does that end in CR LF?)"
        if number == errno.ENOEXEC:
            return f"{program} has no first line that names its interpreter, such as #!/bin/sh"
        return str(error)
