"""`hob standup`."""

import asyncio
import json
import time

import click

from bot.cli.framework import HobCommand, RepositoryParam, day
from bot.cli.waiting import TellWaiting

USUAL_DAYS = 7


@click.command(
    cls=HobCommand,
    example="hob standup octo/tea\nhob standup octo/tea --milestone v1.0 --since 2026-11-02",
)
@click.argument("repository", metavar="OWNER/REPO", type=RepositoryParam())
@click.option("--since", type=day, help="A day (UTC), or '3 days'; by default a week ago.")
@click.option("--milestone", default="", help="Only what is in this milestone.")
@click.option("--json", "as_json", is_flag=True, help="Print only JSON.")
def command(repository: str, since: float | None, milestone: str, as_json: bool) -> None:
    """Tells what moved, what is stuck and since when, and who is asked; posts nothing.

    From GitHub's own facts, read through the App; no model is asked. A day begins at midnight in UTC.
    """
    from bot.core.standup import DAY, markdown
    from bot.core.standup import as_json as told_as_json
    from bot.core.text import for_terminal
    from bot.log import setup
    from bot.runs.standup import read_standup

    setup("error")
    at = time.time() - USUAL_DAYS * DAY if since is None else since
    with TellWaiting(f"reading {repository}"):
        told = asyncio.run(read_standup(repository, at, milestone))
    if as_json:
        click.echo(json.dumps(told_as_json(told), indent=2))
    else:
        click.echo(for_terminal(markdown(told)))
