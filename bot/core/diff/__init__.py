"""Unified diffs as GitHub and git give them, and the rule that finds a quote in one."""

from bot.core.diff.anchor import anchor, anchors, occurs
from bot.core.diff.git import git_diff_text, parse_git_diff
from bot.core.diff.patch import (
    Anchor,
    BadPatch,
    FileDiff,
    Hunk,
    HunkLine,
    Status,
    added_lines,
    new_side_lines,
    parse_patch,
    patch_text,
    render,
)

__all__ = [
    "Anchor",
    "BadPatch",
    "FileDiff",
    "Hunk",
    "HunkLine",
    "Status",
    "added_lines",
    "anchor",
    "anchors",
    "git_diff_text",
    "new_side_lines",
    "occurs",
    "parse_git_diff",
    "parse_patch",
    "patch_text",
    "render",
]
