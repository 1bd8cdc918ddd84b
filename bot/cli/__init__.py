"""The command line: one module a command, each imported when it is asked for."""

from bot.cli.framework import main

__all__ = ["main"]
