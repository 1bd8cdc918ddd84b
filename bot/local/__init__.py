"""A review of a local git range: what the App reads from GitHub is read from git; the rest is the same."""

from bot.local.change import Change, find_change
from bot.local.reader import LocalReader
from bot.local.review import judge_range

__all__ = ["Change", "LocalReader", "find_change", "judge_range"]
