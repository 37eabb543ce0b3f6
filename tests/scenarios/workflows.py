"""What a user of the Action writes: three workflows, each of which calls the project's own."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from deploygate.fake_github import Input

from .expressions import Contexts, filled, said

PROJECT = Path(__file__).parents[2]
USES = "OWNER/deploygate/.github/workflows/{file}@v0"

CHECK = """\
name: check
on: pull_request
jobs:
  gate:
    permissions: {contents: read, deployments: read, pull-requests: write, statuses: write}
    uses: OWNER/deploygate/.github/workflows/check.yml@v0
"""
DEPLOY = """\
name: deploy
on: {push: {branches: [main]}}
jobs:
  gate:
    permissions: {actions: write, contents: read, deployments: write, pull-requests: write, statuses: write}
    uses: OWNER/deploygate/.github/workflows/deploy.yml@v0
    with:
      ssh_known_hosts: ${{ vars.KNOWN_HOSTS }}
      ssh_config: ${{ vars.SSH_CONFIG }}
    secrets:
      ssh_key: ${{ secrets.DEPLOY_KEY }}
"""
ROLLBACK = """\
name: rollback
run-name: rollback of ${{ inputs.service }} (${{ inputs.of_run || 'by hand' }})
on:
  workflow_dispatch:
    inputs:
      service: {description: "Which service?", type: string, required: true}
      environment: {description: "In which environment?", type: string}
      version: {description: "Back to which version?", type: string, default: previous}
      reason: {description: "Why?", type: string}
      of_run: {description: Filled in by a deploy that failed., type: string}
      raised: {description: Ticked by a deploy that failed., type: boolean, default: false}
jobs:
  gate:
    permissions: {actions: read, contents: read, deployments: write, pull-requests: write, statuses: write}
    uses: OWNER/deploygate/.github/workflows/rollback.yml@v0
    with:
      service: ${{ inputs.service }}
      environment: ${{ inputs.environment }}
      version: ${{ inputs.version }}
      reason: ${{ inputs.reason }}
      of_run: ${{ inputs.of_run }}
      raised: ${{ inputs.raised }}
      ssh_known_hosts: ${{ vars.KNOWN_HOSTS }}
      ssh_config: ${{ vars.SSH_CONFIG }}
    secrets:
      ssh_key: ${{ secrets.DEPLOY_KEY }}
"""
FILES = {"check.yml": CHECK, "deploy.yml": DEPLOY, "rollback.yml": ROLLBACK}
INPUTS = tuple(
    Input(name, required=about.get("required", False), default=said(about.get("default")))
    for name, about in yaml.safe_load(ROLLBACK)[True]["workflow_dispatch"]["inputs"].items()  # YAML 1.1: `on` is true
)


def title(inputs: Mapping[str, str]) -> str:
    """Return what a run of the rollback workflow is called."""
    return filled(yaml.safe_load(ROLLBACK)["run-name"], {"inputs": inputs})


def permissions(file: str) -> dict[str, str]:
    """Return what the token of the job may do that is the Action's, as the project's own workflow declares it."""
    job, _ = _gate(file)
    declared: dict[str, str] = job["permissions"]
    return declared


def given_inputs(file: str, contexts: Contexts) -> dict[str, str]:
    """Follow a workflow of the user's into the one that it calls, to what the step is given that is the Action.

    The contexts are those that the runner has: github, inputs, secrets and vars.
    """
    (caller,) = yaml.safe_load(FILES[file])["jobs"].values()
    assert caller["uses"] == USES.format(file=file)
    inputs = {
        name: said(about.get("default")) for name, about in _called(file)[True]["workflow_call"]["inputs"].items()
    }
    inputs |= {name: filled(value, contexts) for name, value in caller.get("with", {}).items()}
    secrets = {name: filled(value, contexts) for name, value in caller.get("secrets", {}).items()}
    _, step = _gate(file)
    return {
        name: filled(value, {**contexts, "inputs": inputs, "secrets": secrets}) for name, value in step["with"].items()
    }


def _called(file: str) -> dict[Any, Any]:
    called: dict[Any, Any] = yaml.safe_load((PROJECT / ".github/workflows" / file).read_text())
    return called


def _gate(file: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the one job of the project's workflow that is the Action's, and the step."""
    ((job, step),) = (
        (job, step)
        for job in _called(file)["jobs"].values()
        for step in job["steps"]
        if "/deploygate@" in step.get("uses", "")
    )
    return job, step


def action() -> dict[str, Any]:
    """Return the Action's own description."""
    whole: dict[str, Any] = yaml.safe_load((PROJECT / "action.yml").read_text())
    return whole


def defaults(contexts: Contexts) -> dict[str, str]:
    """Return what every input of the Action is where nobody says anything."""
    return {name: filled(about.get("default"), contexts) for name, about in action()["inputs"].items()}
