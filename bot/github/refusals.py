"""What GitHub's refusals mean, read in one place by status, headers, words and codes, for REST and GraphQL.

https://docs.github.com/en/rest/using-the-rest-api/troubleshooting-the-rest-api
https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api
https://docs.github.com/en/graphql/overview/rate-limits-and-query-limits-for-the-graphql-api
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.core.errors import (
    Ambiguous,
    GitHubError,
    Gone,
    HobError,
    Kind,
    QueryTooLarge,
    RateLimited,
    TemporaryError,
)
from bot.github.wire import GitHubResponse

_LONGEST = 500
_MOST_ERRORS = 50
_LIMIT = (
    "rate limit exceeded",
    "rate limit already exceeded",
    "secondary rate limit",
    "abuse detection",
    "submitted too quickly",
    "temporarily blocked from content creation",
    "too many requests",
)
_PAGES_OF_LIMITS = ("secondary-rate-limits", "abuse-rate-limits", "rate-limiting", "rate-limits-for")
_LINE = (
    "line could not be resolved",
    "path could not be resolved",
    "review thread line",
    "review thread start line",
    "review thread diff hunk",
    "review_thread.",
    "part of the diff",
    "diff hunk can't be blank",
)
_TOO_LARGE = "resource limits for this query"
_UNCLEAR = ("something went wrong", "timeout", "timed out", "respond to your request in time")
_WORDS: tuple[tuple[Kind, tuple[str, ...]], ...] = (
    ("limit", _LIMIT),
    ("pending", ("one pending review",)),
    ("validation", ("rule violations", "protected ref", "protected branch")),
    ("gone", ("suspended",)),
    ("locked", ("is locked", "locked conversation", "conversation has been locked", "lock prevents")),
    ("locked", ("restricted to", "is blocked", "limited to")),
    ("archived", ("archived", "read-only")),
    (
        "permission",
        ("not accessible", "permission", "must have", "access to repository not granted", "bad credentials"),
    ),
)
"""Words of a 401, 403 or 422, the first that fits."""


@dataclass(frozen=True, slots=True)
class ApiRefusal:
    """What an answer that is no success means, and its words."""

    kind: Kind
    status: int
    message: str

    def error(self, *, write: bool = False) -> HobError:
        """The same in the words of `bot.core.errors`."""
        match self.kind:
            case "limit" | "pending":
                return RateLimited(f"GitHub answered {self.status}: {self.message}")
            case "too large":
                return Ambiguous(502, self.message, "unclear") if write else QueryTooLarge(self.message)
            case "unclear":
                return Ambiguous(502, self.message, "unclear") if write else TemporaryError(self.message)
            case "gone":
                return Gone(self.status, self.message, "gone")
            case kind:
                return GitHubError(self.status, self.message, kind)


def read(answer: GitHubResponse) -> ApiRefusal:
    """An answer of REST that is no success."""
    said = _decoded(answer.body)
    message = _message(said, answer.body)
    return ApiRefusal(_kind(answer.status, answer.headers, message, said), answer.status, message)


def refusal(answer: GitHubResponse) -> HobError:
    """A definite 3xx or 4xx as an error."""
    return read(answer).error()


def read_graphql(errors: Any) -> ApiRefusal:
    """The gravest of several: a limit is heard wherever it stands."""
    given = [one for one in errors if isinstance(one, dict)] if isinstance(errors, list) else []
    every = [read_one(one) for one in given[:_MOST_ERRORS]]
    gravest = next((one for one in every if one.kind == "limit"), None)
    return gravest or next(iter(every), ApiRefusal("validation", 422, "GraphQL error"))


def read_one(error: Mapping[str, Any]) -> ApiRefusal:
    """One of GraphQL's errors."""
    message = str(error.get("message") or "GraphQL error")[:_LONGEST]
    words = message.casefold()
    named = {str(error.get("type")), str(_extensions(error).get("code"))}
    named = {name.upper() for name in named}
    if named & {"RATE_LIMITED", "RATE_LIMIT", "GRAPHQL_RATE_LIMIT", "ABUSE"} or _has(words, _LIMIT):
        return ApiRefusal("limit", 200, message)
    if named & {"RESOURCE_LIMITS_EXCEEDED", "MAX_NODE_LIMIT_EXCEEDED"} or _TOO_LARGE in words:
        return ApiRefusal("too large", 200, message)
    if "NOT_FOUND" in named:
        return ApiRefusal("gone", 404, message)
    if named & {"FORBIDDEN", "INSUFFICIENT_SCOPES", "UNAUTHENTICATED"}:
        return ApiRefusal(_by_words(words) or "permission", 403, message)
    if error.get("type") is None and _has(words, _UNCLEAR):
        return ApiRefusal("unclear", 200, message)
    return ApiRefusal("pending" if "one pending review" in words else "validation", 422, message)


def _kind(status: int, headers: Mapping[str, str], message: str, said: dict[str, Any]) -> Kind:
    words = message.casefold()
    if status == 429 or _is_said_limit(words, said):
        return "limit"
    if status in (404, 410, 451):
        return "gone"
    if 400 <= status < 500 and status != 401 and "retry-after" in headers:
        return "limit"
    if status in (401, 403, 422):
        found = _by_words(words)
        if status == 403 and found is None and headers.get("x-ratelimit-remaining") == "0":
            return "limit"
        if found and (status != 422 or found != "gone"):
            return found
        if status == 422:
            return "line" if _is_line(words, said) else "validation"
        return "permission" if status == 401 else "other"
    if status >= 500:
        return "unclear"
    return "validation" if status in (400, 413) else "other"


def _is_said_limit(words: str, said: dict[str, Any]) -> bool:
    """By its own words, its code, or the page that it leads to."""
    page = str(said.get("documentation_url"))
    coded = any(str(one.get("code")).casefold() == "abuse" for one in _errors(said) if isinstance(one, dict))
    return coded or _has(words, _LIMIT) or any(name in page for name in _PAGES_OF_LIMITS)


def _is_line(words: str, said: dict[str, Any]) -> bool:
    fields = {str(one.get("field")) for one in _errors(said) if isinstance(one, dict)}
    named = any(
        name.rpartition(".")[2] in ("line", "start_line", "position", "path", "side") for name in fields
    )
    return named or _has(words, _LINE)


def _by_words(words: str) -> Kind | None:
    return next((kind for kind, some in _WORDS if _has(words, some)), None)


def _has(words: str, some: tuple[str, ...]) -> bool:
    return any(one in words for one in some)


def _decoded(body: bytes) -> dict[str, Any]:
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}


def _errors(said: dict[str, Any]) -> list[Any]:
    errors = said.get("errors") or []
    return errors[:_MOST_ERRORS] if isinstance(errors, list) else [errors]


def _extensions(error: Mapping[str, Any]) -> Mapping[str, Any]:
    found = error.get("extensions")
    return found if isinstance(found, dict) else {}


def _message(said: dict[str, Any], body: bytes) -> str:
    """`message` and what `errors` add to it; the beginning of the text where it is not JSON."""
    if not said:
        return body[:200].decode(errors="replace") or "no reason given"
    details = filter(None, map(_detail, _errors(said)))
    return ": ".join([str(said.get("message", "no reason given")), *details])[:_LONGEST]


def _detail(error: Any) -> str:
    if not isinstance(error, dict):
        return str(error)
    return str(error.get("message") or " ".join(str(error[k]) for k in ("field", "code") if k in error))
