"""What GitHub's errors mean: those of REST, and those that GraphQL hides in a 200."""

import json
from typing import Any

import pytest

from bot.core.errors import Ambiguous, GitHubError, Gone, RateLimited, TemporaryError
from bot.github.refusals import read, read_graphql, refusal
from bot.github.wire import GitHubResponse
from bot.testing.github.refusals import FINAL, GRAPHQL, LIMITS, LINES, PUSHES, REFUSALS


@pytest.mark.parametrize(
    ("error", "write", "kind"),
    [
        ({"type": "NOT_FOUND", "message": "no such repository"}, False, Gone),
        ({"type": "FORBIDDEN", "message": "Resource not accessible by integration"}, False, GitHubError),
        ({"type": "RATE_LIMITED", "message": "API rate limit exceeded"}, False, RateLimited),
        ({"message": "Something went wrong while executing your query."}, False, TemporaryError),
        ({"message": "Something went wrong while executing your query."}, True, Ambiguous),
        ({"message": "Parse error on }"}, False, GitHubError),
        ("nonsense", False, GitHubError),
    ],
)
def test_errors_in_a_graphql_200(error: Any, write: bool, kind: type[Exception]) -> None:
    assert type(read_graphql([error]).error(write=write)) is kind


@pytest.mark.parametrize("errors", [None, {}, "x", [], [[]]])
def test_odd_graphql_errors_are_still_errors(errors: Any) -> None:
    assert isinstance(read_graphql(errors).error(write=False), GitHubError)


@pytest.mark.parametrize(
    ("status", "body", "kind", "said"),
    [
        (404, b'{"message": "Not Found"}', Gone, "Not Found"),
        (410, b"", Gone, "no reason"),
        (403, b'{"message": "This installation has been suspended"}', Gone, "suspended"),
        (403, b'{"message": "Resource not accessible by integration"}', GitHubError, "not accessible"),
        (422, b'{"message": "Failed", "errors": ["Line could not be resolved"]}', GitHubError, "Line could"),
        (422, b'{"message": "Failed", "errors": [{"field": "x", "code": "y"}, 1]}', GitHubError, "x y: 1"),
        (422, b'{"message": "Failed", "errors": "odd"}', GitHubError, "odd"),
        (400, b"<html>" + b"x" * 9_000, GitHubError, "<html>"),
        (400, b"[" * 100_000, GitHubError, "["),
        (400, b"[1]", GitHubError, "[1]"),
    ],
)
def test_refusals_of_rest(status: int, body: bytes, kind: type[Exception], said: str) -> None:
    error = refusal(GitHubResponse(status, {}, body))
    assert type(error) is kind
    assert said in error.message
    assert len(error.message) <= 500
    assert error.status == status


@pytest.mark.parametrize("name", REFUSALS)
def test_githubs_words_are_understood(name: str) -> None:
    said = REFUSALS[name]
    headers = {key.lower(): value for key, value in said.headers.items()}
    if name in GRAPHQL and said.status == 200:
        kind = read_graphql(said.answer["errors"]).kind
        assert kind == {"graphql too large": "too large", "graphql timeout": "unclear"}.get(name, "limit")
        return
    kind = read(GitHubResponse(said.status, headers, json.dumps(said.answer).encode())).kind
    if name in LIMITS:
        assert kind == ("pending" if name == "pending review" else "limit")
    elif name in LINES:
        assert kind == "line"
    elif name in FINAL or name in PUSHES:
        assert kind == KINDS[name]
    else:
        assert kind == "unclear"


KINDS = {
    "locked": "locked",
    "lock prevents": "locked",
    "restricted": "locked",
    "no permission": "permission",
    "archived": "archived",
    "too long": "validation",
    "own": "validation",
    "commit": "validation",
    "not found": "gone",
    "gone": "gone",
    "unavailable": "gone",
    "protected": "validation",
    "ruleset": "validation",
    "signatures": "validation",
    "push protection": "validation",
    "status checks": "validation",
    "only by pull request": "validation",
    "name taken below": "validation",
    "restricted path": "validation",
    "push protection, 409": "other",
    "not authorized": "other",
    "empty": "other",
}


@pytest.mark.parametrize(
    ("status", "headers", "message", "kind"),
    [
        (403, {"x-ratelimit-remaining": "0"}, "Forbidden", "limit"),
        (403, {"x-ratelimit-remaining": "0"}, "Resource not accessible by integration", "permission"),
        (404, {"x-ratelimit-remaining": "0"}, "Not Found", "gone"),
        (404, {"retry-after": "9"}, "Not Found", "gone"),
        (422, {"x-ratelimit-remaining": "0"}, "Validation Failed", "validation"),
        (422, {}, "No commit found for SHA: " + "a" * 40, "validation"),
        (422, {}, "The permissions requested are not granted to this installation.", "permission"),
        (403, {}, "API rate limit exceeded for installation ID 12.", "limit"),
        (403, {}, "This installation has been suspended", "gone"),
        (409, {"retry-after": "9"}, "Conflict", "limit"),
        (401, {}, "Bad credentials", "permission"),
        (500, {"retry-after": "9"}, "Server Error", "unclear"),
        (502, {}, "You have exceeded a secondary rate limit.", "limit"),
    ],
)
def test_headers_and_words_are_weighed_together(
    status: int, headers: dict[str, str], message: str, kind: str
) -> None:
    assert read(GitHubResponse(status, headers, json.dumps({"message": message}).encode())).kind == kind


def test_a_limit_is_heard_among_other_errors() -> None:
    errors = [{"type": "NOT_FOUND", "message": "no"}, {"type": "RATE_LIMITED", "message": "API rate limit"}]
    assert read_graphql(errors).kind == "limit"
