"""Where there is no GitHub: statuses, the comment and the summary are files, and a rollback is a process of its own."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import msgspec

from deploygate.adapters.files import write_whole
from deploygate.endings import Ending
from deploygate.names import RunId, ServiceName

_POLL = 0.05
_LEAVE = 15.0  # seconds that a rollback over its budget gets to stop by itself


class _Result(msgspec.Struct):
    ending: Ending
    says: str
    run: RunId = RunId("")  # a rollback that could not even begin has none


class LocalForge:
    """A `Forge` under a folder. `options` are what a raised rollback needs to find the same inventory and state.

    `environment` is what it needs besides and nobody may read among a process's words.
    """

    def __init__(
        self,
        folder: Path,
        options: Sequence[str],
        stopped: Callable[[], str],
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._folder = folder
        self._options = tuple(options)
        self._stopped = stopped
        self._environment = dict(environment or {})

    def status(self, context: str, state: str, says: str) -> None:
        """Write `status/<context>.json`."""
        content = msgspec.json.encode({"context": context, "state": state, "description": says})
        write_whole(self._folder / "status" / f"{_file_name(context)}.json", content + b"\n")

    def comment(self, key: str, markdown: str) -> None:
        """Write `comment-<key>.md`, over the earlier one."""
        write_whole(self._folder / f"comment-{_file_name(key)}.md", markdown.encode())

    def summary(self, markdown: str) -> None:
        """Write `summary.md`."""
        write_whole(self._folder / "summary.md", markdown.encode())

    def raise_rollback(self, service: ServiceName, of_run: RunId, budget: float) -> tuple[RunId, Ending | None, str]:
        """Start `deploygate rollback` in a session of its own, and follow it; it goes on when this process dies."""
        result = self._folder / "raised" / f"{of_run}.json"
        result.parent.mkdir(parents=True, exist_ok=True)
        words = [
            sys.executable, "-m", "deploygate", "rollback", service,
            "--of-run", of_run, "--raised", "--format", "json", "--progress", "plain", *self._options,
        ]  # fmt: skip
        with result.open("wb") as out:
            told = os.environ | self._environment
            child = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=out, env=told, start_new_session=True)
        end = time.monotonic() + budget
        while child.poll() is None:
            if self._stopped():
                return RunId(""), None, f"the raised rollback goes on by itself (pid {child.pid})"
            if time.monotonic() > end:
                return RunId(""), None, self._leave(child, budget)
            time.sleep(_POLL)
        try:
            ended = msgspec.json.decode(result.read_bytes(), type=_Result)
        except (OSError, ValueError):
            return RunId(""), None, f"the raised rollback ended with {child.returncode} and said nothing"
        return ended.run, ended.ending, ended.says

    def _leave(self, child: "subprocess.Popen[bytes]", budget: float) -> str:
        child.terminate()
        try:
            child.wait(_LEAVE)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
        return f"the raised rollback did not end within {budget:.0f} s and was stopped"


def _file_name(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "-", text)
