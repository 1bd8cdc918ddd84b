"""Issues, their comments, and check runs."""

from typing import Any

from bot.testing.github.issues import CheckRun, Issue, IssueComment
from bot.testing.github.milestones import RepositoryMilestone
from bot.testing.github.pulls import PullRequest
from bot.testing.github.repository import Repository
from bot.testing.github.shapes import repos
from bot.testing.github.shapes.common import Shape, app, label, node_id, reactions, user
from bot.testing.github.world import App, IssueType, User, World, stamp


def _via(world: World, one: App | None) -> Shape | None:
    return app(world, one) if one else None


def by(world: World, who: User) -> Shape | None:
    """Who wrote something; null once the account is deleted."""
    return None if who.deleted else user(world, who)


def issue_type(one: IssueType) -> Shape:
    """https://docs.github.com/en/rest/orgs/issue-types"""
    return {
        "id": one.id,
        "node_id": node_id("IT", one.id),
        "name": one.name,
        "description": one.description,
        "color": one.color,
        "created_at": stamp(one.created_at),
        "updated_at": stamp(one.created_at),
        "is_enabled": one.enabled,
    }


def milestone(repo: Repository, one: RepositoryMilestone) -> Shape:
    """https://docs.github.com/en/rest/issues/milestones"""
    url = f"{repos.api(repo)}/milestones/{one.number}"
    states = [each.state for each in repo.shown if each.milestone is one]
    return {
        "url": url,
        "html_url": f"{repos.html(repo)}/milestone/{one.number}",
        "labels_url": f"{url}/labels",
        "id": one.id,
        "node_id": node_id("MI", one.id),
        "number": one.number,
        "title": one.title,
        "description": one.description,
        "creator": by(repo.world, one.creator),
        "open_issues": states.count("open"),
        "closed_issues": states.count("closed"),
        "state": one.state,
        "created_at": stamp(one.created_at),
        "updated_at": stamp(one.closed_at or one.created_at),
        "due_on": stamp(one.due_on) if one.due_on else None,
        "closed_at": stamp(one.closed_at) if one.closed_at else None,
    }


def chosen(repo: Repository, one: Issue) -> Shape:
    """What people choose for an issue or a pull request."""
    assigned = [user(repo.world, who) for who in one.assignees]
    return {
        "locked": one.locked,
        "active_lock_reason": one.lock_reason,
        "assignee": assigned[0] if assigned else None,
        "assignees": assigned,
        "milestone": milestone(repo, one.milestone) if one.milestone else None,
    }


def page(repo: Repository, issue: Issue) -> str:
    return f"{repos.html(repo)}/{'pull' if isinstance(issue, PullRequest) else 'issues'}/{issue.number}"


def issue(repo: Repository, one: Issue) -> Shape:
    """https://docs.github.com/en/rest/issues/issues#get-an-issue"""
    world, api = repo.world, repos.api(repo)
    url = f"{api}/issues/{one.number}"
    shape: Shape = {
        "url": url,
        "repository_url": api,
        "labels_url": f"{url}/labels{{/name}}",
        "comments_url": f"{url}/comments",
        "events_url": f"{url}/events",
        "timeline_url": f"{url}/timeline",
        "html_url": page(repo, one),
        "id": one.id,
        "node_id": node_id("I", one.id),
        "number": one.number,
        "title": one.title,
        "user": by(world, one.author),
        "labels": [label(api, each) for each in one.labels],
        "state": one.state,
        "state_reason": one.closing.reason if one.event == "issues" else None,
        **chosen(repo, one),
        "comments": len(one.comments),
        "created_at": stamp(one.created_at),
        "updated_at": stamp(one.updated_at),
        "closed_at": stamp(one.closing.at) if one.closing.at else None,
        "closed_by": user(world, one.closing.by) if one.closing.by else None,
        "author_association": repo.association(one.author),
        "body": one.body or None,
        "reactions": reactions(f"{url}/reactions", one.reactions),
        "performed_via_github_app": _via(world, one.via),
    }
    if one.event == "issues":
        shape["issue_dependencies_summary"] = _dependencies(one)
        shape["sub_issues_summary"] = _parts(one)
        shape["type"] = issue_type(one.type) if one.type else None
        if one.parent is not None:
            shape["parent_issue_url"] = (
                f"{world.api_url}/repos/{one.parent.repo.full_name}/issues/{one.parent.number}"
            )
    if isinstance(one, PullRequest):
        shape |= {"draft": one.draft, "pull_request": _pull_links(repo, one)}
    return shape


