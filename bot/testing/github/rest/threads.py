"""Threads on lines, as GraphQL tells them: REST knows their comments, not whether they are resolved.

https://docs.github.com/en/graphql/reference/objects#pullrequestreviewthread
"""

from typing import Any

from bot.testing.github.auth import allows
from bot.testing.github.pulls import PullRequest, ReviewComment
from bot.testing.github.rest.document import Selection
from bot.testing.github.rest.fields import Query
from bot.testing.github.wire import RestCall

_PREFIX = "PRRT_"


def node(root: ReviewComment) -> str:
    """A thread is named by its first comment."""
    return f"{_PREFIX}{root.id}"


def review_threads(query: Query, pull: PullRequest, asked: Selection) -> dict[str, Any]:
    roots = [comment for comment in pull.review_comments if comment.in_reply_to is None]
    return query.connection(
        "PullRequestReviewThreadConnection", roots, asked, lambda root, node: _thread(query, root, node)
    )


def _thread(query: Query, root: ReviewComment, asked: Selection) -> dict[str, Any]:
    talk = [root, *(one for one in root.pull.review_comments if one.in_reply_to == root.id)]
    fields = {
        "id": node(root),
        "isResolved": root.resolved,
        "isOutdated": root.line is None,
        "path": root.path,
        "line": root.line,
        "comments": lambda asked: query.connection(
            "PullRequestReviewCommentConnection", talk, asked, lambda one, node: _comment(query, one, node)
        ),
    }
    return query.pick("PullRequestReviewThread", fields, asked)


def _comment(query: Query, comment: ReviewComment, asked: Selection) -> dict[str, Any]:
    login = comment.author.login.removesuffix("[bot]")  # GraphQL leaves the suffix of Apps out
    kind = "Bot" if comment.author.login.endswith("[bot]") else "User"
    fields = {
        "databaseId": comment.id,
        "body": comment.body,
        "path": comment.path,
        "author": lambda asked: query.pick(kind, {"login": login}, asked),
        "reactionGroups": lambda asked: [_group(query, comment, name, asked) for name in _REACTIONS],
    }
    return query.pick("PullRequestReviewComment", fields, asked)


_REACTIONS = {"THUMBS_UP": "+1", "THUMBS_DOWN": "-1"}
"""GraphQL's names of those that somebody asks for -> REST's."""


def _group(query: Query, comment: ReviewComment, name: str, asked: Selection) -> dict[str, Any]:
    reactors = {"totalCount": sum(one.content == _REACTIONS[name] for one in comment.reactions)}
    fields = {
        "content": name,
        "reactors": lambda node: query.pick("ReactorConnection", reactors, node),
    }
    return query.pick("ReactionGroup", fields, asked)


def resolve(query: Query, asked: Selection, given: object) -> tuple[Any, str]:
    """(what the mutation answers, an error's type)

    https://docs.github.com/en/graphql/reference/mutations#resolvereviewthread
    """
    call, name = query.call, str(given.get("threadId")) if isinstance(given, dict) else ""
    root = _root(call, name)
    if root is None:
        return None, "NOT_FOUND"
    if call.token is None or not all(
        allows(call.token, need) for need in ("contents:write", "pull_requests:write")
    ):
        return None, "FORBIDDEN"
    root.resolved = True
    thread = next((one for one in asked.children if one.name == "thread"), None)
    return {thread.key: _thread(query, root, thread)} if thread else {}, ""


def _root(call: RestCall, name: str) -> ReviewComment | None:
    identity = name.removeprefix(_PREFIX)
    for repo in call.state.repositories.values():
        covered = call.token is not None and call.token.installation.covers(repo)
        if covered and identity.isdigit() and (found := repo.review_comments.get(int(identity))):
            return found
    return None
