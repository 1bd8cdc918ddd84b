"""Issues, pull requests, milestones, releases and types as GraphQL tells them.

https://docs.github.com/en/graphql/reference/objects#issue
"""

from collections.abc import Callable, Sequence
from typing import Any

from bot.testing.github.attachments import rendered
from bot.testing.github.issues import Issue, IssueComment, Label
from bot.testing.github.milestones import RepositoryMilestone, RepositoryRelease
from bot.testing.github.pulls import PullRequest
from bot.testing.github.repository import Repository
from bot.testing.github.rest import threads
from bot.testing.github.rest.document import Selection
from bot.testing.github.rest.fields import Fields, Query
from bot.testing.github.shapes import repos
from bot.testing.github.shapes.common import node_id
from bot.testing.github.shapes.issues import page
from bot.testing.github.world import IssueType, User, stamp

_STATES = {"OPEN": ("open",), "CLOSED": ("closed",)}


def person(query: Query, who: User, asked: Selection) -> dict[str, Any] | None:
    """An Actor; null once the account is deleted. GraphQL leaves the suffix of Apps out."""
    if who.deleted:
        return None
    fields = {
        "login": who.login.removesuffix("[bot]"),
        "databaseId": who.id,
        "id": node_id("U", who.id),
        "url": f"{query.call.state.html_url}/{who.login.removesuffix('[bot]')}",
    }
    return query.pick(who.type, fields, asked)


def _people(query: Query, who: Sequence[User], asked: Selection) -> dict[str, Any]:
    return query.connection("UserConnection", who, asked, lambda one, node: person(query, one, node))


def labels(query: Query, listed: Sequence[Label], asked: Selection) -> dict[str, Any]:
    def shape(one: Label, node: Selection) -> dict[str, Any]:
        fields = {
            "id": node_id("LA", one.id),
            "name": one.name,
            "color": one.color,
            "description": one.description,
            "isDefault": one.color != "ededed",
        }
        return query.pick("Label", fields, node)

    return query.connection("LabelConnection", listed, asked, shape)


def issue_type(query: Query, one: IssueType | None, asked: Selection) -> dict[str, Any] | None:
    if one is None:
        return None
    fields = {
        "id": node_id("IT", one.id),
        "name": one.name,
        "description": one.description,
        "color": one.color.upper(),
        "isEnabled": one.enabled,
        "isPrivate": False,
    }
    return query.pick("IssueType", fields, asked)


def issue_types(query: Query, listed: Sequence[IssueType], asked: Selection) -> dict[str, Any]:
    return query.connection(
        "IssueTypeConnection", listed, asked, lambda one, node: issue_type(query, one, node)
    )


def milestone(query: Query, repo: Repository, one: RepositoryMilestone | None, asked: Selection) -> Any:
    if one is None:
        return None
    there = [each for each in repo.shown if each.milestone is one]
    plain = [each for each in there if each.event == "issues"]
    done = sum(each.state == "closed" for each in there)
    fields = {
        "id": node_id("MI", one.id),
        "number": one.number,
        "title": one.title,
        "description": one.description,
        "state": one.state.upper(),
        "closed": one.state == "closed",
        "createdAt": stamp(one.created_at),
        "updatedAt": stamp(one.closed_at or one.created_at),
        "closedAt": _when(one.closed_at),
        "dueOn": _when(one.due_on),
        "progressPercentage": 100 * done / len(there) if there else 0.0,
        "url": f"{repos.html(repo)}/milestone/{one.number}",
        "creator": lambda asked: person(query, one.creator, asked),
        "issues": lambda asked: issues(query, plain, asked),
        "pullRequests": lambda asked: pulls(
            query, [each for each in there if isinstance(each, PullRequest)], asked
        ),
    }
    return query.pick("Milestone", fields, asked)