def _parts(one: Issue) -> dict[str, int]:
    total, done = len(one.sub_issues), sum(child.state == "closed" for child in one.sub_issues)
    return {"total": total, "completed": done, "percent_completed": 100 * done // total if total else 0}


def _dependencies(one: Issue) -> dict[str, int]:
    """Open ones, and with `total_` all."""
    blocking = one.blocking
    return {
        "blocked_by": sum(other.state == "open" for other in one.blocked_by),
        "blocking": sum(other.state == "open" for other in blocking),
        "total_blocked_by": len(one.blocked_by),
        "total_blocking": len(blocking),
    }


def _pull_links(repo: Repository, one: PullRequest) -> Shape:
    return {
        "url": f"{repos.api(repo)}/pulls/{one.number}",
        "html_url": page(repo, one),
        "diff_url": f"{page(repo, one)}.diff",
        "patch_url": f"{page(repo, one)}.patch",
        "merged_at": stamp(one.merged_at) if one.merged_at else None,
    }


def comment(repo: Repository, one: IssueComment) -> Shape:
    """https://docs.github.com/en/rest/issues/comments#get-an-issue-comment"""
    world, url = repo.world, f"{repos.api(repo)}/issues/comments/{one.id}"
    return {
        "url": url,
        "html_url": f"{page(repo, one.issue)}#issuecomment-{one.id}",
        "issue_url": f"{repos.api(repo)}/issues/{one.issue.number}",
        "id": one.id,
        "node_id": node_id("IC", one.id),
        "user": by(world, one.author),
        "created_at": stamp(one.created_at),
        "updated_at": stamp(one.updated_at),
        "author_association": repo.association(one.author),
        "body": one.body,
        "reactions": reactions(f"{url}/reactions", one.reactions),
        "performed_via_github_app": _via(world, one.via),
    }


def annotation(repo: Repository, run: CheckRun, one: dict[str, Any]) -> Shape:
    """https://docs.github.com/en/rest/checks/runs#list-check-run-annotations"""
    blob = f"{repos.html(repo)}/blob/{run.head_sha}/{one['path']}"
    optional = ("start_column", "end_column", "title", "raw_details")
    return {
        **{name: one[name] for name in ("path", "start_line", "end_line", "annotation_level", "message")},
        **{name: one.get(name) for name in optional},
        "blob_href": blob,
    }


def check_run(repo: Repository, one: CheckRun) -> Shape:
    """https://docs.github.com/en/rest/checks/runs#get-a-check-run"""
    url = f"{repos.api(repo)}/check-runs/{one.id}"
    output: dict[str, Any] = {
        "title": one.title,
        "summary": one.summary,
        "text": one.text,
        "annotations_count": len(one.annotations),
        "annotations_url": f"{url}/annotations",
    }
    return {
        "id": one.id,
        "name": one.name,
        "node_id": node_id("CR", one.id),
        "head_sha": one.head_sha,
        "external_id": one.external_id,
        "url": url,
        "html_url": f"{repos.html(repo)}/runs/{one.id}",
        "details_url": one.details_url or "https://example.com",
        "status": one.status,
        "conclusion": one.conclusion,
        "started_at": stamp(one.started_at),
        "completed_at": stamp(one.completed_at) if one.completed_at else None,
        "output": output,
        "check_suite": {"id": one.suite},
        "app": app(repo.world, one.app),
        "pull_requests": [
            minimal_pull(repo, pull)
            for pull in repo.pulls
            if pull.head_sha == one.head_sha and not pull.from_fork
        ],
    }


def minimal_pull(repo: Repository, pull: PullRequest) -> Shape:
    place = {"id": repo.id, "url": repos.api(repo), "name": repo.name}
    return {
        "id": pull.id,
        "number": pull.number,
        "url": f"{repos.api(repo)}/pulls/{pull.number}",
        "head": {"ref": pull.head_ref, "sha": pull.head_sha, "repo": place},
        "base": {"ref": pull.base_ref, "sha": pull.base_sha, "repo": place},
    }
