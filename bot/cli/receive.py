"""`hob receive`."""

import json
from pathlib import Path

import click

from bot.cli.framework import HobCommand
from bot.cli.waiting import TellWaiting
from bot.core.errors import BadPayload, UserError

MOST_BYTES = 25 << 20


@click.command(cls=HobCommand, example="hob receive pull_request delivery.json | jq .effects")
@click.argument("event")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path))
@click.option("--apply", is_flag=True, help="Write to GitHub too; without it nothing is written anywhere.")
@click.option("--json", "as_json", is_flag=True, help="Print only JSON (what is printed is JSON anyway).")
def command(event: str, file: Path, apply: bool, as_json: bool) -> None:
    """Runs one stored payload through the router and prints the plan of effects.

    EVENT is what GitHub sends as X-GitHub-Event; FILE holds the body (- for standard input).
    """
    from bot.config import load_config
    from bot.log import setup
    from bot.runs import dry_run

    setup("warning")
    load_config()
    body = _read(file)
    try:
        with TellWaiting("running the payload"):
            plan = dry_run(event, body, apply)
    except BadPayload as wrong:
        raise UserError(f"{file}: {wrong}", "give the body of a delivery as GitHub sent it") from None
    click.echo(json.dumps(plan, indent=2, default=str))


def _read(file: Path) -> bytes:
    with click.open_file(str(file), "rb") as source:
        body: bytes = source.read(MOST_BYTES + 1)
    if len(body) > MOST_BYTES:
        raise UserError(f"{file} is over {MOST_BYTES >> 20} MB", "GitHub never sends more")
    return body
