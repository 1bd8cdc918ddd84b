"""`hob backup`."""

import json
from pathlib import Path

import click

from bot.cli.framework import HobCommand, Output
from bot.cli.waiting import TellWaiting


@click.command(
    cls=HobCommand,
    example="hob backup /backup/hob.gz\nhob backup --with-keys - | ssh box 'umask 77; cat > hob.gz'",
)
@click.argument("file", type=Output(allow_dash=True))
@click.option("--with-keys", is_flag=True, help="The private key, webhook secrets and the API token too.")
@click.option("--json", "as_json", is_flag=True, help="Print only JSON.")
def command(file: Path, *, with_keys: bool, as_json: bool) -> None:
    """Writes database, settings, memory and hob.toml into one file, while everything runs.

    The file is the same whatever the database is: what SQLite held is restored into PostgreSQL and the
    other way round (`hob restore`). It holds deliveries of private repositories; only its owner may read
    it. Clones, indexes and Redis are not in it: they are made anew.
    """
    from bot.cli.backup import operations
    from bot.config import load_config

    config = load_config()
    with TellWaiting("writing the backup"):
        made = operations.back_up(config, file, with_keys=with_keys)
    if as_json:
        click.echo(json.dumps(made.as_json()), err=str(file) == "-")
        return
    where = "standard output" if str(file) == "-" else str(file)
    click.echo(f"{where}: {made.told()}", err=str(file) == "-")