def milestones(query: Query, repo: Repository, asked: Selection) -> dict[str, Any]:
    states = [state.lower() for state in asked.arguments.get("states") or ("OPEN", "CLOSED")]
    listed = [one for one in repo.milestones if one.state in states]
    order = asked.arguments.get("orderBy") or {}
    keys: dict[str, Callable[[RepositoryMilestone], Any]] = {
        "DUE_DATE": lambda one: (one.due_on is None, one.due_on or 0),
        "CREATED_AT": lambda one: one.created_at,
    }
    key = keys.get(str(order.get("field")), lambda one: one.number)
    listed.sort(key=key, reverse=order.get("direction") == "DESC")
    return query.connection(
        "MilestoneConnection", listed, asked, lambda one, node: milestone(query, repo, one, node)
    )


def releases(query: Query, repo: Repository, asked: Selection) -> dict[str, Any]:
    listed = [one for one in repo.releases if one.published_at is not None]
    order = asked.arguments.get("orderBy") or {"direction": "DESC"}
    listed.sort(key=lambda one: one.created_at, reverse=order.get("direction") == "DESC")
    return query.connection(
        "ReleaseConnection", listed, asked, lambda one, node: release(query, repo, one, node)
    )


def release(query: Query, repo: Repository, one: RepositoryRelease, asked: Selection) -> dict[str, Any]:
    fields = {
        "id": node_id("RE", one.id),
        "databaseId": one.id,
        "tagName": one.tag,
        "name": one.name or None,
        "description": one.body or None,
        "isDraft": one.published_at is None,
        "isPrerelease": one.prerelease,
        "createdAt": stamp(one.created_at),
        "updatedAt": stamp(one.created_at),
        "publishedAt": _when(one.published_at),
        "url": f"{repos.html(repo)}/releases/tag/{one.tag}",
        "author": lambda asked: person(query, one.author, asked),
        "tagCommit": lambda asked: query.pick("Commit", {"oid": one.target}, asked),
    }
    return query.pick("Release", fields, asked)


def _when(at: float | None) -> str | None:
    return stamp(at) if at else None


def issues(query: Query, listed: Sequence[Issue], asked: Selection) -> dict[str, Any]:
    """Narrowed and ordered as the arguments say; the oldest first where they don't."""
    given = asked.arguments
    narrow = given.get("filterBy") or {}
    states = narrow.get("states") or given.get("states")
    kept = [one for one in listed if not states or any(one.state in _STATES[state] for state in states)]
    if given.get("labels"):
        wanted = {name.lower() for name in given["labels"]}
        kept = [one for one in kept if wanted & {name.lower() for name in one.label_names}]
    kept = [one for one in kept if _fits(one, narrow)]
    _sort(kept, given.get("orderBy") or {})
    return query.connection("IssueConnection", kept, asked, lambda one, node: issue(query, one, node))


def _fits(one: Issue, narrow: dict[str, Any]) -> bool:
    """https://docs.github.com/en/graphql/reference/input-objects#issuefilters"""
    names = {name.lower() for name in one.label_names}
    place = one.milestone
    checks = [
        all(name.lower() in names for name in narrow.get("labels") or ()),
        _named(narrow, "milestoneNumber", [str(place.number)] if place else []),
        _named(narrow, "milestone", [str(place.id)] if place else []),
        _named(narrow, "assignee", [who.login.lower() for who in one.assignees]),
        _named(narrow, "type", [one.type.name.lower()] if one.type else []),
        _named(narrow, "createdBy", [one.author.login.lower()]),
        stamp(one.updated_at) >= str(narrow.get("since") or ""),
    ]
    return all(checks)


def _named(narrow: dict[str, Any], key: str, there: list[str]) -> bool:
    """`*`: any; null: none; left out: whatever."""
    if key not in narrow:
        return True
    asked = narrow[key]
    return not there if asked is None else bool(there) if asked == "*" else str(asked).lower() in there


