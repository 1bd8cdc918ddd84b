"""What GitHub's refusals mean, in the words of `bot.core.errors`.

https://docs.github.com/en/rest/using-the-rest-api/troubleshooting-the-rest-api
https://docs.github.com/en/graphql/guides/using-graphql-clients
"""

import json
from typing import Any

from bot.core.errors import Ambiguous, GitHubError, Gone, HobError, RateLimited, TemporaryError
from bot.github.wire import Answer

_LONGEST = 500


def refusal(answer: Answer) -> GitHubError:
    """A definite 3xx or 4xx."""
    message = _message(answer.body)
    lost = answer.status in (404, 410, 451) or (answer.status == 403 and "suspended" in message.lower())
    return (Gone if lost else GitHubError)(answer.status, message)


def graphql_refusal(errors: Any, *, write: bool) -> HobError:
    """The `errors` of a GraphQL answer, which comes with a 200."""
    first = errors[0] if isinstance(errors, list) and errors and isinstance(errors[0], dict) else {}
    message = str(first.get("message") or "GraphQL error")[:_LONGEST]
    match first.get("type"):
        case "NOT_FOUND":
            return Gone(404, message)
        case "FORBIDDEN" | "INSUFFICIENT_SCOPES":
            return Gone(403, message) if "suspended" in message else GitHubError(403, message)
        case "RATE_LIMITED" | "RATE_LIMIT":
            return RateLimited(message)
        case None if "something went wrong" in message.lower() or "timeout" in message.lower():
            return Ambiguous(502, message) if write else TemporaryError(message)
        case _:
            return GitHubError(422, message)


def _message(body: bytes) -> str:
    """`message` and what `errors` add to it; the beginning of the text where it is not JSON."""
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, dict):
        return body[:200].decode(errors="replace") or "no reason given"
    errors = said.get("errors") or []
    details = [_detail(error) for error in errors] if isinstance(errors, list) else [str(errors)]
    return ": ".join([str(said.get("message", "no reason given")), *filter(None, details)])[:_LONGEST]


def _detail(error: Any) -> str:
    if not isinstance(error, dict):
        return str(error)
    return str(error.get("message") or " ".join(str(error[k]) for k in ("field", "code") if k in error))
