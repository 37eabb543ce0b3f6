"""The repository acme/shop at a fake GitHub: its inventory, its releases, its pull requests, and the jobs that run."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from deploygate.fake_github import Dispatch, FakeGitHub, Pull, Run

from .fleet import ShopFleet
from .runner import Job, Ran, Runner, Running
from .workflows import FILES, INPUTS, permissions, title

FULL_NAME = "acme/shop"


class Shop:
    """A shop whose fleet runs version 1.0; `ran` is what came of each job that a dispatch has started."""

    def __init__(self, hub: FakeGitHub, fleet: ShopFleet, runner: Runner) -> None:
        self.hub, self.fleet, self.runner = hub, fleet, runner
        self.repo = hub.repository(FULL_NAME)
        self.ran: list[Ran] = []
        self.went_wrong: list[BaseException] = []
        files = {f".github/workflows/{name}": text for name, text in FILES.items()}
        self.commit(files | fleet.release("1.0") | {"services.yml": fleet.inventory("1.0")}, "The shop opens")
        self.check = self.repo.workflow("check.yml", dispatchable=False)
        self.deploy = self.repo.workflow("deploy.yml", dispatchable=False)
        self.rollback = self.repo.workflow("rollback.yml", inputs=INPUTS, on_dispatch=self._dispatched, run_name=title)

    # What people do

    def commit(self, files: Mapping[str, str | None], message: str, branch: str = "") -> str:
        return self.repo.commit(files, message, branch=branch, by="nathan")

    def propose(self, files: Mapping[str, str | None], title: str) -> Pull:
        """Open a pull request."""
        branch = title.lower().replace(" ", "-")
        self.commit(files, title, branch)
        return self.repo.pull(branch, title=title, by="nathan")

    def wish(self, version: str, **behaviour: Any) -> Pull:
        """Open a pull request that wants another version, of which the release behaves as is said."""
        files = {"services.yml": self.fleet.inventory(version)} | self.fleet.release(version, **behaviour)
        return self.propose(files, f"Svc {version}")

    # The jobs that come of it

    def checked(self, pull: Pull) -> Job:
        """Return the job that checks a pull request, on the commit of its merge, as GitHub makes it for the test."""
        about = {"action": "opened", "number": pull.number, "pull_request": self._shown(pull)}
        return self._job(
            self._run(self.check.file, "pull_request"), about, self._tried(pull), f"refs/pull/{pull.number}/merge"
        )

    def merged(self, pull: Pull) -> Job:
        """Merge a pull request, and return the job that deploys it."""
        before = self.repo.sha()
        after = self.repo.merge(pull.number, by="cory")
        about = {
            "before": before,
            "after": after,
            "ref": "refs/heads/main",
            "head_commit": {"id": after},
            "commits": [{"id": after, "message": f"Merge pull request #{pull.number}"}],
        }
        return self._job(self._run(self.deploy.file, "push"), about, after, "refs/heads/main")

    def by_hand(self, **inputs: str) -> Job:
        """Return the job of a rollback that somebody has started from the Actions tab."""
        run = self.repo.begin(self.rollback, "workflow_dispatch", "main", self.repo.site.user("dana"), inputs)
        return self._of_dispatch(run)

    def again(self, job: Job) -> Job:
        """Return the same job once more, as somebody re-runs it."""
        job.run.attempt()
        return replace(job, attempt=job.run.latest.number)

    def run(self, job: Job) -> Ran:
        """Run a job to its end."""
        return self.over(job, self.begin(job))

    def begin(self, job: Job) -> Running:
        job.run.start()
        return self.runner.begin(job)

    def over(self, job: Job, running: Running) -> Ran:
        """Wait for the end of a job, and let GitHub know of it."""
        ran = running.ran()
        job.run.complete("success" if ran.green else "failure")
        assert self.went_wrong == []
        return ran

    # What is to be seen at GitHub

    def statuses(self, sha: str) -> dict[str, str]:
        """Return the state of every context of a commit."""
        return {one.context: one.state for one in self.repo.latest_statuses(sha)}

    def deployments(self) -> list[tuple[str, str, str]]:
        """Return environment, commit and state of each deployment, the oldest first."""
        return [(one.environment, one.sha, one.state) for one in self.repo.deployments.values()]

    def comment(self, pull: Pull) -> str:
        """Return the one comment of the gate on a pull request."""
        (made,) = self.repo.pulls[pull.number].comments
        return made.body

    def calls(self, method: str, ending: str) -> int:
        """Return how often a kind of request came."""
        return sum(1 for one in self.hub.requests if one.method == method and one.path.endswith(ending))

    def _dispatched(self, dispatch: Dispatch) -> None:
        """Be the runner that takes a dispatched job; called in a thread of its own."""
        try:
            self.ran.append(self.run(self._of_dispatch(dispatch.run)))
        except BaseException as error:  # a thread tells nobody: the test has to
            self.went_wrong.append(error)
            dispatch.run.complete("failure")
            raise

    def _of_dispatch(self, run: Run) -> Job:
        about = {"inputs": dict(run.inputs), "ref": f"refs/heads/{run.branch}", "workflow": run.workflow.path}
        inputs = {one.name: one.default for one in INPUTS} | dict(run.inputs)
        return self._job(run, about, run.sha, f"refs/heads/{run.branch}", inputs)

    def _run(self, file: str, event: str) -> Run:
        (workflow,) = (one for one in self.repo.workflows.values() if one.file == file)
        return self.repo.run(workflow, event=event, by="nathan")

    def _job(
        self, run: Run, about: Mapping[str, Any], sha: str, ref: str, inputs: Mapping[str, str] | None = None
    ) -> Job:
        shared = {
            "repository": {
                "full_name": FULL_NAME,
                "default_branch": self.repo.default_branch,
                "html_url": self.repo.web,
            },
            "sender": {"login": run.actor.login},
        }
        may = permissions(run.workflow.file)
        return Job(run, run.event, {**about, **shared}, sha, ref, may, dict(inputs or {}))

    def _tried(self, pull: Pull) -> str:
        """Return the commit that a merge would make: no branch has it, and no status belongs to it."""
        base, who = self.repo.sha(pull.base), self.repo.signature(self.repo.site.user("web-flow"))
        tree = self.repo.objects.add_files(self.repo.merged_files(base, pull.head_sha))
        says = f"Merge {pull.head_sha} into {base}"
        return self.repo.objects.add_commit(tree, (base, pull.head_sha), says, who, who).sha

    def _shown(self, pull: Pull) -> dict[str, Any]:
        repo = {"full_name": FULL_NAME, "default_branch": self.repo.default_branch}
        return {
            "number": pull.number,
            "state": pull.state,
            "draft": pull.draft,
            "title": pull.title,
            "html_url": f"{self.repo.web}/pull/{pull.number}",
            "user": {"login": pull.user.login},
            "head": {"ref": pull.head, "sha": pull.head_sha, "repo": repo},
            "base": {"ref": pull.base, "sha": pull.base_sha, "repo": repo},
        }
