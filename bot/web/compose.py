"""Puts a receiver together from the configuration and runs it."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path

import uvloop

from bot.config import Config, api_token, require_receiver
from bot.core.errors import UserError
from bot.store import Store, open_store
from bot.web.app import App, create_app
from bot.web.body import BodyReader
from bot.web.guard import allowed_hosts
from bot.web.ready import Probe, Readiness, connects, hosts_line
from bot.web.server import address_of, listen, serve
from bot.web.webhook import Receiver

log = logging.getLogger(__name__)


def run(
    config: Config,
    wake: Callable[[], None],
    queue_probe: Probe,
    queue_lengths: Callable[[], Mapping[str, int]],
) -> None:
    """Answers until SIGINT or SIGTERM. UserError where it cannot start."""
    secrets = require_receiver(config)
    token = api_token(config)
    store = open_store(config.store.database_url)
    try:
        if not store.schema_is_current():
            raise UserError("the database is not at the newest schema", "run hob migrate")
        receiver = Receiver(
            secrets=secrets,
            put=store.inbox.put,
            wake=wake,
            read=BodyReader(config.server.max_body_mb << 20),
        )
        app = create_app(
            receiver=receiver,
            store=store,
            token=token,
            hosts=allowed_hosts(config.server.host, config.server.public_url),
            readiness=readiness(config, store, queue_probe),
            queue_lengths=queue_lengths,
            public_url=config.server.public_url,
        )
        _serve(config, app)
    finally:
        store.close()


def readiness(config: Config, store: Store, queue_probe: Probe) -> Readiness:
    """Without the store, the queue with a worker, or GitHub, nothing is worked on; hosts are only reported."""
    needed = {
        "store": partial(_store_line, store),
        "queue": queue_probe,
        "github": partial(connects, config.github.api_url),
    }
    return Readiness(needed, {"hosts": partial(hosts_line, config.pool_hosts())})


async def _store_line(store: Store) -> str:
    await asyncio.to_thread(store.ping)
    return store.database.url.get_backend_name()


def _serve(config: Config, app: App) -> None:
    listening = listen(config.server.host, config.server.port)
    with (
        _port_file(config.hob.data_dir / "hob.port", address_of(listening)),
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
    ):
        runner.run(serve(app, listening))


@contextlib.contextmanager
def _port_file(path: Path, address: str) -> Iterator[None]:
    """Tells programs on this machine where the receiver listens, for port 0: `http://127.0.0.1:41234`."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.write_text(f"{address}\n")
    except OSError as wrong:
        log.warning("%s cannot be written: %s", path, wrong.strerror)
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            path.unlink()
