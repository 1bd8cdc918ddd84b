"""A program without network, home and secrets; refuses where that cannot be."""

from bot.sandbox.boxes import RunFolder
from bot.sandbox.container import NOT_STARTED
from bot.sandbox.report import Report, tell, told
from bot.sandbox.running import run
from bot.sandbox.suites import TreeEnded, TreeWay, run_in_tree, work_box
from bot.sandbox.ways import Way, find, for_trees, here, in_image

__all__ = [
    "NOT_STARTED",
    "Report",
    "RunFolder",
    "TreeEnded",
    "TreeWay",
    "Way",
    "find",
    "for_trees",
    "here",
    "in_image",
    "run",
    "run_in_tree",
    "tell",
    "told",
    "work_box",
]
