"""`hob rotate`."""

import json

import click

from bot.cli.framework import HobCommand


@click.command(cls=HobCommand, example="hob rotate")
@click.option("--json", "as_json", is_flag=True, help="Print only JSON.")
def command(as_json: bool) -> None:
    """Makes a new key for the marks by which Hob knows what it wrote on GitHub.

    Everything may go on running: every process knows the new key before the first of them uses it, and what
    bears an older mark is known for good. Other secrets are files that are replaced (docs/operations.md).
    """
    from bot.config import load_config
    from bot.store import open_store
    from bot.store.mark_keys import FROM_SECONDS

    store = open_store(load_config().store.database_url)
    try:
        store.require_schema()
        store.mark_keys.rotate()
    finally:
        store.close()
    if as_json:
        click.echo(json.dumps({"used_in_seconds": FROM_SECONDS}))
    else:
        click.echo(f"a new key was made; marks are made with it in {FROM_SECONDS:.0f} s")
