"""A review of a local git range: what the App reads from GitHub is read from git; the rest is the same.

What is here finds the change, and imports little; `bot.local.judge` reviews it.
"""

from bot.local.change import LocalRange, NothingToReview, find_change, find_root
from bot.local.pushes import Push, pre_commits, pushed, pushes
from bot.local.uncommitted import uncommitted

__all__ = [
    "LocalRange",
    "NothingToReview",
    "Push",
    "find_change",
    "find_root",
    "pre_commits",
    "pushed",
    "pushes",
    "uncommitted",
]
