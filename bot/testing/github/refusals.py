"""GitHub's refusals as it words them: status, message, errors and headers.

https://docs.github.com/en/rest/using-the-rest-api/troubleshooting-the-rest-api
https://docs.github.com/en/graphql/overview/rate-limits-and-query-limits-for-the-graphql-api
"""

from dataclasses import dataclass, field
from typing import Any

_LIMITS = "https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api"
_ABUSE = "https://docs.github.com/rest/overview/rate-limits-for-the-rest-api#about-secondary-rate-limits"
_LOCKING = "https://docs.github.com/articles/locking-conversations/"
_SECONDARY = (
    "You have exceeded a secondary rate limit and have been temporarily blocked from content creation. "
    "Please retry your request again later. If you reach out to GitHub Support for help, please include "
    "the request ID."
)
_TIMEOUT = (
    "Something went wrong while executing your query. This may be the result of a timeout, or it could be a "
    "GitHub bug. Please include `0400:3F1A:1B2C` when reporting this issue."
)


@dataclass(frozen=True)
class Said:
    """One refusal. `body` is a whole answer, where it is not in the form of REST."""

    status: int
    message: str = ""
    errors: tuple[Any, ...] = ()
    page: str = "https://docs.github.com/rest"
    headers: dict[str, str] = field(default_factory=dict)
    body: dict[str, Any] | None = None

    @property
    def answer(self) -> dict[str, Any]:
        """The body."""
        if self.body is not None:
            return self.body
        errors = {"errors": list(self.errors)} if self.errors else {}
        return {
            "message": self.message,
            **errors,
            "documentation_url": self.page,
            "status": str(self.status),
        }


def _graphql(*errors: dict[str, Any], status: int = 200, **more: Any) -> Said:
    return Said(status, body={**more, "errors": list(errors)})


def _line(words: str) -> Said:
    return Said(422, "Unprocessable Entity", (words,))


LIMITS: dict[str, Said] = {
    "too quickly": Said(
        422,
        "Validation Failed",
        ({"resource": "PullRequestReview", "code": "custom", "message": "was submitted too quickly"},),
    ),
    "too quickly, bare": Said(422, "Unprocessable Entity", ("was submitted too quickly",)),
    "abuse code": Said(
        422, "Validation Failed", ({"resource": "IssueComment", "code": "abuse", "field": "body"},)
    ),
    "abuse 403": Said(
        403,
        "You have triggered an abuse detection mechanism. Please wait a few minutes before you try again.",
        page="https://developer.github.com/v3/#abuse-rate-limits",
    ),
    "secondary 403": Said(403, _SECONDARY, page=_ABUSE),
    "secondary 422": Said(422, _SECONDARY, page=_ABUSE),
    "secondary 400": Said(400, _SECONDARY, page=_ABUSE),
    "secondary 503": Said(503, _SECONDARY, page=_ABUSE),
    "403 retry-after": Said(403, "Forbidden", headers={"Retry-After": "90"}),
    "422 retry-after": Said(422, "Validation Failed", headers={"Retry-After": "90"}),
    "429": Said(429, "Too Many Requests", page=_LIMITS),
    "429 retry-after": Said(429, "Too Many Requests", page=_LIMITS, headers={"Retry-After": "90"}),
    "pending review": _line("User can only have one pending review per pull request"),
}
"""They pass: what was refused is sent again."""

LINES: dict[str, Said] = {
    "line": _line("Line could not be resolved"),
    "path": _line("Path could not be resolved"),
    "thread line": _line(
        "Pull request review thread line must be part of the diff, Pull request review thread start line "
        "must be part of the same hunk as the line., and Pull request review thread diff hunk can't be blank"
    ),
    "field": Said(
        422,
        "Validation Failed",
        (
            {
                "resource": "PullRequestReviewComment",
                "code": "invalid",
                "field": "pull_request_review_thread.line",
            },
        ),
    ),
}
"""One line of a review is off the diff."""

