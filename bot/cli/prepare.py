"""`hob prepare`: what `hob up` does before it starts anything, in a process of its own, so that alembic and
pydantic don't stay in the memory of the one that only watches."""

import sys

import click

from bot.cli.manners import Command


@click.command(cls=Command, example="hob prepare", hidden=True)
def command() -> None:
    """Makes the data directory, checks what must not be missing, and migrates the database."""
    from bot.config import api_token, load_config, private_key, require_receiver
    from bot.github.signing import sign
    from bot.store.migration import run

    config = load_config()
    require_receiver(config)
    sign({}, private_key(config))
    folder = config.hob.data_dir
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    folder.chmod(0o700)
    api_token(config)
    run(config.store.database_url)
    click.echo(f"hob: data in {folder}, API token in {config.api.token_file}", file=sys.stderr)
