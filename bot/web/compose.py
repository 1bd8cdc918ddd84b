"""Puts a receiver together from the configuration and runs it."""

import asyncio
import contextlib
import logging
import socket
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import uvloop
from redis import Redis

from bot.config import Config, api_token, require_receiver, why_not
from bot.queue.bell import Bell
from bot.queue.board import RedisBoard
from bot.queue.connect import connect
from bot.store import Store, open_store
from bot.web import queue
from bot.web.app import App, create_app
from bot.web.body import BodyReader
from bot.web.chat import Chat
from bot.web.guard import allowed_hosts
from bot.web.ready import Readiness, connects, hosts_line
from bot.web.server import address_of, listen, serve
from bot.web.webhook import Receiver

log = logging.getLogger(__name__)


def run(config: Config, ask: Chat | None = None) -> None:
    """Answers until SIGINT or SIGTERM; questions by `ask`. UserError where it cannot start."""
    secrets = require_receiver(config)
    token = api_token(config)
    store = open_store(config.store.database_url)
    redis, board = connect(config.redis_url), RedisBoard(config.redis_url)
    try:
        store.require_schema()
        receiver = Receiver(
            secrets=secrets,
            put=store.inbox.put,
            wake=lambda: None,  # until the bell is there
            read=BodyReader(config.server.max_body_mb << 20),
        )
        app = create_app(
            receiver=receiver,
            store=store,
            token=token,
            hosts=allowed_hosts(config.server.host, config.server.public_url),
            readiness=readiness(config, store, redis),
            queue_lengths=partial(queue.lengths, redis),
            public_url=config.server.public_url,
            places=partial(board.look, [host.name for host in config.hosts]),
            refuse_setting=partial(why_not, config),
            ask=ask,
        )
        _serve(config, app, board)
    finally:
        redis.close()
        store.close()


def readiness(config: Config, store: Store, redis: Redis) -> Readiness:
    """Without store, queue and worker, or GitHub, nothing is worked on; hosts are only reported."""
    needed = {
        "store": partial(_store_line, store),
        "queue": partial(queue.probe, redis),
        "github": partial(connects, config.github.api_url),
    }
    return Readiness(needed, {"hosts": partial(hosts_line, config.pool_hosts())})


async def _store_line(store: Store) -> str:
    await asyncio.to_thread(store.ping)
    return store.database.url.get_backend_name()


def _serve(config: Config, app: App, board: RedisBoard) -> None:
    listening = listen(config.server.host, config.server.port)
    with (
        _port_file(config.hob.data_dir / "hob.port", address_of(listening)),
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
    ):
        runner.run(_serve_ringing(config.redis_url, app, listening))
        runner.run(board.aclose())


async def _serve_ringing(redis_url: str, app: App, listening: socket.socket) -> None:
    async with Bell(redis_url, listens=False) as bell:
        app.receiver.wake = bell.ring
        await serve(app, listening)


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
