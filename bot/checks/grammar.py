"""The words of GitHub's workflows.

https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax
https://docs.github.com/en/actions/reference/workflows-and-actions/events-that-trigger-workflows
https://docs.github.com/en/actions/reference/workflows-and-actions/contexts
"""

WORKFLOW = frozenset("name run-name on permissions env defaults concurrency jobs".split())  # noqa: SIM905
JOB = frozenset(
    """
    name permissions needs if runs-on snapshot environment concurrency outputs env defaults steps
    timeout-minutes strategy continue-on-error container services uses with secrets
    """.split()  # noqa: SIM905  lists of these take a hundred lines
)
STEP = frozenset(
    "id if name uses run working-directory shell with env continue-on-error timeout-minutes".split()  # noqa: SIM905
)
EVENTS = frozenset(
    """
    branch_protection_rule check_run check_suite create delete deployment deployment_status discussion
    discussion_comment fork gollum image_version issue_comment issues label member merge_group milestone
    page_build
    project project_card project_column public pull_request pull_request_review pull_request_review_comment
    pull_request_target push registry_package release repository_dispatch schedule status watch workflow_call
    workflow_dispatch workflow_run
    """.split()  # noqa: SIM905
)
CONTEXTS = frozenset(
    "github env vars job jobs steps runner secrets strategy matrix needs inputs".split()  # noqa: SIM905
)
HEADS = (
    "github.event.pull_request.head",
    "github.event.workflow_run.head",
    "github.head_ref",
    "refs/pull/",
)
"""What names a pull request's own code."""
UNTRUSTED = (
    "issue.title",
    "issue.body",
    "pull_request.title",
    "pull_request.body",
    "pull_request.head.ref",
    "pull_request.head.label",
    "pull_request.head.repo.default_branch",
    "comment.body",
    "review.body",
    "review_comment.body",
    "discussion.title",
    "discussion.body",
    "head_commit.message",
    "head_commit.author.email",
    "head_commit.author.name",
    "commits.*.message",
    "commits.*.author.email",
    "commits.*.author.name",
    "pages.*.page_name",
    "workflow_run.head_branch",
    "workflow_run.head_commit.message",
    "workflow_run.display_title",
)
"""Below `github.event`: texts that anyone may write.
https://docs.github.com/en/actions/concepts/security/script-injections"""
