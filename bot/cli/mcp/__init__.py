"""`hob mcp`."""

import asyncio
import signal
from importlib.util import find_spec
from pathlib import Path

import click

from bot.cli.framework import HobCommand, folder_option
from bot.core.errors import UserError


@click.command(cls=HobCommand, example="hob mcp\nhob mcp --folder ~/src/shop")
@folder_option("--repo")
def command(folder: Path) -> int:
    """Lends an agent in an editor search, ask, review, callers, why and findings of a repository.

    An editor starts this and speaks the Model Context Protocol with it over standard input and output; it
    ends with its input. All it lends only reads, and nothing goes to an online host that [privacy] and
    [budget] don't allow. docs/mcp.md says how to add it to an editor.
    """
    from bot.config import load_config
    from bot.local import find_root
    from bot.log import setup

    setup("warning")
    if find_spec("mcp") is None:
        raise UserError(
            "the Python package mcp is not installed",
            "install it with `make .venv/.mcp`, or Hob anew with its extra [mcp]",
        )
    from bot.cli.mcp.server import serve
    from bot.cli.mcp.tools import Lent

    # Ctrl-C ends it at once: a thread that waits for standard input would not hear of it.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    config = load_config()
    root = asyncio.run(find_root(folder))
    asyncio.run(serve(Lent(root, config)))
    return 0
