"""Workflows, their runs and jobs, as JSON."""

from deploygate.fake_github.answers import Json
from deploygate.fake_github.shown import repositories
from deploygate.fake_github.shown.people import moment, user
from deploygate.fake_github.state.people import node
from deploygate.fake_github.state.workflows import Attempt, Run, Workflow


def workflow(one: Workflow) -> Json:
    """Return a workflow."""
    repo, when = one.repo, moment(one.created)
    return {
        "id": one.number,
        "node_id": node("Workflow", one.number),
        "name": one.name,
        "path": one.path,
        "state": one.state,
        "created_at": when,
        "updated_at": when,
        "url": f"{repo.api}/actions/workflows/{one.number}",
        "html_url": f"{repo.web}/blob/{repo.default_branch}/{one.path}",
        "badge_url": f"{repo.web}/workflows/{one.name}/badge.svg",
    }


def links(one: Run) -> tuple[str, str]:
    """Return where a run is in the API, and where people look at it."""
    repo = one.workflow.repo
    return f"{repo.api}/actions/runs/{one.number}", f"{repo.web}/actions/runs/{one.number}"


def run(one: Run, attempt: Attempt) -> Json:
    """Return an attempt of a run."""
    repo, (me, page) = one.workflow.repo, links(one)
    head = repo.objects.commits[one.sha]
    signed = {"name": head.author.name, "email": head.author.email}
    return {
        "id": one.number,
        "name": one.workflow.name,
        "node_id": node("WorkflowRun", one.number),
        "check_suite_id": one.number,
        "check_suite_node_id": node("CheckSuite", one.number),
        "head_branch": one.branch,
        "head_sha": one.sha,
        "path": one.workflow.path,
        "run_number": one.ordinal,
        "run_attempt": attempt.number,
        "referenced_workflows": [],
        "event": one.event,
        "status": attempt.status,
        "conclusion": attempt.conclusion,
        "workflow_id": one.workflow.number,
        "url": me,
        "html_url": page,
        "pull_requests": [],
        "created_at": moment(one.created),
        "updated_at": moment(attempt.updated),
        "actor": user(repo.site, one.actor),
        "triggering_actor": user(repo.site, one.actor),
        "run_started_at": moment(attempt.started),
        "jobs_url": f"{me}/jobs",
        "logs_url": f"{me}/logs",
        "check_suite_url": f"{repo.api}/check-suites/{one.number}",
        "artifacts_url": f"{me}/artifacts",
        "cancel_url": f"{me}/cancel",
        "rerun_url": f"{me}/rerun",
        "previous_attempt_url": f"{me}/attempts/{attempt.number - 1}" if attempt.number > 1 else None,
        "workflow_url": f"{repo.api}/actions/workflows/{one.workflow.number}",
        "head_commit": {
            "id": head.sha,
            "tree_id": head.tree,
            "message": head.message,
            "timestamp": moment(head.author.when),
            "author": signed,
            "committer": signed,
        },
        "repository": repositories.short(repo),
        "head_repository": repositories.short(repo),
        "display_title": one.title,
    }


def job(one: Run, attempt: Attempt) -> Json:
    """Return the one job that every run has here."""
    repo, (me, page) = one.workflow.repo, links(one)
    number = one.number * 10 + attempt.number
    ended = moment(attempt.updated) if attempt.status == "completed" else None
    return {
        "id": number,
        "run_id": one.number,
        "run_url": me,
        "run_attempt": attempt.number,
        "node_id": node("CheckRun", number),
        "head_sha": one.sha,
        "url": f"{repo.api}/actions/jobs/{number}",
        "html_url": f"{page}/job/{number}",
        "status": attempt.status,
        "conclusion": attempt.conclusion,
        "created_at": moment(attempt.started),
        "started_at": moment(attempt.started),
        "completed_at": ended,
        "name": one.workflow.name,
        "steps": [],
        "check_run_url": f"{repo.api}/check-runs/{number}",
        "labels": ["ubuntu-latest"],
        "runner_id": None,
        "runner_name": None,
        "runner_group_id": None,
        "runner_group_name": None,
        "workflow_name": one.workflow.name,
        "head_branch": one.branch,
    }
