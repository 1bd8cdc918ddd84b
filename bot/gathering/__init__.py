"""What handlers gather for agents, each through its Context: facts, frozen at a commit."""

from bot.gathering.changes import (
    AUTHORS_OWN,
    linked_issues,
    pull_request_facts,
    select,
    to_file_diff,
    why_not_reviewed,
)
from bot.gathering.listening import labels_heard, labels_told
from bot.gathering.talks import TRUSTED, fix_facts, reply_facts, thread_facts, thread_meant
from bot.gathering.wishes import (
    change_facts,
    change_reviewed,
    comment_about,
    explain_facts,
    settings_told,
    undo_facts,
)

__all__ = [
    "AUTHORS_OWN",
    "TRUSTED",
    "change_facts",
    "change_reviewed",
    "comment_about",
    "explain_facts",
    "fix_facts",
    "labels_heard",
    "labels_told",
    "linked_issues",
    "pull_request_facts",
    "reply_facts",
    "select",
    "settings_told",
    "thread_facts",
    "thread_meant",
    "to_file_diff",
    "undo_facts",
    "why_not_reviewed",
]