def _sort(listed: list[Any], order: dict[str, Any]) -> None:
    keys: dict[str, Callable[[Issue], Any]] = {
        "UPDATED_AT": lambda one: (one.updated_at, one.number),
        "COMMENTS": lambda one: (len(one.comments), one.number),
    }
    key = keys.get(str(order.get("field")), lambda one: (one.created_at, one.number))
    listed.sort(key=key, reverse=order.get("direction") == "DESC")


def _common(query: Query, one: Issue) -> dict[str, Any]:
    """What issues and pull requests share."""
    repo = one.repo
    assert isinstance(repo, Repository)
    return {
        "id": node_id("I", one.id),
        "databaseId": one.id,
        "fullDatabaseId": str(one.id),
        "number": one.number,
        "title": one.title,
        "body": one.body,
        "bodyText": one.body,
        "bodyHTML": lambda _: rendered(query.call.state, one.body),
        "locked": one.locked,
        "activeLockReason": one.lock_reason.upper().replace("-", "_").replace(" ", "_")
        if one.lock_reason
        else None,
        "createdAt": stamp(one.created_at),
        "updatedAt": stamp(one.updated_at),
        "closedAt": _when(one.closing.at),
        "closed": one.state == "closed",
        "url": page(repo, one),
        "authorAssociation": repo.association(one.author),
        "author": lambda asked: person(query, one.author, asked),
        "labels": lambda asked: labels(query, one.labels, asked),
        "timelineItems": lambda asked: _timeline(query, one, asked),
        "assignees": lambda asked: _people(query, one.assignees, asked),
        "milestone": lambda asked: milestone(query, repo, one.milestone, asked),
        "comments": lambda asked: comments(query, one.comments, asked),
        "repository": lambda asked: query.pick("Repository", home(repo), asked),
    }


def home(repo: Repository) -> Fields:
    """The plain fields of a repository."""
    return {
        "id": node_id("R", repo.id),
        "name": repo.name,
        "nameWithOwner": repo.full_name,
        "isPrivate": repo.private,
        "isArchived": repo.archived,
        "databaseId": repo.id,
        "url": repos.html(repo),
    }


def issue(query: Query, one: Issue, asked: Selection) -> dict[str, Any]:
    def related(listed: Sequence[Issue]) -> Callable[[Selection], dict[str, Any]]:
        return lambda asked: query.connection(
            "IssueConnection", listed, asked, lambda each, node: issue(query, each, node)
        )

    def reason(asked: Selection) -> str | None:
        told = (one.state_reason or "").upper()
        plain = told == "DUPLICATE" and not asked.arguments.get("enableDuplicate")
        return "NOT_PLANNED" if plain else told or None

    fields = _common(query, one) | {
        "state": one.state.upper(),
        "stateReason": reason,
        "issueType": lambda asked: issue_type(query, one.type, asked),
        "parent": lambda asked: issue(query, one.parent, asked) if one.parent else None,
        "subIssues": related(one.sub_issues),
        "subIssuesSummary": lambda asked: query.pick("SubIssuesSummary", _parts(one), asked),
        "blockedBy": related(one.blocked_by),
        "blocking": lambda asked: related(one.blocking)(asked),
        "issueDependenciesSummary": lambda asked: query.pick(
            "IssueDependenciesSummary", _dependencies(one), asked
        ),
        "closedByPullRequestsReferences": lambda asked: _closed_by(query, one, asked),
    }
    return query.pick("Issue", fields, asked)


