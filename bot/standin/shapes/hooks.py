"""Webhook payloads. https://docs.github.com/en/webhooks/webhook-events-and-payloads"""

from typing import Any

from bot.standin.issues import CheckRun, Issue, IssueComment, Label
from bot.standin.pulls import PullRequest, Review, ReviewComment
from bot.standin.repository import Repository
from bot.standin.shapes import common, issues, pulls, repos
from bot.standin.shapes.common import Shape
from bot.standin.world import Happening, User, World


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
        case CheckRun():
            return {"check_run": issues.check_run(repo, subject)}
        case _:
            return {}


def _extra(repo: Repository, value: Any) -> Any:
    return common.label(repos.api(repo), value) if isinstance(value, Label) else value


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
