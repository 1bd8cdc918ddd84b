"""`hob migrate`."""

import json

import click

from bot.cli.framework import HobCommand
from bot.cli.waiting import TellWaiting


@click.command(cls=HobCommand, example="hob migrate")
@click.option("--json", "as_json", is_flag=True, help="Print only JSON.")
def command(as_json: bool) -> None:
    """Brings the database to the newest schema.

    Safe to run at any time and from several machines at once; where nothing is to be done, nothing is. An
    SQLite file that is older is first copied to hob.db.before-SCHEMA, for whoever wants to go back; make a
    backup of PostgreSQL before (hob backup).
    """
    from bot.config import load_config
    from bot.store import open_store
    from bot.store.migration import run
    from bot.store.schema import await_age

    config = load_config()
    store = open_store(config.store.database_url)
    try:
        with TellWaiting("bringing the database to the newest schema"):
            before = await_age(store.database)
            kept = None if before == "current" else run(config.store.database_url)
    finally:
        store.close()
    shown = store.database.url.render_as_string(hide_password=True)
    if as_json:
        copy = {"kept": str(kept)} if kept else {}
        click.echo(json.dumps({"database": shown, "changed": before in ("none", "older"), **copy}))
    else:
        said = {
            "current": "already at the newest schema",
            "newer": "at a newer version's schema, with which this version works",
        }
        click.echo(f"{shown}: {said.get(before, 'brought to the newest schema')}")
        if kept:
            click.echo(f"{kept}: the database as it was")