def _parts(one: Issue) -> Fields:
    total, done = len(one.sub_issues), sum(child.state == "closed" for child in one.sub_issues)
    return {"total": total, "completed": done, "percentCompleted": 100 * done // total if total else 0}


def _dependencies(one: Issue) -> Fields:
    blocking = one.blocking
    return {
        "blockedBy": sum(each.state == "open" for each in one.blocked_by),
        "blocking": sum(each.state == "open" for each in blocking),
        "totalBlockedBy": len(one.blocked_by),
        "totalBlocking": len(blocking),
    }


def _closed_by(query: Query, one: Issue, asked: Selection) -> dict[str, Any]:
    """Open ones, unless `includeClosedPrs`: merged ones are closed too."""
    assert isinstance(one.repo, Repository)
    every = bool(asked.arguments.get("includeClosedPrs"))
    found = [pull for pull in one.repo.pulls if one.number in pull.closes and (every or pull.state == "open")]
    return query.connection("PullRequestConnection", found, asked, lambda each, node: pull(query, each, node))


def pulls(query: Query, listed: Sequence[PullRequest], asked: Selection) -> dict[str, Any]:
    given = asked.arguments
    states = given.get("states")
    kept = [one for one in listed if not states or _state(one) in states]
    if given.get("baseRefName"):
        kept = [one for one in kept if one.base_ref == given["baseRefName"]]
    _sort(kept, given.get("orderBy") or {})
    return query.connection("PullRequestConnection", kept, asked, lambda one, node: pull(query, one, node))


def _state(one: PullRequest) -> str:
    return "MERGED" if one.merged_at else one.state.upper()


def pull(query: Query, one: PullRequest, asked: Selection) -> dict[str, Any]:
    def closing(asked: Selection) -> dict[str, Any]:
        found = [one.repo.issues[number] for number in one.closes if number in one.repo.issues]
        return query.connection("IssueConnection", found, asked, lambda each, node: issue(query, each, node))

    fields = _common(query, one) | {
        "state": _state(one),
        "isDraft": one.draft,
        "merged": one.merged_at is not None,
        "mergedAt": _when(one.merged_at),
        "headRefName": one.head_ref,
        "headRefOid": one.head_sha,
        "baseRefName": one.base_ref,
        "baseRefOid": one.base_sha,
        "isCrossRepository": one.from_fork,
        "changedFiles": lambda _: len(one.files()),
        "closingIssuesReferences": closing,
        "reviewThreads": lambda asked: threads.review_threads(query, one, asked),
    }
    return query.pick("PullRequest", fields, asked)


def _timeline(query: Query, one: Issue, asked: Selection) -> dict[str, Any]:
    """Labels that were taken off, which is all that is known of the past."""
    wanted = asked.arguments.get("itemTypes") or ["UNLABELED_EVENT"]
    listed = one.unlabeled if "UNLABELED_EVENT" in wanted else []

    def shape(item: tuple[User, Label], node: Selection) -> dict[str, Any]:
        by, label = item
        fields = {
            "actor": lambda asked: person(query, by, asked),
            "label": lambda asked: query.pick("Label", {"name": label.name}, asked),
        }
        return query.pick("UnlabeledEvent", fields, node)

    return query.connection("IssueTimelineItemsConnection", listed, asked, shape)


def comments(query: Query, listed: Sequence[IssueComment], asked: Selection) -> dict[str, Any]:
    order = asked.arguments.get("orderBy") or {}
    kept = sorted(listed, key=lambda one: one.updated_at, reverse=order.get("direction") == "DESC")

    def shape(one: IssueComment, node: Selection) -> dict[str, Any]:
        repo = one.issue.repo
        assert isinstance(repo, Repository)
        fields = {
            "id": node_id("IC", one.id),
            "databaseId": one.id,
            "fullDatabaseId": str(one.id),
            "body": one.body,
            "bodyText": one.body,
            "bodyHTML": lambda _: rendered(query.call.state, one.body),
            "createdAt": stamp(one.created_at),
            "updatedAt": stamp(one.updated_at),
            "url": f"{page(repo, one.issue)}#issuecomment-{one.id}",
            "isMinimized": False,
            "authorAssociation": repo.association(one.author),
            "author": lambda asked: person(query, one.author, asked),
        }
        return query.pick("IssueComment", fields, node)

    return query.connection("IssueCommentConnection", kept if order else listed, asked, shape)
