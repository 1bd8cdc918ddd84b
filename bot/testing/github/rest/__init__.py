"""The routes, by what they speak of. Importing this package fills the table."""

from bot.testing.github.rest import (
    actions,
    app,
    checks,
    code,
    comments,
    git_data,
    graphql,
    histories,
    issue_writes,
    issues,
    milestones,
    pulls,
    reactions,
    reviews,
    sub_issues,
)

__all__ = [
    "actions",
    "app",
    "checks",
    "code",
    "comments",
    "git_data",
    "graphql",
    "histories",
    "issue_writes",
    "issues",
    "milestones",
    "pulls",
    "reactions",
    "reviews",
    "sub_issues",
]
