"""Runs a program with no network, no home and no secrets; refuses where it cannot."""

from bot.sandbox.running import run
from bot.sandbox.ways import Way, find, here

__all__ = ["Way", "find", "here", "run"]
