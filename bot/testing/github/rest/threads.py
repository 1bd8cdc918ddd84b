"""Threads on lines, as GraphQL tells them: REST knows their comments, not whether they are resolved.

https://docs.github.com/en/graphql/reference/objects#pullrequestreviewthread
"""

from collections.abc import Sequence
from typing import Any

from bot.testing.github.auth import allows
from bot.testing.github.pulls import PullRequest, ReviewComment
from bot.testing.github.repository import Repository
from bot.testing.github.rest.document import Selection
from bot.testing.github.wire import RestCall

_PREFIX = "PRRT_"


def node(root: ReviewComment) -> str:
    """A thread is named by its first comment."""
    return f"{_PREFIX}{root.id}"


def pull_request(repo: Repository, number: object, asked: Selection) -> dict[str, Any] | None:
    """None where there is no such pull request."""
    pull = repo.issues.get(number) if isinstance(number, int) else None
    if not isinstance(pull, PullRequest):
        return None
    roots = [comment for comment in pull.review_comments if comment.in_reply_to is None]
    return {
        one.key: _connection(roots, one, lambda root, child: _thread(pull, root, child))
        if one.name == "reviewThreads"
        else {"number": pull.number, "title": pull.title}.get(one.name)
        for one in asked.children
    }


def _connection(items: Sequence[Any], asked: Selection, shape: Any) -> dict[str, Any]:
    """The first or the last so many, from the cursor on: a cursor here is a count."""
    after = int(asked.arguments.get("after") or 0)
    first, last = asked.arguments.get("first"), asked.arguments.get("last")
    shown = items[after : after + int(first)] if first else items[-int(last or 100) :]
    answer: dict[str, Any] = {}
    for one in asked.children:
        if one.name == "nodes":
            answer[one.key] = [shape(item, one) for item in shown]
        elif one.name == "pageInfo":
            end = after + len(shown)
            answer[one.key] = {"hasNextPage": bool(first) and end < len(items), "endCursor": str(end)}
        elif one.name == "totalCount":
            answer[one.key] = len(items)
    return answer


def _thread(pull: PullRequest, root: ReviewComment, asked: Selection) -> dict[str, Any]:
    talk = [root, *(one for one in pull.review_comments if one.in_reply_to == root.id)]
    plain = {
        "id": node(root),
        "isResolved": root.resolved,
        "isOutdated": root.line is None,
        "path": root.path,
        "line": root.line,
    }
    return {
        one.key: _connection(talk, one, _comment) if one.name == "comments" else plain.get(one.name)
        for one in asked.children
    }


def _comment(comment: ReviewComment, asked: Selection) -> dict[str, Any]:
    login = comment.author.login.removesuffix("[bot]")  # GraphQL leaves the suffix of Apps out
    kind = "Bot" if comment.author.login.endswith("[bot]") else "User"
    plain = {"databaseId": comment.id, "body": comment.body, "path": comment.path}
    return {
        one.key: {child.key: {"login": login, "__typename": kind}.get(child.name) for child in one.children}
        if one.name == "author"
        else plain.get(one.name)
        for one in asked.children
    }


def resolve(call: RestCall, asked: Selection, given: object) -> tuple[Any, str]:
    """(what the mutation answers, an error's type)

    https://docs.github.com/en/graphql/reference/mutations#resolvereviewthread
    """
    name = str(given.get("threadId")) if isinstance(given, dict) else ""
    root = _root(call, name)
    if root is None:
        return None, "NOT_FOUND"
    if call.token is None or not all(
        allows(call.token, need) for need in ("contents:write", "pull_requests:write")
    ):
        return None, "FORBIDDEN"
    root.resolved = True
    thread = next((one for one in asked.children if one.name == "thread"), None)
    return {thread.key: _thread(root.pull, root, thread)} if thread else {}, ""


def _root(call: RestCall, name: str) -> ReviewComment | None:
    identity = name.removeprefix(_PREFIX)
    for repo in call.state.repositories.values():
        covered = call.token is not None and call.token.installation.covers(repo)
        if covered and identity.isdigit() and (found := repo.review_comments.get(int(identity))):
            return found
    return None
