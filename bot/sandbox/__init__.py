"""Runs a program with no network, no home and no secrets; refuses where it cannot."""

from bot.sandbox.report import Report, tell, told
from bot.sandbox.running import run
from bot.sandbox.ways import Way, find, here

__all__ = ["Report", "Way", "find", "here", "run", "tell", "told"]
