"""Deployments, their statuses and environments, as JSON."""

from deploygate.fake_github.answers import Json
from deploygate.fake_github.shown.people import moment, user
from deploygate.fake_github.state.deployments import Deployment, DeploymentStatus, Environment
from deploygate.fake_github.state.people import node
from deploygate.fake_github.state.repository import Repository


def deployment(repo: Repository, one: Deployment) -> Json:
    """Return a deployment."""
    me = f"{repo.api}/deployments/{one.number}"
    return {
        "url": me,
        "id": one.number,
        "node_id": node("Deployment", one.number),
        "sha": one.sha,
        "ref": one.ref,
        "task": one.task,
        "payload": one.payload,
        "original_environment": one.original_environment,
        "environment": one.environment,
        "description": one.description,
        "creator": user(repo.site, one.user),
        "created_at": moment(one.created),
        "updated_at": moment(one.updated),
        "statuses_url": f"{me}/statuses",
        "repository_url": repo.api,
        "transient_environment": one.transient,
        "production_environment": one.production,
        "performed_via_github_app": None,
    }


def status(repo: Repository, of: Deployment, one: DeploymentStatus) -> Json:
    """Return what was said of a deployment."""
    when, parent = moment(one.when), f"{repo.api}/deployments/{of.number}"
    return {
        "url": f"{parent}/statuses/{one.number}",
        "id": one.number,
        "node_id": node("DeploymentStatus", one.number),
        "state": one.state,
        "creator": user(repo.site, one.user),
        "description": one.description,
        "environment": one.environment,
        "target_url": one.log_url,
        "created_at": when,
        "updated_at": when,
        "deployment_url": parent,
        "repository_url": repo.api,
        "environment_url": one.environment_url,
        "log_url": one.log_url,
        "performed_via_github_app": None,
    }


def environment(repo: Repository, one: Environment) -> Json:
    """Return an environment; nothing protects it."""
    when = moment(one.when)
    return {
        "id": one.number,
        "node_id": node("Environment", one.number),
        "name": one.name,
        "url": f"{repo.api}/environments/{one.name}",
        "html_url": f"{repo.web}/deployments/activity_log?environments_filter={one.name}",
        "created_at": when,
        "updated_at": when,
        "protection_rules": [],
        "deployment_branch_policy": None,
    }
