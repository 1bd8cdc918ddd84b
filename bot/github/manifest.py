"""The App's manifest, and the webhook event that each of our events comes from.

https://docs.github.com/en/apps/sharing-github-apps/registering-a-github-app-from-a-manifest
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from bot.core import events
from bot.core.errors import ConfigError
from bot.core.events import Event

EVENTS: dict[type[Event], str] = {
    events.PullRequestOpened: "pull_request",
    events.PullRequestReopened: "pull_request",
    events.PullRequestReadyForReview: "pull_request",
    events.PullRequestSynchronized: "pull_request",
    events.PullRequestClosed: "pull_request",
    events.PullRequestEdited: "pull_request",
    events.PullRequestRetitled: "pull_request",
    events.PullRequestRetargeted: "pull_request",
    events.PullRequestRelabeled: "pull_request",
    events.PullRequestConvertedToDraft: "pull_request",
    events.CheckRunRequested: "check_run",
    events.ChecksCompleted: "check_suite",
    events.IssueOpened: "issues",
    events.IssueEdited: "issues",
    events.IssueClosed: "issues",
    events.IssueReopened: "issues",
    events.IssueRemoved: "issues",
    events.Pushed: "push",
    events.DefaultBranchPushed: "push",
    events.MergeGroupChecksRequested: "merge_group",
    events.MergeGroupDestroyed: "merge_group",
    events.InstallationDeleted: "installation",
    events.InstallationSuspended: "installation",
    events.RepositoriesRemoved: "installation_repositories",
    events.RepositoryRemoved: "repository",
    events.RepositoryChanged: "repository",
    events.IssueCommentCreated: "issue_comment",
    events.IssueCommentEdited: "issue_comment",
    events.ReviewSubmitted: "pull_request_review",
    events.ReviewEdited: "pull_request_review",
    events.ReviewCommentCreated: "pull_request_review_comment",
    events.ReviewCommentEdited: "pull_request_review_comment",
}
UNASKED = frozenset({"installation", "installation_repositories"})
"""Every App gets these; they cannot be subscribed to."""


CODE = {"contents": "write"}
"""Without which Hob writes no code."""
FOR_CI = {"actions": "read", "statuses": "read"}
"""What `fix ci` reads, as far as it may. Both are in deploy/app-code.yml."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What the App asks of those who install it."""

    permissions: dict[str, str]
    events: frozenset[str]


MEANS = {
    "metadata: read": "every App has it",
    "contents: read": "files and history at the base and the head",
    "contents: write": "the same, and commits on branches of Hob's own; threads are resolved",
    "pull_requests: write": "reviews, suggestions, replies in threads, "
    "a title and text that a person takes over",
    "checks: write": "the check run `Hob`",
    "issues: write": "labels, comments, reactions",
    "merge_queues: read": "GitHub tells of merge queues only to an App that may read them; "
    "nothing is read there",
    "actions: read": "coverage reports that CI left, and the logs that `fix ci` reads",
    "statuses: read": "CI that makes no check runs, for `fix ci`",
}
"""What each permission is for, in the words that people read before they grant it."""


def path(code: bool = False) -> Path:
    """`app.yml`, or with `code` that of who has code written: at their places in a checkout, inside `bot` in
    a wheel."""
    bot = Path(__file__).parents[1]
    inside = bot / ("app-code.yml" if code else "app.yml")
    return inside if inside.exists() else bot.parent / ("deploy/app-code.yml" if code else "app.yml")


def manifest(file: Path | None = None) -> Manifest:
    """`ConfigError` when there is none or it cannot be read."""
    file = file or path()
    try:
        found: Any = yaml.safe_load(file.read_text())
        return Manifest(dict(found["default_permissions"]), frozenset(found["default_events"]))
    except (OSError, yaml.YAMLError, KeyError, TypeError, ValueError) as error:
        raise ConfigError(f"{file} is no App manifest: {error}", "reinstall Hob") from None
