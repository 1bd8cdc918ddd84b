"""`hob prepare`: what `hob up` does before it starts anything, in a process of its own, so that alembic and
pydantic don't stay in the memory of the one that only watches."""

import logging
import tempfile

import click

from bot.cli.framework import HobCommand, is_debug
from bot.core.errors import UserError

log = logging.getLogger("bot.cli.up")


@click.command(cls=HobCommand, example="hob prepare", hidden=True)
@click.option("--host")
@click.option("--port", type=int)
def command(host: str | None, port: int | None) -> None:
    """Makes the data directory, checks what must not be missing or taken, and migrates the database."""
    from bot import log as logs

    logs.setup("debug" if is_debug() else "info")
    from bot.config import api_token, load_config, private_key, require_receiver
    from bot.github.signing import sign
    from bot.paths import make_private
    from bot.store.migration import run
    from bot.web.server import listen

    config = load_config()
    require_receiver(config)
    config.pool_hosts()  # refuses an adapter that may not be used
    sign({}, private_key(config))
    folder = config.hob.data_dir
    try:
        make_private(folder)
        folder.chmod(0o700)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as wrong:
        hint = "let this user write there, or set hob.data_dir to another folder"
        raise UserError(f"hob.data_dir {folder} cannot be used: {wrong.strerror}", hint) from None
    listen(config.listens_on(host), config.server.port if port is None else port).close()
    api_token(config)
    run(config.store.database_url)
    log.info("data in %s, API token in %s", folder, config.api.token_file)
