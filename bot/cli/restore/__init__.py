"""`hob restore`."""

import json
from pathlib import Path

import click

from bot.cli.framework import HobCommand
from bot.cli.waiting import TellWaiting


@click.command(
    cls=HobCommand,
    example="hob restore /backup/hob.gz --dry-run\nhob restore /backup/hob.gz",
)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--dry-run", is_flag=True, help="Only check the file, and say what is in it.")
@click.option("--force", is_flag=True, help="Replace a database that is not empty.")
@click.option("--json", "as_json", is_flag=True, help="Print only JSON.")
def command(file: Path, *, dry_run: bool, force: bool, as_json: bool) -> None:
    """Puts a backup in the place of the database, SQLite or PostgreSQL, whichever is configured.

    Hob must be stopped. The whole file is checked first, and a failure changes nothing. Files that are
    there already stay; a database that is replaced is kept beside the new one (SQLite). Whatever Hob wrote
    on GitHub after the backup was made is looked for there before it is written again.
    """
    from bot.cli.restore import operations

    with TellWaiting("checking the backup" if dry_run else "restoring the backup"):
        done = operations.restore(file, dry_run=dry_run, force=force)
    if as_json:
        click.echo(json.dumps(done.as_json()))
        return
    click.echo(f"{file}: {done.told()}")
    for line in done.more.get("notes", ()):
        click.echo(line)
