"""Why the gate was called, and on what: the event, the commit that statuses belong to, the pull request."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Occasion:
    """One call of the gate by a workflow; texts are empty where there is none.

    `sha` is the commit that statuses belong to, which is not always the one that was checked out; `before` is the
    commit to compare with, empty or zeros where there is none. `ref` is as given: a deployment of a commit has none.
    With `fork` the run comes from somebody else's repository or from Dependabot, and its token can only read.
    """

    event: str
    repository: str
    sha: str
    ref: str
    default_branch: str
    before: str
    pull: int | None
    fork: bool
    run_id: str
    attempt: int
    workflow: str
    job: str
    actor: str
    server_url: str
    api_url: str

    @property
    def run_url(self) -> str:
        """Return the page of this attempt, or nothing where no workflow runs."""
        if not (self.repository and self.run_id):
            return ""
        return f"{self.server_url}/{self.repository}/actions/runs/{self.run_id}/attempts/{self.attempt}"
