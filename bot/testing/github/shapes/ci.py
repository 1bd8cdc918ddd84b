"""Suites, jobs and statuses of CI."""

import re
from collections.abc import Sequence

from bot.testing.github.ci import CheckSuite, CommitStatus, WorkflowJob
from bot.testing.github.repository import Repository
from bot.testing.github.shapes import repos
from bot.testing.github.shapes.common import Shape, app, node_id
from bot.testing.github.shapes.issues import minimal_pull
from bot.testing.github.world import stamp


def check_suite(repo: Repository, one: CheckSuite) -> Shape:
    """https://docs.github.com/en/rest/checks/suites#get-a-check-suite"""
    url = f"{repos.api(repo)}/check-suites/{one.id}"
    return {**in_payload(repo, one), "url": url, "repository": repos.repository(repo)}


def in_payload(repo: Repository, one: CheckSuite) -> Shape:
    url = f"{repos.api(repo)}/check-suites/{one.id}"
    commit = repo.git.commit(one.head_sha)
    pulls = [pull for pull in repo.pulls if pull.head_ref == one.branch and not pull.from_fork]
    who = {"name": commit.name, "email": re.sub(r"[^\w.+@-]", "", commit.email)}
    return {
        "id": one.id,
        "node_id": node_id("CS", one.id),
        "head_branch": one.branch,
        "head_sha": one.head_sha,
        "status": one.status,
        "conclusion": one.conclusion,
        "url": url,
        "before": (commit.parents or ("0" * 40,))[0],
        "after": one.head_sha,
        "pull_requests": [minimal_pull(repo, pull) for pull in pulls if one.branch],
        "app": app(repo.world, one.app),
        "created_at": stamp(one.started_at),
        "updated_at": stamp(one.started_at),
        "rerequestable": True,
        "runs_rerequestable": True,
        "latest_check_runs_count": len(one.runs),
        "check_runs_url": f"{url}/check-runs",
        "head_commit": {
            "id": commit.sha,
            "tree_id": commit.tree,
            "message": commit.message,
            "timestamp": stamp(commit.at),
            "author": who,
            "committer": who,
        },
    }


def job(repo: Repository, one: WorkflowJob) -> Shape:
    """https://docs.github.com/en/rest/actions/workflow-jobs#get-a-job-for-a-workflow-run"""
    run, api = one.run, repos.api(repo)
    good = run.conclusion == "success"
    steps = [("Set up job", "success"), (one.step, "success" if good else run.conclusion)]
    return {
        "id": run.id,
        "run_id": run.suite,
        "workflow_name": one.workflow,
        "head_branch": "main",
        "run_url": f"{api}/actions/runs/{run.suite}",
        "run_attempt": 1,
        "node_id": node_id("CR", run.id),
        "head_sha": run.head_sha,
        "url": f"{api}/actions/jobs/{run.id}",
        "html_url": run.details_url,
        "status": run.status,
        "conclusion": run.conclusion,
        "created_at": stamp(run.started_at),
        "started_at": stamp(run.started_at),
        "completed_at": stamp(run.completed_at) if run.completed_at else None,
        "name": run.name,
        "steps": [
            {
                "name": name,
                "status": "completed",
                "conclusion": conclusion,
                "number": number,
                "started_at": stamp(run.started_at),
                "completed_at": stamp(run.started_at),
            }
            for number, (name, conclusion) in enumerate(steps, 1)
        ],
        "check_run_url": f"{api}/check-runs/{run.id}",
        "labels": ["ubuntu-latest"],
        "runner_id": 1,
        "runner_name": "GitHub Actions 1",
        "runner_group_id": 0,
        "runner_group_name": "GitHub Actions",
    }


def combined_status(repo: Repository, sha: str, told: Sequence[CommitStatus]) -> Shape:
    api = repos.api(repo)
    states = {one.state for one in told}
    bad, done = states & {"failure", "error"}, bool(states) and states == {"success"}
    return {
        "state": "failure" if bad else "success" if done else "pending",
        "statuses": [
            {
                "url": f"{api}/statuses/{sha}",
                "avatar_url": None,
                "id": one.id,
                "node_id": node_id("SC", one.id),
                "state": one.state,
                "description": one.description,
                "target_url": None,
                "context": one.context,
                "created_at": stamp(one.at),
                "updated_at": stamp(one.at),
            }
            for one in told
        ],
        "sha": sha,
        "total_count": len(told),
        "repository": repos.repository(repo),
        "commit_url": f"{api}/commits/{sha}",
        "url": f"{api}/commits/{sha}/status",
    }
