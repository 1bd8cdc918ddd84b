"""What GitHub's errors mean: those of REST, and those that GraphQL hides in a 200."""

from typing import Any

import pytest

from bot.core.errors import Ambiguous, GitHubError, Gone, RateLimited, TemporaryError
from bot.github.refusals import graphql_refusal, refusal
from bot.github.wire import Answer


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
    assert type(graphql_refusal([error], write=write)) is kind


@pytest.mark.parametrize("errors", [None, {}, "x", [], [[]]])
def test_odd_graphql_errors_are_still_errors(errors: Any) -> None:
    assert isinstance(graphql_refusal(errors, write=False), GitHubError)


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
    error = refusal(Answer(status, {}, body))
    assert type(error) is kind
    assert said in error.message
    assert len(error.message) <= 500
    assert error.status == status
