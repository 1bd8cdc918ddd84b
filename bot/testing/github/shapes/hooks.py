"""Webhook payloads. https://docs.github.com/en/webhooks/webhook-events-and-payloads

Installations of an App.
"""

from typing import Any

from bot.testing.github.ci import CheckSuite
from bot.testing.github.installations import Installation
from bot.testing.github.issues import CheckRun, Dependency, Issue, IssueComment, Label, Parenthood
from bot.testing.github.milestones import RepositoryMilestone
from bot.testing.github.pulls import PullRequest, Review, ReviewComment
from bot.testing.github.repository import Repository
from bot.testing.github.shapes import ci, common, issues, pulls, repos
from bot.testing.github.shapes.common import Shape, user
from bot.testing.github.world import Happening, IssueType, User, World, stamp


def installation(world: World, one: Installation) -> Shape:
    """https://docs.github.com/en/rest/apps/apps#get-an-installation-for-the-authenticated-app"""
    api = world.api_url
    return {
        "id": one.id,
        "client_id": one.app.client_id,
        "account": user(world, one.account),
        "repository_selection": "all" if one.repositories is None else "selected",
        "access_tokens_url": f"{api}/app/installations/{one.id}/access_tokens",
        "repositories_url": f"{api}/installation/repositories",
        "html_url": f"{world.html_url}/organizations/{one.account.login}/settings/installations/{one.id}",
        "app_id": one.app.id,
        "app_slug": one.app.slug,
        "target_id": one.account.id,
        "target_type": one.account.type,
        "permissions": {**one.permissions, "metadata": "read"},
        "events": list(one.app.events),
        "created_at": stamp(one.created_at),
        "updated_at": stamp(one.created_at),
        "single_file_name": None,
        "has_multiple_single_files": False,
        "single_file_paths": [],
        "suspended_by": user(world, one.account) if one.suspended_at else None,
        "suspended_at": stamp(one.suspended_at) if one.suspended_at else None,
    }


def payload(repo: Repository, what: Happening, installation: int) -> Shape:
    """The body of a delivery about something in a repository."""
    shape: Shape = {"action": what.action} if what.action else {}
    shape |= _about(repo, what.subject)
    shape |= {key: _extra(repo, value) for key, value in what.extra.items()}
    shape["repository"] = repos.repository(repo)
    if repo.owner.type == "Organization":
        shape["organization"] = organization(repo.world, repo.owner)
    shape["sender"] = common.user(repo.world, what.sender)
    shape["installation"] = {"id": installation, "node_id": common.node_id("MDIz", installation)}
    return shape


def _about(repo: Repository, subject: Any) -> Shape:
    match subject:
        case PullRequest():
            return {"number": subject.number, "pull_request": pulls.pull(repo, subject)}
        case Issue():
            return {"issue": issues.issue(repo, subject)}
        case IssueComment():
            return {"issue": issues.issue(repo, subject.issue), "comment": issues.comment(repo, subject)}
        case Parenthood(parent, child):
            told = {"sub_issue": child, "parent_issue": parent}
            return _ids(told) | {name: _extra(repo, one) for name, one in told.items()}
        case Dependency(blocked, blocker):
            told = {"blocked_issue": blocked, "blocking_issue": blocker}
            return _ids(told) | {name: _extra(repo, one) for name, one in told.items()}
        case Review():
            return {
                "review": pulls.review(repo, subject) | {"state": subject.state.lower()},
                "pull_request": pulls.pull(repo, subject.pull, whole=False),
            }
        case ReviewComment():
            return {
                "pull_request": pulls.pull(repo, subject.pull, whole=False),
                "comment": pulls.review_comment(repo, subject),
            }
        case CheckSuite():
            return {"check_suite": ci.in_payload(repo, subject)}
        case CheckRun():
            return {"check_run": issues.check_run(repo, subject)}
        case _:
            return {}


def _ids(told: dict[str, Issue]) -> Shape:
    return {f"{name}_id": one.id for name, one in told.items()}


def _extra(repo: Repository, value: Any) -> Any:
    """Things of this GitHub in GitHub's words, anything else as it is."""
    match value:
        case Label():
            return common.label(repos.api(repo), value)
        case IssueType():
            return issues.issue_type(value)
        case RepositoryMilestone():
            return issues.milestone(repo, value)
        case User():
            return user(repo.world, value)
        case Repository():
            return repos.repository(value)
        case Issue(repo=Repository() as home):
            return issues.issue(home, value)
        case dict():
            return {key: _extra(repo, one) for key, one in value.items()}
        case _:
            return value


def organization(world: World, who: User) -> Shape:
    api = f"{world.api_url}/orgs/{who.login}"
    return {
        "login": who.login,
        "id": who.id,
        "node_id": common.node_id("O", who.id),
        "url": api,
        "repos_url": f"{api}/repos",
        "events_url": f"{api}/events",
        "hooks_url": f"{api}/hooks",
        "issues_url": f"{api}/issues",
        "members_url": f"{api}/members{{/member}}",
        "public_members_url": f"{api}/public_members{{/member}}",
        "avatar_url": f"https://avatars.githubusercontent.com/u/{who.id}?v=4",
        "description": "",
    }
