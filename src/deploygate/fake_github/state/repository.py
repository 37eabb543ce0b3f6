"""A repository: branches, pull requests, statuses, deployments, workflows; tests fill it with the methods here."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from itertools import count

from deploygate.fake_github.state.deployments import Deployment, Environment, Status
from deploygate.fake_github.state.objects import FILE, Entry, Objects, Signature
from deploygate.fake_github.state.people import ACTIONS, User
from deploygate.fake_github.state.pulls import Comment, Pull, Review
from deploygate.fake_github.state.site import Site
from deploygate.fake_github.state.workflows import Dispatch, Input, Run, Workflow

BRANCH = "refs/heads/"


class Repository:
    """A repository by its full name; a fork shares the objects of its parent."""

    def __init__(self, site: Site, full_name: str, *, private: bool, default_branch: str) -> None:
        self.site, self.full_name, self.private, self.default_branch = site, full_name, private, default_branch
        self.owner, _, self.name = full_name.partition("/")
        self.number = site.number()
        self.created = site.now()
        self.parent: Repository | None = None
        self.objects = Objects()
        self.refs: dict[str, str] = {}
        self.pulls: dict[int, Pull] = {}
        self.statuses: list[Status] = []
        self.deployments: dict[int, Deployment] = {}
        self.environments: dict[str, Environment] = {}
        self.workflows: dict[int, Workflow] = {}
        self.runs: dict[int, Run] = {}
        self.actions_may_open_pulls = True
        self._issue_numbers = count(1)

    @property
    def api(self) -> str:
        """Where its API is."""
        return f"{self.site.api}/repos/{self.full_name}"

    @property
    def web(self) -> str:
        """Where people look at it."""
        return f"{self.site.web}/{self.full_name}"

    def sha(self, ref: str = "") -> str:
        """Return the commit that a branch, a tag, a ref or a name of a commit means; "" where there is none."""
        name = ref or self.default_branch
        for one in (f"{BRANCH}{name}", f"refs/tags/{name}", f"refs/{name}", name):
            if one in self.refs:
                return self.refs[one]
        return name if name in self.objects.commits else ""

    def text(self, path: str, ref: str = "") -> str | None:
        """Return what a file says at a ref; None where there is no such file."""
        sha = self.sha(ref)
        entry = self.objects.files(self.objects.commits[sha].tree).get(path) if sha else None
        return None if entry is None else self.objects.blobs[entry.sha].decode()

    def commit(
        self, files: Mapping[str, str | bytes | None], message: str, *, branch: str = "", by: str = "octocat"
    ) -> str:
        """Commit files onto a branch, which is made where there is none; a text of None removes a file.

        Returns:
            The commit.
        """
        name = branch or self.default_branch
        with self.site.changed:
            parent = self.sha(name) or self.sha()
            have = self.objects.files(self.objects.commits[parent].tree) if parent else {}
            for path, text in files.items():
                have.pop(path, None)
                if text is not None:
                    blob = self.objects.add_blob(text.encode() if isinstance(text, str) else text)
                    have[path] = Entry(FILE, blob)
            tree = self.objects.add_files(have)
            return self.record(tree, (parent,) if parent else (), message, self.site.user(by), name)

    def record(self, tree: str, parents: tuple[str, ...], message: str, by: User, branch: str) -> str:
        """Make a commit of a tree, put a branch on it, and return it."""
        who = self.signature(by)
        sha = self.objects.add_commit(tree, parents, message, who, who).sha
        self.point(f"{BRANCH}{branch}", sha)
        return sha

    def signature(self, by: User) -> Signature:
        """Return how somebody signs a commit now."""
        return Signature(by.login, f"{by.login.replace('[bot]', '')}@users.noreply.example", self.site.now())

    def branch(self, name: str, sha: str = "") -> str:
        """Put a branch on a commit, or on the newest of the default branch; return the commit."""
        with self.site.changed:
            at = sha or self.sha()
            self.point(f"{BRANCH}{name}", at)
        return at

    def point(self, ref: str, sha: str) -> None:
        """Let a ref mean a commit, which open pull requests follow."""
        self.refs[ref] = sha
        for repo in (self, self.parent):
            for pull in repo.pulls.values() if repo else ():
                pull.follow()

    def fork(self, owner: str) -> "Repository":
        """Return a fork that somebody has made, with all its branches; the hub does not serve it."""
        made = Repository(self.site, f"{owner}/{self.name}", private=self.private, default_branch=self.default_branch)
        made.parent, made.objects, made.refs = self, self.objects, dict(self.refs)
        return made

    def pull(
        self,
        head: str,
        *,
        base: str = "",
        title: str = "",
        body: str | None = None,
        fork: "Repository | None" = None,
        by: str = "octocat",
    ) -> Pull:
        """Open a pull request from a branch of this repository or of a fork."""
        with self.site.changed:
            source, onto, now = fork or self, base or self.default_branch, self.site.now()
            number, identity = next(self._issue_numbers), self.site.number()
            user = self.site.user(by)
            shas = source.sha(head), self.sha(onto)
            made = Pull(identity, number, self, onto, source, head, title or head, body, user, now, now, *shas)
            self.pulls[number] = made
            return made

    def merge(self, number: int, *, by: str = "octocat", message: str = "") -> str:
        """Merge a pull request, and return the commit that has it on the base branch."""
        with self.site.changed:
            pull, who = self.pulls[number], self.site.user(by)
            tree = self.objects.add_files(self.merged_files(self.sha(pull.base), pull.head_sha))
            says = message or f"Merge pull request #{number} from {pull.head}\n\n{pull.title}"
            pull.merge_sha = self.record(tree, (self.sha(pull.base), pull.head_sha), says, who, pull.base)
            pull.state, pull.merged, pull.merged_by = "closed", self.site.now(), who
            pull.closed = pull.updated = pull.merged
            return pull.merge_sha

    def merged_files(self, into: str, other: str) -> dict[str, Entry]:
        """Return the files of two commits put together.

        Raises:
            ValueError: Both have changed the same file, and not in the same way.
        """
        base = self.objects.merge_base(into, other)
        files = self.objects.files(self.objects.commits[into].tree)
        theirs = self.objects.files(self.objects.commits[other].tree)
        ours = {change.path: change.after for change in self.objects.changes(base, into)}
        for change in self.objects.changes(base, other):
            if change.path in ours and ours[change.path] != change.after:
                raise ValueError(change.path)
            files.pop(change.path, None)
            if change.path in theirs:
                files[change.path] = theirs[change.path]
        return files

    def comment(self, number: int, body: str, *, by: str = "octocat") -> Comment:
        """Say something on a pull request."""
        with self.site.changed:
            pull, now = self.pulls[number], self.site.now()
            made = Comment(self.site.number(), pull, self.site.user(by), body, now, now)
            pull.comments.append(made)
            return made

    def review(self, number: int, *, by: str, state: str = "APPROVED", body: str = "") -> Review:
        """Review a pull request."""
        with self.site.changed:
            pull = self.pulls[number]
            made = Review(self.site.number(), self.site.user(by), state, body, pull.head_sha, self.site.now())
            pull.reviews.append(made)
            return made

    def dismiss(self, number: int, review: Review) -> Review:
        """Dismiss a review, which stays where it is among the others."""
        with self.site.changed:
            reviews = self.pulls[number].reviews
            made = replace(review, state="DISMISSED")
            reviews[reviews.index(review)] = made
            return made

    def status(self, sha: str, context: str, state: str, *, says: str | None = None, by: str = ACTIONS) -> Status:
        """Say something of a commit."""
        with self.site.changed:
            user, now = self.site.user(by), self.site.now()
            made = Status(self.site.number(), sha, state, context, says, None, user, now)
            self.statuses.append(made)
            return made

    def latest_statuses(self, sha: str) -> list[Status]:
        """Return what was last said of a commit in each context, the newest first; capitals make no difference."""
        latest = {one.context.lower(): one for one in self.statuses if one.sha == sha}
        return sorted(latest.values(), key=lambda one: -one.number)

    def environment(self, name: str) -> Environment:
        """Return an environment, which is made where there is none."""
        if name not in self.environments:
            self.environments[name] = Environment(self.site.number(), name, self.site.now())
        return self.environments[name]

    def workflow(
        self,
        file: str,
        *,
        inputs: Iterable[str | Input] = (),
        on_dispatch: Callable[[Dispatch], None] | None = None,
        dispatchable: bool = True,
        late: int = 0,
        run_name: Callable[[Mapping[str, str]], str] | None = None,
    ) -> Workflow:
        """Register a workflow's file; `on_dispatch` may start and complete the run, as a runner would."""
        with self.site.changed:
            known = tuple(Input(one) if isinstance(one, str) else one for one in inputs)
            name = file.rpartition(".")[0]
            made = Workflow(
                self.site.number(), self, file, name, known, dispatchable, on_dispatch, late, self.site.now(), run_name
            )
            self.workflows[made.number] = made
            return made

    def run(self, workflow: Workflow, *, event: str = "push", ref: str = "", by: str = "octocat") -> Run:
        """Make a run of a workflow that something else than a dispatch has started."""
        return self.begin(workflow, event, ref or self.default_branch, self.site.user(by), {})

    def begin(self, workflow: Workflow, event: str, ref: str, by: User, inputs: Mapping[str, str]) -> Run:
        """Make a run of a workflow."""
        with self.site.changed:
            ordinal = sum(1 for one in self.runs.values() if one.workflow is workflow) + 1
            made = Run(
                self.site.number(), ordinal, workflow, event, ref.removeprefix(BRANCH), self.sha(ref), by,
                dict(inputs), self.site.now(), workflow.run_name(inputs) if workflow.run_name else workflow.name,
                workflow.late,
            )  # fmt: skip
            made.attempt()
            self.runs[made.number] = made
            return made