FINAL: dict[str, Said] = {
    "locked": Said(403, "Unable to create comment because issue is locked.", page=_LOCKING),
    "lock prevents": _line("lock prevents review"),
    "no permission": Said(403, "Resource not accessible by integration"),
    "archived": Said(403, "Repository was archived so is read-only."),
    "restricted": Said(403, "Interactions on this repository have been restricted to collaborators only."),
    "too long": Said(
        422,
        "Validation Failed",
        (
            {
                "resource": "PullRequestReview",
                "code": "custom",
                "field": "body",
                "message": "body is too long (maximum is 65536 characters)",
            },
        ),
    ),
    "own": _line("Can not request changes on your own pull request"),
    "commit": _line("The commit_id is not part of the pull request"),
    "protected": Said(422, "Cannot update this protected ref."),
    "ruleset": Said(
        422, "Repository rule violations found\n\nCannot create ref due to creations being restricted.\n\n"
    ),
    "signatures": Said(422, "Repository rule violations found\n\nCommits must have verified signatures.\n\n"),
    "push protection": Said(422, "Repository rule violations found\n\nSecret detected in content\n\n"),
    "not found": Said(404, "Not Found"),
    "gone": Said(410, "Issues are disabled for this repo"),
    "unavailable": Said(451, "Repository access blocked"),
}
"""They are for good."""

PUSHES: dict[str, Said] = {
    "status checks": Said(422, "2 of 2 required status checks are expected."),
    "only by pull request": Said(422, "Changes must be made through a pull request."),
    "not authorized": Said(403, "You're not authorized to push to this branch."),
    "name taken below": Said(422, "Reference update failed"),
    "push protection, 409": Said(409, "Repository rule violations found\n\nSecret detected in content\n\n"),
    "restricted path": Said(422, "Repository rule violations found\n\nFile path is restricted\n\n"),
    "empty": Said(409, "Git Repository is empty."),
}
"""What a ref may not be moved or made for. They are for good too."""

GRAPHQL: dict[str, Said] = {
    "graphql limit": _graphql(
        {"type": "RATE_LIMITED", "message": "API rate limit exceeded for installation ID 1."}
    ),
    "graphql limit, code": _graphql(
        {
            "type": "RATE_LIMIT",
            "code": "graphql_rate_limit",
            "message": "API rate limit already exceeded for installation ID 1.",
        }
    ),
    "graphql secondary": _graphql({"message": _SECONDARY}, data=None),
    "graphql too large": _graphql(
        {"type": "RESOURCE_LIMITS_EXCEEDED", "message": "Resource limits for this query exceeded."}, data=None
    ),
    "graphql timeout": _graphql({"message": _TIMEOUT}, data=None),
    "graphql 502": _graphql({"message": _TIMEOUT}, status=502, data=None),
    "graphql 504": Said(
        504, "We couldn't respond to your request in time. Sorry about that. Please try resubmitting."
    ),
}
REFUSALS: dict[str, Said] = {**LIMITS, **LINES, **FINAL, **PUSHES, **GRAPHQL}


def partly(answer: Any, kept: int | None) -> dict[str, Any]:
    """A good GraphQL answer of which GitHub gives only a part: the first `kept` objects of the repository,
    for it ran into its limits; or, with None, all but the first, which broke."""
    data = {
        name: dict(value) for name, value in (answer.get("data") or {}).items() if isinstance(value, dict)
    }
    objects = data.get("repository") or {}
    gone = list(objects)[:1] if kept is None else list(objects)[kept:]
    objects |= dict.fromkeys(gone)
    if kept is None:
        broke = {"message": "Something broke while reading this object.", "type": "SERVICE_UNAVAILABLE"}
        errors = [{**broke, "path": ["repository", key]} for key in gone]
    else:
        errors = [
            {
                "type": "RESOURCE_LIMITS_EXCEEDED",
                "message": "Resource limits for this query exceeded.",
                "path": ["repository", key],
            }
            for key in gone
        ]
    return {"data": {**data, "repository": objects}, "errors": errors}
