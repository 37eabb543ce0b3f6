"""A stateful GitHub on loopback for tests, held to GitHub's own description of its API; see docs/fake-github.md."""

from deploygate.fake_github.desk import Received
from deploygate.fake_github.faults import Fault
from deploygate.fake_github.hub import FakeGitHub
from deploygate.fake_github.state.pulls import Pull
from deploygate.fake_github.state.repository import Repository
from deploygate.fake_github.state.workflows import Dispatch, Input, Run, Workflow

__all__ = ["Dispatch", "FakeGitHub", "Fault", "Input", "Pull", "Received", "Repository", "Run", "Workflow"]
