"""The `workflow` driver: a workflow of the user's changes one instance; see docs/workflow-driver.md."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import count

import msgspec

from deploygate.adapters.github.client import Hub
from deploygate.adapters.github.dispatching import Call, Dispatched, dispatch
from deploygate.adapters.github.following import ORDINARY, Followed, Following, Limits, Outcome, Pace, follow
from deploygate.adapters.github.trouble import Absent, GitHubTrouble
from deploygate.errors import GateError
from deploygate.events import Change, Start, Trouble
from deploygate.inventory import Instance, Service
from deploygate.names import InstanceName, RunId, Secret, Version
from deploygate.ports import Clock, Lease, Process
from deploygate.ways import GIVEN, Workflow
from deploygate.wording import plain, quoted


class _Shown(msgspec.Struct, frozen=True):
    path: str
    state: str


@dataclass(frozen=True, slots=True)
class _Begun:
    """A change whose workflow has begun to run."""

    change: Change
    run: Dispatched


class WorkflowDriver:
    """`Hosts` for services whose instances are changed by a workflow, one run of it for each change.

    GitHub is asked by `hub` when it is needed first: who only looks needs no token.
    """

    def __init__(self, hub: Callable[[], Hub], run: RunId, clock: Clock, pace: Pace = ORDINARY) -> None:
        self._open = hub
        self._opened: Hub | None = None
        self._run = run
        self._clock = clock
        self._pace = pace
        self._numbers = count(1)

    def claim(self, *_: object) -> tuple[Lease, ...]:
        """Find nobody: there is no lease, and a workflow that wants to fence is told the run."""
        return ()

    def leave(self, *_: object) -> None:
        """Do nothing, as there is no lease."""

    def lost(self, *_: object) -> str:
        """Find nobody, as there is no lease."""
        return ""

    def stage(self, _service: Service, _releases: Sequence[Start]) -> tuple[Trouble, ...]:
        """Do nothing: the workflow brings its release along."""
        return ()

    def prove(self, service: Service, releases: Sequence[Start], *, unchanged: bool) -> tuple[Trouble, ...]:  # noqa: ARG002 - nothing is staged that could have changed
        """Show that the workflow could be dispatched: it is there, it is active, and its file takes the inputs."""
        why = self._doubt(_way(service)) if releases else ""
        return tuple(Trouble(name, why) for name in dict.fromkeys(one.instance for one in releases) if why)

    def switch(self, service: Service, changes: Sequence[Change], run: RunId) -> tuple[Trouble, ...]:
        """Dispatch a run for each change, and follow them all to their ends; only a success is done."""
        way = _way(service)
        said: dict[InstanceName, str] = {}
        begun: list[_Begun] = []
        for change in changes:
            try:
                begun.append(_Begun(change, dispatch(self._hub, self._call(way, service, change, run), self._clock)))
            except (GitHubTrouble, GateError) as trouble:
                said[change.instance] = str(trouble)
        limits = Limits(min(way.begin, way.timeout), way.timeout)
        these = [Following(self._hub, one.run, limits, self._clock) for one in begun]
        for one, followed in zip(begun, follow(these, self._clock, self._pace), strict=True):
            said[one.change.instance] = _wrong(way, followed)
        return tuple(Trouble(one.instance, plain(why, 300)) for one in changes if (why := said[one.instance]))

    def process(self, service: Service, instance: Instance, *, answered: bool) -> Process:  # noqa: ARG002 - nothing is known of any
        """Say nothing, as nothing is known: the service names its own process."""
        return Process()

    def prune(
        self, _service: Service, _instances: Sequence[InstanceName], _protect: Sequence[Version]
    ) -> tuple[Version, ...]:
        """Remove nothing."""
        return ()

    def close(self) -> None:
        """Close the connection, where there is one."""
        if self._opened is not None:
            self._opened.close()

    @property
    def _hub(self) -> Hub:
        if self._opened is None:
            self._opened = self._open()
        return self._opened

    def _call(self, way: Workflow, service: Service, change: Change, run: RunId) -> Call:
        """Return what the workflow is told; `run` is of this change only, so that its run can be found by it.

        Raises:
            GateError: There is no such instance.
        """
        environment = next((one.environment for one in service.instances if one.name == change.instance), None)
        if environment is None:
            raise GateError(f"{service.name} has no instance {change.instance}")
        unique = f"{run}.{change.instance}.{next(self._numbers)}"
        given: dict[str, str] = {
            "service": service.name,
            "environment": environment,
            "instance": change.instance,
            "version": change.start or "",
            "from_version": change.stop or "",
            "keep": "true" if change.keep else "false",
            "run": unique,
        }
        return Call(way.file, way.ref, {**way.inputs, **given}, unique)

    def _doubt(self, way: Workflow) -> str:
        """Say why the workflow could not be dispatched, as far as that can be told, or nothing."""
        try:
            shown = self._shown(way)
            if shown.state != "active":
                return f"the workflow {way.file} is not active: {quoted(shown.state)}"
            text = self._text(way, shown.path)
        except GateError as error:
            return str(error)
        except GitHubTrouble as trouble:
            return plain(f"the workflow {way.file} can't be dispatched: {trouble.says}", 300)
        if text is None:
            return ""
        if not _has(text, "workflow_dispatch"):
            return f"the workflow {way.file} has no workflow_dispatch on {way.ref}, so it can't be dispatched"
        missing = [
            name for name in (*GIVEN, *way.inputs) if not re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", text)
        ]
        return (
            f"the workflow {way.file} does not take these inputs on {way.ref}: {', '.join(missing)}" if missing else ""
        )

    def _shown(self, way: Workflow) -> _Shown:
        repo = self._hub.repo
        with self._hub.asking("actions: read", f"GET /repos/{self._hub.repository}/actions/workflows/{way.file}"):
            _, answer = repo.requester.requestJsonAndCheck("GET", f"{repo.url}/actions/workflows/{way.file}")
        try:
            return msgspec.convert(answer, type=_Shown)
        except msgspec.ValidationError as error:
            raise GitHubTrouble("GitHub's answer on the workflow can't be understood") from error

    def _text(self, way: Workflow, path: str) -> str | None:
        """Return what the workflow's file says on its branch; None where this token may not read it.

        Raises:
            GitHubTrouble: It is not there.
        """
        hub = self._hub
        try:
            with hub.asking("contents: read", f"GET /repos/{hub.repository}/contents/{path}?ref={way.ref}"):
                file = hub.repo.get_contents(path, way.ref)
                return None if isinstance(file, list) else file.decoded_content.decode(errors="replace")
        except Absent as absent:
            raise GitHubTrouble(f"there is no {path} on {way.ref}") from absent
        except GitHubTrouble:
            return None


def workflow_driver(environ: Mapping[str, str], run: RunId, clock: Clock) -> WorkflowDriver:
    """Return a driver that dispatches in the repository that the environment names, with its token."""

    def opened() -> Hub:
        token, repository = environ.get("GITHUB_TOKEN", ""), environ.get("GITHUB_REPOSITORY", "")
        if not (token and repository):
            raise GateError(
                "a workflow deploys this service, and GITHUB_TOKEN or GITHUB_REPOSITORY is not set",
                help="Run it in a workflow, or set both; the token needs actions: write.",
            )
        api = environ.get("GITHUB_API_URL", "") or "https://api.github.com"
        try:
            return Hub(api.rstrip("/"), Secret(token), repository, stopped=clock.stopped)
        except GitHubTrouble as trouble:
            raise GateError(trouble.says, help=trouble.help) from trouble

    return WorkflowDriver(opened, run, clock)


def _has(text: str, word: str) -> bool:
    return re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", text) is not None


def _wrong(way: Workflow, followed: Followed) -> str:
    """Say what was wrong with a run, or nothing."""
    if followed.outcome is Outcome.ENDED and followed.conclusion == "success":
        return ""
    where = f" ({followed.url})" if followed.url else ""
    return f"the workflow {way.file}: {followed.says}{where}"


def _way(service: Service) -> Workflow:
    if not isinstance(service.deploy, Workflow):
        raise TypeError(f"{type(service.deploy).__name__} is not deployed by a workflow")
    return service.deploy
