"""A review of a local git range: what the App reads from GitHub is read from git; the rest is the same."""

from bot.local.change import Change, NothingToReview, find_change, find_root
from bot.local.pushes import Push, pre_commits, pushed, pushes
from bot.local.reader import LocalReader
from bot.local.review import judge_range
from bot.local.uncommitted import uncommitted

__all__ = [
    "Change",
    "LocalReader",
    "NothingToReview",
    "Push",
    "find_change",
    "find_root",
    "judge_range",
    "pre_commits",
    "pushed",
    "pushes",
    "uncommitted",
]
